/** Tensors as people look at them: text, notebooks, single numbers and rows; and how they are filled. */
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { Random } from "../../lib/base/random.ts";
import { Linear } from "../../lib/core/layers.ts";
import { Model } from "../../lib/core/model.ts";
import { relu, scale } from "../../lib/arithmetic/ops.ts";
import { readAll, Tensor } from "../../lib/core/tensor.ts";
import { gpuTest } from "../support/gpu_test_case.ts";

const ON_GPU = "on the GPU: read() or print() shows its numbers";

gpuTest("a tensor as text has shape, type and the first numbers", (device) => {
  const cases: [Tensor, string][] = [
    [Tensor.from(device, [[1, 2], [3, 4]]), "Tensor [2, 2] f32: 1, 2, 3, 4"],
    [Tensor.from(device, 0.1), "Tensor [] f32: 0.1"],
    [Tensor.from(device, Uint32Array.of(7, 4_294_967_295)), "Tensor [2] u32: 7, 4294967295"],
    [Tensor.from(device, [1, 2, 3, 4, 5, 6]), "Tensor [6] f32: 1, 2, 3, 4, 5, 6"],
    [Tensor.full(device, [3, 3], -0.5), "Tensor [3, 3] f32: -0.5, -0.5, -0.5, -0.5, -0.5, -0.5, ..."],
    [Tensor.from(device, [NaN, -Infinity, 1e-7]), "Tensor [3] f32: NaN, -Infinity, 1e-7"],
    [Tensor.from(device, [[]]), "Tensor [1, 0] f32, empty"],
  ];
  for (const [tensor, text] of cases) {
    assertEquals([`${tensor}`, Deno.inspect(tensor)], [text, text]);
    tensor.dispose();
  }
  const [gone] = cases[0];
  assertEquals(Deno.inspect([gone]), "[ Tensor [2, 2] f32, disposed of ]");
});

gpuTest("the numbers of a tensor are forgotten as soon as the GPU may have changed them", async (device) => {
  using x = Tensor.from(device, [1, -2]);
  using y = Tensor.zeros(device, [2]);
  const shown = `Tensor [2] f32: `;
  assertEquals(`${y}`, `Tensor [2] f32, ${ON_GPU}`);
  scale(x, 3, { out: y });
  assertEquals([`${x}`, `${y}`], [`${shown}1, -2`, `Tensor [2] f32, ${ON_GPU}`]);
  await y.read();
  assertEquals(`${y}`, `${shown}3, -6`);
  relu(x, { out: y });
  assertEquals(`${y}`, `Tensor [2] f32, ${ON_GPU}`);
  await readAll([x, y]);
  device.copy(x, y);
  assertEquals(`${y}`, `Tensor [2] f32, ${ON_GPU}`);
  y.write([5, 6]);
  device.write(y, Float32Array.of(7, 8));
  assertEquals(`${y}`, `Tensor [2] f32, ${ON_GPU}`);
  const reading = y.read();
  scale(x, 3, { out: y }); // the read comes back only after this was put on the queue
  await reading;
  assertEquals(`${y}`, `Tensor [2] f32, ${ON_GPU}`);
  using recording = device.record(() => scale(x, 2, { out: y }));
  y.write([1, 1]);
  recording.replay();
  assertEquals(`${y}`, `Tensor [2] f32, ${ON_GPU}`);
  await y.read();
  recording.replay();
  assertEquals(`${y}`, `Tensor [2] f32, ${ON_GPU}`, "a replay does not say what it writes");
});

gpuTest("a view shows its own numbers, never those of another", (device) => {
  using x = Tensor.from(device, [1, 2, 3, 4]);
  const end = x.view(2, [2]);
  assertEquals([`${x.reshape([2, 2])}`, `${x.view(0, [1])}`], ["Tensor [2, 2] f32: 1, 2, 3, 4", "Tensor [1] f32: 1"]);
  assertEquals(`${end}`, `Tensor [2] f32, ${ON_GPU}`);
  end.write([7, 8]);
  assertEquals([`${end}`, `${x}`], ["Tensor [2] f32: 7, 8", `Tensor [4] f32, ${ON_GPU}`]);
  using model = new Model(device, [new Linear(1, 2)], { random: new Random(1, "weights") });
  assertMatch(`${model.values}`, /^Tensor \[\d+\] f32: /);
});

gpuTest("Tensor.random() draws as weights start, and says which shapes it takes", async (device) => {
  const random = () => new Random(7, "weights");
  const wide = async (shape: number[], ...[init]: [Parameters<typeof Tensor.random>[2]]) => {
    using tensor = Tensor.random(device, shape, init, random());
    const values = await tensor.read();
    return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
  };
  assert(Math.abs(await wide([50, 200], "kaiming") - Math.sqrt(2 / 50)) < 0.005);
  assert(Math.abs(await wide([50, 200], "xavier") - Math.sqrt(2 / 250)) < 0.005);
  assert(Math.abs(await wide([4_000], "normal") - 1) < 0.05);
  assert(Math.abs(await wide([10, 20, 30], { kind: "normal", scale: 3 }) - 3) < 0.15);
  assert(Math.abs(await wide([4_000], { kind: "uniform", scale: 0.1 }) - 0.1 / Math.sqrt(3)) < 0.003);
  assertEquals(await wide([3], "ones"), 1);
  for (const kind of ["kaiming", "xavier"] as const) {
    const text =
      `Cannot draw a tensor [3] by "${kind}": it needs a matrix [inputs, outputs]; use "normal", "uniform" or "ones"`;
    assertThrows(() => Tensor.random(device, [3], kind, random()), TypeError, text);
  }
});

gpuTest("item() and rows() give plain numbers", async (device) => {
  using one = Tensor.from(device, [[2.5]]);
  using flag = Tensor.from(device, Uint32Array.of(3));
  using x = Tensor.from(device, [[1, 2, 3], [4, 5, 6]]);
  using empty = Tensor.zeros(device, [2, 0]);
  assertEquals([await one.item(), await flag.item()], [2.5, 3]);
  assertEquals([await x.rows(), await flag.rows()], [[[1, 2, 3], [4, 5, 6]], [[3]]]);
  assertEquals([await x.reshape([6]).rows(), await one.reshape([]).rows()], [[[1, 2, 3, 4, 5, 6]], [[2.5]]]);
  assertEquals([await x.reshape([2, 1, 3]).rows(), await empty.rows()], [[[1, 2, 3], [4, 5, 6]], [[], []]]);
  const text = "Cannot take the one number of a tensor [2, 3]: it has 6; use read() or rows()";
  await assertRejects(() => x.item(), TypeError, text);
});

gpuTest("read() and readU32() refuse each other's tensors", async (device) => {
  using x = Tensor.from(device, [1]);
  using n = Tensor.from(device, Uint32Array.of(1));
  await assertRejects(() => n.read(), TypeError, "Cannot read a tensor [1] of u32 as float32: use readU32()");
  await assertRejects(() => x.readU32(), TypeError, "Cannot read a tensor [1] of float32 as u32: use read()");
});

gpuTest("a disposed tensor names what may have freed it", (device) => {
  const x = device.tidy(() => ({ inner: [Tensor.zeros(device, [2])] }));
  for (const tensor of x.inner) tensor.dispose();
  const { message } = assertThrows(() => x.inner[0].buffer, TypeError);
  assertEquals(
    message,
    "Cannot use a tensor [2] that was disposed of: `dispose`, the end of a `using` or a `tidy` freed it; " +
      "return from `tidy` what is used after it",
  );
  const view = device.tidy(() => Tensor.zeros(device, [2]).reshape([1, 2]));
  assertThrows(() => view.buffer, TypeError, "and with a view the tensor that it looks into");
});

gpuTest("in a notebook a tensor is a table of coloured numbers", async (device) => {
  const display = async (tensor: Tensor): Promise<Record<string, string>> => {
    const key = Symbol.for("Jupyter.display") as unknown as keyof Tensor;
    return await (tensor[key] as () => Promise<Record<string, string>>).call(tensor);
  };
  using x = device.tidy(() => scale(Tensor.from(device, [[2, -1], [0, NaN]]), 1));
  const { "text/html": html, "text/plain": plain } = await display(x);
  assertEquals(plain, "Tensor [2, 2] f32: 2, -1, 0, NaN");
  const cells = [...html.matchAll(/background:([^;]+);color:[^"]+">([^<]+)</g)].map((
    [_, colour, text],
  ) => [text, colour]);
  assertEquals(cells, [["2", "rgb(222,115,30)"], ["-1", "rgb(152,180,218)"], ["0", "rgb(255,255,255)"], [
    "NaN",
    "#000",
  ]]);
  using wide = Tensor.full(device, [30, 40], 1);
  const large = (await display(wide))["text/html"];
  assertEquals([large.match(/<td/g)?.length, large.match(/<tr/g)?.length], [144, 12]);
  assertMatch(large, /Tensor \[30, 40\] f32, the first 12 rows and 12 columns/);
  const gone = Tensor.zeros(device, [1]);
  gone.dispose();
  assertEquals(await display(gone), { "text/plain": "Tensor [1] f32, disposed of" });
});

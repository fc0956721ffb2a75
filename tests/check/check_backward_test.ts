import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { checkBackward } from "../../lib/check/check_backward.ts";
import { bceWithLogits } from "../../lib/core/losses.ts";
import {
  matmul,
  mean,
  meanBackward,
  multiply,
  relu,
  scale,
  sigmoid,
  sigmoidBackward,
  sum,
  tanh,
  tanhBackward,
} from "../../lib/arithmetic/ops.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { Random } from "../../lib/base/random.ts";
import { bits, gpuTest } from "../support/gpu_test_case.ts";

gpuTest("checkBackward() says of smooth layers that they are right, and finds a forgotten slope", async (device) => {
  const random = new Random(3, "smooth");
  for (const [forward, backward] of [[sigmoid, sigmoidBackward], [tanh, tanhBackward]] as const) {
    using x = Tensor.random(device, [5, 3], "normal", random);
    using w = Tensor.random(device, [3, 4], "normal", random);
    using y = Tensor.random(device, [5, 4], { kind: "uniform", scale: 1 }, random);
    const loss = () => bceWithLogits.forward(forward(matmul(x, w)), y);
    const gradient = (skipsSlope: boolean) =>
      device.tidy(() => {
        const a = forward(matmul(x, w));
        const da = bceWithLogits.backward(a, y);
        return matmul(x, skipsSlope ? da : backward(a, da), { transposeA: true });
      });
    using right = gradient(false);
    using wrong = gradient(true);
    const report = await checkBackward(device, loss, { right: [w, right], wrong: [w, wrong] });
    assertEquals(report.map(({ ok, cause }) => [ok, cause]), [[true, undefined], [false, undefined]], `${report}`);
  }
});

gpuTest("checkBackward() accepts each slope between both sides of a kink, and no other", async (device) => {
  using x = Tensor.from(device, [0, 0, 0, 1, -1]);
  const loss = () => sum(relu(x));
  for (const [yours, wrong] of [[[0, 0.5, 1, 1, 0], 0], [[-0.1, 0, 0, 1, 0], 1], [[0, 0, 1.1, 1, 0.2], 2]] as const) {
    using gradient = Tensor.from(device, yours);
    const [check] = await checkBackward(device, loss, { dX: [x, gradient] });
    assertEquals([check.ok, check.wrong], [wrong === 0, wrong]);
  }
});

gpuTest("checkBackward() of large tensors nudges some entries, always the same under a seed", async (device) => {
  using x = Tensor.random(device, [40, 50], "normal", new Random(1, "x"));
  const loss = () => mean(multiply(x, x));
  using gradient = device.tidy(() => scale(x, 2 / 2_000));
  const { waits } = device.stats;
  const report = await checkBackward(device, loss, { dX: [x, gradient] });
  assertEquals(device.stats.waits - waits, 2, "one for the tensors, one for all losses");
  assertMatch(
    `${report}`,
    /^dX {2}right {2}\[40, 50\], 128 of 2000 entries, drawn at random: off by up to \S+% of the largest entry$/,
  );
  const few = { entries: 5, seed: 3 };
  const again = await checkBackward(device, loss, { dX: [x, gradient] }, few);
  assertEquals([...again], [...await checkBackward(device, loss, { dX: [x, gradient] }, few)]);
  assertEquals([again[0].entries, again.ok], [5, true]);
});

gpuTest("checkBackward() leaves every tensor as it was, also where the loss throws", async (device) => {
  using x = Tensor.from(device, [0.1, -0, 3e-39]);
  using gradient = Tensor.from(device, [0, 0, 0]);
  const before = bits(await x.read());
  await checkBackward(device, () => mean(x), { dX: [x, gradient] });
  let calls = 0;
  const throws = () => {
    device.copy(x, gradient); // so that nothing is recorded
    if (++calls > 5) throw new RangeError("five is enough");
    return mean(x);
  };
  await assertRejects(() => checkBackward(device, throws, { dX: [x, gradient] }), RangeError, "five is enough");
  assertEquals(bits(await x.read()), before);
});

gpuTest("checkBackward() runs a loss that cannot be recorded, too", async (device) => {
  using x = Tensor.from(device, [1, 2, 3]);
  using copy = Tensor.zeros(device, [3]);
  using gradient = device.tidy(() => meanBackward(Tensor.from(device, 1), [3]));
  const loss = () => {
    device.copy(x, copy);
    return mean(copy);
  };
  const report = await checkBackward(device, loss, { dX: [x, gradient] });
  assert(report.ok, `${report}`);
});

gpuTest("checkBackward() has a sentence for what no factor explains", async (device) => {
  using x = Tensor.from(device, [[1, 2, 3]]);
  using other = Tensor.from(device, [1, 2]);
  using zeros = Tensor.zeros(device, [1, 3]);
  using odd = Tensor.from(device, [[NaN, 2, 3]]);
  using column = Tensor.zeros(device, [3, 1]);
  using long = Tensor.zeros(device, [4]);
  using large = Tensor.from(device, [[6, 12, 18]]);
  const loss = () => mean(multiply(x, x));
  const report = await checkBackward(device, loss, {
    zeros: [x, zeros],
    odd: [x, odd],
    column: [x, column],
    long: [x, long],
    large: [x, large],
    unused: [other, other],
  });
  const says = {
    zeros: /^every entry is 0: the gradient was never written$/,
    odd: /^your gradient is NaN there$/,
    column: /^the shape is \[3, 1\], but must be \[1, 3\], .*: it is transposed; call transpose\(column\)/,
    long: /^the shape is \[4\], but must be \[1, 3\], .*: was it summed over the wrong axis\?/,
    large: /^1\/n is missing: it is n = 9 times too large/,
    unused: /^nudging the tensor does not change the loss.* Or does a ReLU that is off stand between them/,
  };
  assertEquals(report.map(({ name, ok }) => [name, ok]), Object.keys(says).map((name) => [name, false]));
  for (const { name, cause } of report) assertMatch(cause!, says[name as keyof typeof says]);
  assertEquals([report[1].worst, report[2].entries], [[0, 0], 0]);
  assertEquals(Deno.inspect(report), `${report}`);
  assertMatch(`${report}`, /^column {2}WRONG {2}the shape is \[3, 1\]/m);
});

gpuTest("checkBackward() refuses what is no loss and no tensor, and says what to do", async (device) => {
  using x = Tensor.from(device, [1, 2]);
  using counts = Tensor.from(device, Uint32Array.of(1, 2));
  using gradient = Tensor.from(device, [0.5, 0.5]);
  using nothing = Tensor.from(device, [NaN, 1]);
  const { buffers } = device.stats;
  const given = { dX: [x, gradient] } as const;
  const bad = (value: unknown) => () => value as Tensor;
  let step = 0;
  const cases: [() => Tensor, Parameters<typeof checkBackward>[2], typeof Error, string][] = [
    [() => relu(x), given, TypeError, "the loss is a tensor [2], and must be one number; take mean() or sum() of it"],
    [bad(3), given, TypeError, "the loss function must return a tensor, and returned 3"],
    [bad(Promise.resolve(x)), given, TypeError, "and returned a promise: it must not be async"],
    [() => mean(nothing), given, RangeError, "the loss is NaN; scale the data, or use smaller weights"],
    [() => mean(x), { dX: [counts, gradient] }, TypeError, "the tensor of dX is u32, and only f32 has a gradient"],
    [() => mean(x), { dX: [x, 3 as unknown as Tensor] }, TypeError, "dX is no tensor; give { dW: [w, dW] }"],
    [
      () => {
        device.copy(x, gradient); // so that nothing is recorded
        return scale(mean(x), ++step);
      },
      given,
      RangeError,
      "though nothing had changed; it must not update a tensor or draw random numbers",
    ],
  ];
  for (const [loss, gradients, type, text] of cases) {
    await assertRejects(() => checkBackward(device, loss, gradients), type, text);
  }
  assertEquals(device.stats.buffers, buffers);
});

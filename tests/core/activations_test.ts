/** Leaky ReLU, tanh and GELU: by hand, at the ends of float32, and with planted bugs. */
import { assert, assertEquals } from "@std/assert";
import { GELU, type Layer, LeakyReLU, ReLU, Tanh } from "../../lib/core/layers.ts";
import * as ops from "../../lib/arithmetic/ops.ts";
import * as reference from "../../lib/reference/mod.ts";
import type { Matrix } from "../../lib/reference/mod.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { assertClose } from "../support/assert_close.ts";
import { compute, gpuTest, upload } from "../support/gpu_test_case.ts";
import { checkPlanted, type GpuBug, type TwinBug, withBug, wrongGradients } from "../support/planted.ts";

const SLOPE = 0.25;

gpuTest("leakyRelu(), tanh() and gelu() agree with values worked out by hand", async (device) => {
  const get = (...values: number[]) => Tensor.from(device, values);
  const exact: [string, () => Tensor, number[]][] = [
    ["leakyRelu", () => ops.leakyRelu(get(-2, 0, 3), { slope: SLOPE }), [-0.5, 0, 3]],
    ["leakyRelu's own slope", () => ops.leakyRelu(get(-100)), [-1]],
    ["leakyReluBackward", () => ops.leakyReluBackward(get(-2, 0, 3), get(4, 8, 5), { slope: SLOPE }), [1, 2, 5]],
    ["tanhBackward", () => ops.tanhBackward(get(0, 0.5, -1), get(3, 4, 5)), [3, 3, 0]],
    ["gelu", () => ops.gelu(get(0, 50)), [0, 50]],
    ["geluBackward", () => ops.geluBackward(get(0, 50, -50), get(4, 3, 3)), [2, 3, 0]],
  ];
  for (const [name, run, expected] of exact) assertEquals([name, ...await compute(device, run)], [name, ...expected]);
  assertClose(await compute(device, () => ops.tanh(get(Math.LN2, -Math.LN2))), [0.6, -0.6]);
  assertClose(await compute(device, () => ops.gelu(get(1, -1))), [0.841192, -0.158808]);
  assertClose(await compute(device, () => ops.geluBackward(get(1, -1), get(1, 1))), [1.082964, -0.082964]);
});

gpuTest("leakyRelu(), tanh() and gelu() agree with float64 from 1e-6 to 30, digit by digit", async (device) => {
  const sizes = Array.from({ length: 200 }, (_, i) => Math.fround(1e-6 * 3e7 ** (i / 199)));
  const x = new reference.Matrix(1, 400, sizes.flatMap((v) => [v, -v]));
  const ones = x.map(() => 1);
  const cases: [(x: Tensor) => Tensor, Matrix][] = [
    [(x) => ops.leakyRelu(x, { slope: SLOPE }), reference.leakyRelu(x, SLOPE)],
    [ops.tanh, reference.tanh(x)],
  ];
  for (const [run, expected] of cases) {
    assertClose(await compute(device, () => run(upload(device, x))), expected.data, { rtol: 4e-7, atol: 0 });
  }
  // Far below 0 GELU is x times a tiny number, whose logarithm is off by as many digits as it has.
  const gelu = await compute(device, () => ops.gelu(upload(device, x)));
  assertClose(gelu, reference.gelu(x).data, { rtol: 5e-7, atol: 1e-6 });
  const slopes = await compute(device, () => ops.geluBackward(upload(device, x), upload(device, ones)));
  assertClose(slopes, reference.geluBackward(x, ones).data, { rtol: 5e-7, atol: 1e-6 });
});

gpuTest("leakyRelu(), tanh() and gelu() pass NaN and infinities, and are finite for every number", async (device) => {
  const strange = [NaN, Infinity, -Infinity, 3e38, -3e38, 1e13, -1e13];
  using x = Tensor.from(device, strange);
  using ones = Tensor.from(device, strange.map(() => 1));
  const cases: [string, () => Tensor, number[]][] = [
    ["leakyRelu", () => ops.leakyRelu(x, { slope: 0.5 }), [NaN, Infinity, -Infinity, 3e38, -1.5e38, 1e13, -5e12]],
    ["leakyReluBackward", () => ops.leakyReluBackward(x, ones, { slope: 0.5 }), [1, 1, 0.5, 1, 0.5, 1, 0.5]],
    ["tanh", () => ops.tanh(x), [NaN, 1, -1, 1, -1, 1, -1]],
    ["tanhBackward", () => ops.tanhBackward(ops.tanh(x), ones), [NaN, 0, 0, 0, 0, 0, 0]],
    ["gelu", () => ops.gelu(x), [NaN, Infinity, 0, 3e38, 0, 1e13, 0]],
    ["geluBackward", () => ops.geluBackward(x, ones), [NaN, 1, 0, 1, 0, 1, 0]],
    ["leakyReluBackward dOut", () => ops.leakyReluBackward(ones, x), strange],
    ["tanhBackward dOut", () => ops.tanhBackward(ops.scale(ones, 0), x), strange],
    ["tanhBackward of 3e38", () => ops.tanhBackward(ops.tanh(x), ops.scale(ones, 3e38)), [NaN, 0, 0, 0, 0, 0, 0]],
    ["geluBackward dOut", () => ops.geluBackward(ops.scale(ones, 20), x), strange],
  ];
  for (const [name, run, expected] of cases) {
    // Sums with 0 make -0 and 0 the same.
    const actual = [...await compute(device, run)].map((v) => v + 0);
    assertEquals([name, ...actual], [name, ...expected.map(Math.fround)]);
  }
});

/** The backward of an operation, from the layer's input or its output, times a factor. */
function by(
  name: "reluBackward" | "leakyReluBackward" | "tanhBackward" | "sigmoidBackward" | "geluBackward",
  from: "x" | "y",
  factor = 1,
): [GpuBug, TwinBug] {
  return [
    (seen) => ops.scale(ops[name](seen[from], seen.dOut), factor),
    (seen) => reference[name](seen[from], seen.dOut.map((v) => factor * v)),
  ];
}

const leaky = () => new LeakyReLU({ slope: 0.2 });
const planted: [bug: string, make: () => Layer, bugs: [GpuBug, TwinBug]][] = [
  ["LeakyReLU as a ReLU", leaky, by("reluBackward", "x")],
  ["LeakyReLU with the usual slope instead of its own", leaky, by("leakyReluBackward", "x")],
  ["Tanh from its input, not from its output", () => new Tanh(), by("tanhBackward", "x")],
  ["Tanh with the sigmoid's slope", () => new Tanh(), by("sigmoidBackward", "y")],
  ["GELU with its sign flipped", () => new GELU(), by("geluBackward", "x", -1)],
  ["GELU by its gate alone, without the gate's slope", () => new GELU(), [
    ({ x, dOut }) => ops.multiply(dOut, ops.sigmoid(ops.scale(x, 1.702))),
    ({ x, dOut, y }) => dOut.map((v, i) => v * y.data[i] / x.data[i]),
  ]],
];

for (const [bug, make, [gpu, twin]] of planted) {
  gpuTest(`checkGradients() catches on either side: ${bug}`, async (device) => {
    for (const bugs of [{ gpu }, { twin }, { gpu, twin }]) {
      const [check] = await checkPlanted(device, [withBug(make(), bugs)]);
      assertEquals([check.name, check.ok], ["input", false]);
      assert("twin" in bugs || check.finiteDifference < 1e-7, `${check.finiteDifference}`);
    }
  });
}

gpuTest("checkGradients() passes the same layers without a bug", async (device) => {
  const sound = [
    [new ReLU(), by("reluBackward", "x")],
    [new Tanh(), by("tanhBackward", "y")],
    [new GELU(), by("geluBackward", "x")],
  ] as const;
  for (const [layer, [gpu, twin]] of sound) {
    assertEquals(await wrongGradients(device, [withBug(layer, { gpu, twin })]), []);
  }
});

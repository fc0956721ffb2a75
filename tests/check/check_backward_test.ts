import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type BackwardReport, checkBackward } from "../../lib/check/check_backward.ts";
import { bceWithLogits, mse, softmaxCrossEntropy } from "../../lib/core/losses.ts";
import {
  addBias,
  matmul,
  mean,
  meanBackward,
  multiply,
  relu,
  reluBackward,
  scale,
  sigmoid,
  sigmoidBackward,
  sum,
  tanh,
  tanhBackward,
} from "../../lib/core/ops.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { Random } from "../../lib/base/random.ts";
import type { Device } from "../../lib/gpu/device.ts";
import type { Shape } from "../../lib/base/shape.ts";
import { bits, gpuTest } from "../support/gpu_test_case.ts";

type Tensors = Record<string, Tensor>;

/** Bugs to plant. */
type Bug = "sign" | "two" | "mean" | "transposed" | "gate" | "axis" | "none";

/** What the cause must say. */
const SAYS: Record<Bug, RegExp> = {
  sign: /the sign is flipped/,
  two: /a factor of 2 is missing/,
  mean: /1\/n is missing/,
  transposed: /transposed/,
  gate: /gate of a ReLU/,
  axis: /wrong axis/,
  none: /never/,
};

/** A hidden layer with ReLU: z1 = x w1 + b1, a1 = relu(z1), z2 = a1 w2 + b2. */
class Network implements Disposable {
  readonly x: Tensor;
  readonly y: Tensor;
  readonly w1: Tensor;
  readonly b1: Tensor;
  readonly w2: Tensor;
  readonly b2: Tensor;
  readonly softmax: boolean;

  constructor(device: Device, [rows, inputs, hidden, outputs]: number[], softmax: boolean, seed = 1, bias = 0.3) {
    const random = new Random(seed, "network");
    const normal = (shape: Shape, size = 1) => Tensor.random(device, shape, { kind: "normal", scale: size }, random);
    this.softmax = softmax;
    this.x = normal([rows, inputs]);
    this.w1 = normal([inputs, hidden]);
    this.b1 = normal([hidden], bias);
    this.w2 = normal([hidden, outputs], 0.3);
    this.b2 = normal([outputs], bias);
    const hot = Array.from({ length: rows }, (_, row) => {
      return Array.from({ length: outputs }, (_, column) => softmax ? Number(row % outputs === column) : row - 2);
    });
    this.y = Tensor.from(device, hot, [rows, outputs]);
  }

  readonly loss = (): Tensor => {
    const z1 = addBias(matmul(this.x, this.w1), this.b1);
    const z2 = addBias(matmul(relu(z1), this.w2), this.b2);
    return (this.softmax ? softmaxCrossEntropy : mse).forward(z2, this.y);
  };

  /** Every line by hand, with a bug or none. */
  gradients(bug: Bug): Tensors {
    const { x, y, w1, b1, w2, b2 } = this;
    return x.device.tidy(() => {
      const z1 = addBias(matmul(x, w1), b1);
      const a1 = relu(z1);
      const z2 = addBias(matmul(a1, w2), b2);
      const exact = (this.softmax ? softmaxCrossEntropy : mse).backward(z2, y);
      const factor = { sign: -1, two: 0.5, mean: x.shape[0] };
      const dz2 = scale(exact, factor[bug as "sign"] ?? 1);
      const da1 = matmul(dz2, w2, { transposeB: true });
      const dz1 = bug === "gate" ? scale(da1, 1) : reluBackward(z1, da1);
      const dW1 = matmul(x, dz1, { transposeA: true });
      const dW2 = matmul(a1, dz2, { transposeA: true });
      const transpose = (t: Tensor) => matmul(t, Tensor.from(x.device, identity(t.shape[0])), { transposeA: true });
      return {
        dW1,
        db1: sum(dz1, 0),
        dW2: bug === "transposed" ? transpose(dW2) : dW2,
        db2: sum(dz2, bug === "axis" ? 1 : 0),
      };
    });
  }

  async check(bug: Bug): Promise<BackwardReport> {
    const { dW1, db1, dW2, db2 } = this.gradients(bug);
    const report = await checkBackward(this.x.device, this.loss, {
      dW1: [this.w1, dW1],
      db1: [this.b1, db1],
      dW2: [this.w2, dW2],
      db2: [this.b2, db2],
    });
    for (const tensor of [dW1, db1, dW2, db2]) tensor.dispose();
    return report;
  }

  [Symbol.dispose](): void {
    for (const tensor of [this.x, this.y, this.w1, this.b1, this.w2, this.b2]) tensor.dispose();
  }
}

function identity(size: number): number[][] {
  return Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => Number(i === j)));
}

const SHAPES: [shape: number[], softmax: boolean][] = [
  [[10, 1, 64, 1], false],
  [[3, 4, 3, 3], true],
  [[10, 2, 7, 3], true],
];

gpuTest("checkBackward() finds a right gradient right, under many seeds, with biases of 0 too", async (device) => {
  for (let seed = 0; seed < 8; seed++) {
    for (const [shape, softmax] of SHAPES) {
      for (const bias of [0, 0.3]) {
        using network = new Network(device, shape, softmax, seed, bias);
        const report = await network.check("none");
        assert(report.ok, `${shape}, seed ${seed}, bias ${bias}:\n${report}`);
      }
    }
  }
});

gpuTest("checkBackward() names each of six planted bugs in every gradient that it spoils", async (device) => {
  const spoiled: Record<Bug, string[]> = {
    sign: ["dW1", "db1", "dW2", "db2"],
    two: ["dW1", "db1", "dW2", "db2"],
    mean: ["dW1", "db1", "dW2", "db2"],
    transposed: ["dW2"],
    gate: ["dW1", "db1"],
    axis: ["db2"],
    none: [],
  };
  for (const [shape, softmax] of SHAPES) {
    for (let seed = 0; seed < 3; seed++) {
      using network = new Network(device, shape, softmax, seed);
      for (const bug of Object.keys(SAYS) as Bug[]) {
        const report = await network.check(bug);
        const text = `${bug} in ${shape}, seed ${seed}:\n${report}`;
        assertEquals(report.filter(({ ok }) => !ok).map(({ name }) => name), spoiled[bug], text);
        for (const { ok, cause = "" } of report) assert(ok || SAYS[bug].test(cause), text);
      }
    }
  }
});

gpuTest("checkBackward() finds and names a single wrong entry", async (device) => {
  using network = new Network(device, [10, 1, 64, 1], false);
  const right = network.gradients("none");
  for (const [name, tensor] of [["dW1", network.w1], ["db1", network.b1]] as const) {
    const values = await right[name].read();
    const entry = values.findIndex((value) => Math.abs(value) > 1);
    const wrong = values.with(entry, values[entry] * 1.02);
    right[name].write(wrong);
    const report = await checkBackward(device, network.loss, { [name]: [tensor, right[name]] });
    const [{ ok, wrong: count, worst, yours, nudged, cause }] = report;
    assertEquals([ok, count, worst.at(-1), yours], [false, 1, entry, wrong[entry]], `${report}`);
    assert(Math.abs(nudged / values[entry] - 1) < 1e-3, `${report}`);
    assertMatch(cause!, /the other entries are right/);
    assertMatch(`${report}`, new RegExp(`WRONG .* 64 entries, 1 wrong[^]*furthest off at \\[(0, )?${entry}\\]: yours`));
  }
  for (const tensor of Object.values(right)) tensor.dispose();
});

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
    /^dX {2}right {2}\[40, 50\], 128 of 2000 entries, drawn at random: largest relative difference/,
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
    unused: /^nudging the tensor does not change the loss/,
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

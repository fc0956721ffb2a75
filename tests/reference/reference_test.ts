/** The oracle itself, held to values worked out by hand: it must not lean on what it judges. */
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import * as reference from "../../lib/reference/mod.ts";
import { Matrix } from "../../lib/reference/mod.ts";
import { assertClose } from "../support/assert_close.ts";

const of = (...rows: number[][]) => new Matrix(rows.length, rows[0].length, rows.flat());

Deno.test("Matrix holds as many numbers as it has places", () => {
  assertEquals([...new Matrix(2, 2).data], [0, 0, 0, 0]);
  assertEquals(of([1, 2], [3, 4]).map((value, i) => 10 * value + i), of([10, 21], [32, 43]));
  assertThrows(() => new Matrix(2, 2, [1, 2, 3]), TypeError, "Cannot make a [2, 2] matrix of 3 numbers");
});

Deno.test("matmul() and transpose() agree with values worked out by hand", () => {
  const a = of([1, 2, 3], [4, 5, 6]);
  const b = of([7, 8], [9, 10], [11, 12]);
  assertEquals(reference.matmul(a, b), of([58, 64], [139, 154]));
  assertEquals(reference.matmul(a, a, false, true), of([14, 32], [32, 77]));
  assertEquals(reference.matmul(a, a, true), of([17, 22, 27], [22, 29, 36], [27, 36, 45]));
  assertEquals(reference.matmul(b, a, true, true), of([58, 139], [64, 154]));
  assertEquals(reference.transpose(a), of([1, 4], [2, 5], [3, 6]));
  assertThrows(() => reference.matmul(a, a), TypeError, "Cannot multiply [2, 3] by [2, 3]");
});

Deno.test("elementwise operations agree with values worked out by hand", () => {
  const x = of([-1, 0, 2], [NaN, 0.5, -3]);
  assertEquals(reference.relu(x), of([0, 0, 2], [NaN, 0.5, 0]));
  assertEquals(reference.reluBackward(x, of([1, 2, 3], [4, 5, 6])), of([0, 0, 3], [4, 5, 0]));
  assertEquals(reference.addBias(x, of([1, 2, 3])), of([0, 2, 5], [NaN, 2.5, 0]));
  assertEquals(reference.columnSums(of([1, 2], [3, 4], [5, 6])), of([9, 12]));
  assertClose(reference.sigmoid(of([0, Math.log(3), -Math.log(3)])).data, [0.5, 0.75, 0.25], { atol: 1e-15 });
  assertEquals(reference.sigmoidBackward(of([0.5, 0.25]), of([4, 16])), of([1, 3]));
});

Deno.test("leakyRelu(), tanh() and gelu() agree with values worked out by hand", () => {
  const x = of([-2, 0, 3], [NaN, 0.5, -4]);
  const dOut = of([1, 2, 3], [4, 5, 6]);
  assertEquals(reference.leakyRelu(x, 0.25), of([-0.5, 0, 3], [NaN, 0.5, -1]));
  assertEquals(reference.leakyReluBackward(x, dOut, 0.25), of([0.25, 0.5, 3], [4, 5, 1.5]));
  // tanh(log 2) is (4 - 1) / (4 + 1).
  assertClose(reference.tanh(of([0, Math.LN2, -Math.LN2])).data, [0, 0.6, -0.6], { atol: 1e-15 });
  assertClose(reference.tanhBackward(of([0, 0.6, -0.6]), of([2, 3, 100])).data, [2, 1.92, 64], {
    rtol: 1e-15,
    atol: 0,
  });
  // Values of the paper's formula by a pocket calculator: u is 0.8335 at 1, its tangent 0.682384.
  assertClose(reference.gelu(of([0, 1, -1, 50, -50])).data, [0, 0.841192, -0.158808, 50, 0], { atol: 1e-6 });
  const gradient = reference.geluBackward(of([0, 1, -1, 50, -50]), of([2, 1, 1, 3, 3])).data;
  assertClose(gradient, [1, 1.082964, -0.082964, 3, 0], { atol: 1e-6 });
  assertEquals(reference.gelu(of([Infinity, -Infinity, NaN])), of([Infinity, 0, NaN]));
  assertEquals(reference.geluBackward(of([1e200, -1e200, NaN]), of([1, 1, 1])), of([1, 0, NaN]));
});

Deno.test("losses and their gradients agree with values worked out by hand", () => {
  const { referenceMse: mse, referenceBce: bce } = reference;
  assertEquals(mse.forward(of([1, 2], [3, 4]), of([1, 0], [0, 4])), 13 / 4);
  assertEquals(mse.backward(of([1, 2], [3, 4]), of([1, 0], [0, 4])), of([0, 1], [1.5, 0]));
  assertAlmostEquals(bce.forward(of([0], [Math.log(3)]), of([1], [0])), 1.5 * Math.LN2, 1e-15);
  assertClose(bce.backward(of([0], [Math.log(3)]), of([1], [0])).data, [-0.25, 0.375], { atol: 1e-15 });
  assertEquals(bce.forward(of([1e300], [-1e300]), of([1], [0])), 0);
});

Deno.test("mae, huber and weighted losses agree with values worked out by hand", () => {
  const p = of([1, 2], [3, 4.5]);
  const t = of([1, 0], [6, 5]); // errors 0, 2, -3, -0.5
  const { referenceMae: mae } = reference;
  const huber = reference.referenceHuber(1);
  const wide = reference.referenceHuber(2.5);
  assertEquals([mae.forward(p, t), mae.backward(p, t)], [5.5 / 4, of([0, 0.25], [-0.25, -0.25])]);
  assertEquals([mae.distanceToKink!(p, t), mae.distanceToKink!(of([3]), of([1]))], [0, 2]);
  assertEquals([huber.forward(p, t), huber.backward(p, t)], [4.125 / 4, of([0, 0.25], [-0.25, -0.125])]);
  assertEquals([wide.forward(p, t), wide.backward(p, t)], [(2 + 4.375 + 0.125) / 4, of([0, 0.5], [-0.625, -0.125])]);
  const bce = reference.referenceWeightedBce([2, 5]);
  const z = of([0], [Math.log(3)]);
  const hot = of([1], [0]);
  assertAlmostEquals(bce.forward(z, hot), (5 * Math.LN2 + 2 * Math.log(4)) / 2, 1e-14);
  assertClose(bce.backward(z, hot).data, [-1.25, 0.75], { atol: 1e-15 });
  const softmax = reference.referenceWeightedSoftmax([2, 6]);
  const logits = of([0, Math.log(3)], [5, 5]);
  const target = of([1, 0], [0.5, 0.5]);
  assertAlmostEquals(softmax.forward(logits, target), 4 * Math.LN2, 1e-14);
  assertClose(softmax.backward(logits, target).data, [-0.75, 0.75, 0.5, -0.5], { atol: 1e-14 });
});

Deno.test("softmax and its cross-entropy agree with values worked out by hand", () => {
  const { referenceSoftmaxCrossEntropy: loss } = reference;
  const z = of([0, Math.log(3)], [1e300, 1e300]);
  assertClose(reference.softmax(z).data, [0.25, 0.75, 0.5, 0.5], { atol: 1e-15 });
  assertClose(reference.logSoftmax(z).data, [0.25, 0.75, 0.5, 0.5].map(Math.log), { atol: 1e-15 });
  // The second row's target sums to 2: its gradient is 2 * 0.5 - t.
  const target = of([1, 0], [0.5, 1.5]);
  assertAlmostEquals(loss.forward(z, target), (Math.log(4) + 2 * Math.LN2) / 2, 1e-15);
  assertClose(loss.backward(z, target).data, [-0.375, 0.375, 0.25, -0.25], { atol: 1e-15 });
});

Deno.test("optimizers agree with steps worked out by hand", () => {
  const run = (update: reference.ReferenceOptimizer, ...gradients: number[]) => {
    const w = Float64Array.of(1);
    return gradients.map((g) => (update(w, Float64Array.of(g)), w[0]));
  };
  assertClose(run(reference.referenceSgd(0.1), 1, -2), [0.9, 1.1], { atol: 1e-15 });
  // Velocities 1, then 0.5 - 2.
  assertClose(run(reference.referenceMomentum(0.1, { momentum: 0.5 }), 1, -2), [0.9, 1.05], { atol: 1e-15 });
  // The gradient and half the velocity: 1 + 0.5, then -2 - 0.75.
  assertClose(run(reference.referenceNesterov(0.1, { momentum: 0.5 }), 1, -2), [0.85, 1.125], { atol: 1e-15 });
  // Means of squares 0.25, then 0.75 * 0.25 + 0.25 * 4.
  const rms = run(reference.referenceRmsProp(0.1, { decay: 0.75, epsilon: 0.5 }), 1, -2);
  assertClose(rms, [0.9, 0.9 + 0.2 / (Math.sqrt(1.1875) + 0.5)], { atol: 1e-15 });
  // Means 0.5 / 0.5, then (0.25 - 1) / 0.75; squares 0.25 / 0.25, then (0.75 * 0.25 + 1) / (1 - 0.75 ** 2).
  const second = 0.9 - 0.1 * (-0.75 / 0.75) / Math.sqrt(1.1875 / 0.4375);
  assertClose(run(reference.referenceAdam(0.1, { beta1: 0.5, beta2: 0.75, epsilon: 0 }), 1, -2), [0.9, second], {
    atol: 1e-15,
  });
  // The decay adds to the gradient, but in AdamW, where a gradient of 0 leaves it alone at work.
  const weightDecay = 0.5;
  assertClose(run(reference.referenceSgd(0.1, { weightDecay }), 1, -2), [0.85, 1.0075], { atol: 1e-15 });
  assertClose(run(reference.referenceMomentum(0.1, { weightDecay }), 0), [0.95], { atol: 1e-15 });
  assertClose(run(reference.referenceNesterov(0.1, { weightDecay }), 0), [1 - 0.1 * 0.95], { atol: 1e-15 });
  assertClose(run(reference.referenceRmsProp(0.1, { weightDecay, epsilon: 0 }), 0), [0], { atol: 1e-15 });
  assertClose(run(reference.referenceAdam(0.1, { weightDecay, epsilon: 0 }), 0), [0.9], { atol: 1e-15 });
  assertClose(run(reference.referenceAdamW(0.1, { weightDecay }), 0, 0), [0.95, 0.9025], { atol: 1e-15 });
  // Rates by step, and a norm of 5.
  assertClose(run(reference.referenceSgd((step) => step + 1), 1, 1), [0, -2], { atol: 1e-15 });
  const g = Float64Array.of(3, -4);
  assertEquals([reference.referenceClip(g, 2.5), ...g], [5, 1.5, -2]);
});

Deno.test("ReferenceLinear agrees with values worked out by hand", () => {
  const layer = new reference.ReferenceLinear(2, 3);
  layer.parameters[0].data.set([1, 2, 3, 4, 5, 6]);
  layer.parameters[1].data.set([10, 20, 30]);
  assertEquals(layer.forward(of([1, 0], [2, -1])), of([11, 22, 33], [8, 19, 30]));
  assertEquals(layer.backward(of([1, 0, 2], [0, 3, -1])), of([7, 16], [3, 9]));
  assertEquals(layer.gradients, [of([1, 6, 0], [0, -3, 1]), of([1, 3, 1])]);
});

Deno.test("ReferenceReLU and ReferenceLeakyReLU know how close their inputs came to the kink", () => {
  assertEquals(new reference.ReferenceReLU().distanceToKink, Infinity);
  for (
    const [layer, slope] of [[new reference.ReferenceReLU(), 0], [new reference.ReferenceLeakyReLU(0.5), 0.5]] as const
  ) {
    layer.forward(of([3, -0.25, 1]));
    assertEquals([layer.distanceToKink, layer.backward(of([1, 2, 3]))], [0.25, of([1, 2 * slope, 3])]);
  }
});

Deno.test("ReferenceModel runs its layers forward and back", () => {
  const first = new reference.ReferenceLinear(1, 1);
  const second = new reference.ReferenceLinear(1, 1);
  const model = new reference.ReferenceModel(
    [first, new reference.ReferenceReLU(), second, new reference.ReferenceSigmoid()],
    reference.referenceMse,
  );
  first.parameters[0].data[0] = 0.5;
  second.parameters[0].data[0] = 2;
  // z = 2 * relu(0.5 * 1) = 1; the sigmoid's slope is s (1 - s).
  const s = 1 / (1 + Math.exp(-1));
  const slope = 2 * s * s * (1 - s);
  const { loss, dX } = model.backward(of([1]), of([0]));
  assertAlmostEquals(loss, s * s, 1e-15);
  const gradients = [dX, ...model.gradients].flatMap(({ data }) => [...data]);
  assertClose(gradients, [slope, 2 * slope, 2 * slope, 0.5 * slope, slope], { atol: 1e-15 });
  assertEquals(model.parameters.length, 4);
});

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Linear } from "../../lib/core/layers.ts";
import {
  balancedWeights,
  bceWithLogits,
  huber,
  type Loss,
  mae,
  softmaxCrossEntropy,
  weightedBceWithLogits,
  weightedSoftmaxCrossEntropy,
} from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { scale } from "../../lib/core/ops.ts";
import { Sgd } from "../../lib/core/optimizers.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { Trainer } from "../../lib/training/trainer.ts";
import { planWholeStep } from "../../lib/training/whole_step.ts";
import { assertClose } from "../support/assert_close.ts";
import { compute, gpuTest } from "../support/gpu_test_case.ts";
import { checkPlanted, wrongGradients } from "../support/planted.ts";

gpuTest("a class of weight 2 counts as one that is there twice", async (device) => {
  const once = { z: [[1, -2], [0.5, 3]], t: [[1, 0], [0, 1]] };
  const twice = { z: [...once.z, once.z[1]], t: [...once.t, once.t[1]] };
  const valueOf = (loss: Loss, { z, t }: typeof once) =>
    compute(device, () => loss.forward(Tensor.from(device, z), Tensor.from(device, t)));
  const [weighted] = await valueOf(weightedSoftmaxCrossEntropy([1, 2]), once);
  const [repeated] = await valueOf(softmaxCrossEntropy, twice);
  assertClose([2 * weighted], [3 * repeated]); // sums, each a mean times its rows
});

gpuTest("weights that are none, or not as many as classes, are refused", (device) => {
  using t = Tensor.zeros(device, [4, 3]);
  using flat = Tensor.zeros(device, [2]);
  const loss = weightedSoftmaxCrossEntropy([1, 2]);
  for (const method of [loss.forward, loss.backward, loss.forwardBackward]) {
    const text = "Cannot weigh a target [4, 3] by 2 weights: need one a class";
    assertThrows(() => method(t, t), TypeError, text);
    assertThrows(() => method(flat, flat), TypeError, "Cannot weigh a target [2] by 2 weights: need one a class");
  }
  for (const wrong of [-1, NaN, Infinity]) {
    const text = `Cannot weigh a class by ${wrong}: need a finite number from 0 on`;
    assertThrows(() => weightedSoftmaxCrossEntropy([1, wrong]), RangeError, text);
    assertThrows(() => weightedBceWithLogits([wrong, 1]), RangeError, text);
  }
  const three = [1, 2, 3] as unknown as [number, number];
  assertThrows(() => weightedBceWithLogits(three), TypeError, "Cannot weigh two classes by 3 weights");
});

Deno.test("balancedWeights() give every class the same share, and leave the rows their mean of 1", () => {
  assertEquals(balancedWeights([90, 10]), [100 / 180, 5]);
  assertEquals(balancedWeights([4, 4, 4]), [1, 1, 1]);
  assertEquals(balancedWeights([3, 0, 1]), [4 / 6, 1, 2]);
  assertThrows(() => balancedWeights([1, -1]), RangeError, "Cannot weigh a class of -1 rows");
  assertThrows(() => balancedWeights([1.5]), RangeError, "Cannot weigh a class of 1.5 rows");
});

gpuTest("planWholeStep() leaves the losses that its kernel does not know to the plain operations", (device) => {
  using model = new Model(device, [new Linear(2, 2)]);
  const batch = { rows: 4, inputs: 2, outputs: 2 };
  assert(planWholeStep(model, bceWithLogits, batch));
  for (const loss of [mae, huber, weightedBceWithLogits([1, 2]), weightedSoftmaxCrossEntropy([1, 2])]) {
    assertEquals(planWholeStep(model, loss, batch), undefined);
  }
});

gpuTest("epochs() with a weighted loss move the border towards the frequent class", async (device) => {
  // Nine rows of class 0 to one of class 1, all alike in x: the logit goes to the logarithm of the weighted odds.
  const classes = Array.from({ length: 40 }, (_, i) => i % 10 === 0 ? 1 : 0);
  using x = Tensor.zeros(device, [40, 1]);
  using y = Tensor.from(device, Float32Array.from(classes.flatMap((c) => [1 - c, c])), [40, 2]);
  using hot = Tensor.from(device, Float32Array.from(classes), [40, 1]);
  const weights = balancedWeights([36, 4]);
  const oddsOf = async (loss: Loss, target: Tensor) => {
    using model = new Model(device, [new Linear(1, target.shape[1])]);
    using optimizer = new Sgd(model, 1);
    using trainer = new Trainer({ model, loss, optimizer, x, y: target, batchSize: 40, seed: 1 });
    await Array.fromAsync(trainer.epochs(400));
    const bias = (await model.read())["0.bias"];
    return bias.length === 1 ? bias[0] : bias[1] - bias[0];
  };
  assertClose([await oddsOf(softmaxCrossEntropy, y)], [-Math.log(9)], { atol: 0.01 });
  assertClose([await oddsOf(weightedSoftmaxCrossEntropy(weights), y)], [0], { atol: 0.01 });
  assertClose([await oddsOf(weightedBceWithLogits([weights[0], weights[1]]), hot)], [0], { atol: 0.01 });
});

const scaledBack = (loss: Loss, factor: number): Loss => ({
  ...loss,
  backward: (p, t) => scale(loss.backward(p, t), factor),
});
const spoiltTwin = (loss: Loss, factor: number): Loss => ({
  ...loss,
  reference: { ...loss.reference, backward: (p, t) => loss.reference.backward(p, t).map((v) => factor * v) },
});
const fusedFrom = (loss: Loss, fused: Loss): Loss => ({ ...loss, forwardBackward: fused.forwardBackward });
const gradientOf = (loss: Loss, { backward }: Loss): Loss => ({ ...loss, backward });
const twinOf = (loss: Loss, { reference: { backward } }: Loss): Loss => ({
  ...loss,
  reference: { ...loss.reference, backward },
});
const weighted = weightedSoftmaxCrossEntropy([0.5, 1, 2, 4]);
const bce = weightedBceWithLogits([0.5, 3]);

const planted: [bug: string, loss: Loss][] = [
  ["mae with its sign flipped", scaledBack(mae, -1)],
  ["mae without 1 / n, in float64", spoiltTwin(mae, 28)],
  ["mae with huber's fused pass", fusedFrom(mae, huber)],
  ["huber twice too steep", scaledBack(huber, 2)],
  ["huber with its sign flipped, in float64", spoiltTwin(huber, -1)],
  ["huber with the gradient of mae", gradientOf(huber, mae)],
  ["huber with mae's fused pass", fusedFrom(huber, mae)],
  ["weighted bce without weights", gradientOf(bce, bceWithLogits)],
  ["weighted bce with its weights exchanged", gradientOf(bce, weightedBceWithLogits([3, 0.5]))],
  ["weighted bce, fused without weights", fusedFrom(bce, bceWithLogits)],
  ["weighted bce without weights, in float64", twinOf(bce, bceWithLogits)],
  ["weighted softmax without weights", gradientOf(weighted, softmaxCrossEntropy)],
  ["weighted softmax, fused without weights", fusedFrom(weighted, softmaxCrossEntropy)],
  ["weighted softmax without weights, in float64", twinOf(weighted, softmaxCrossEntropy)],
];

for (const [bug, loss] of planted) {
  gpuTest(`checkGradients() catches: ${bug}`, async (device) => {
    assertEquals(await wrongGradients(device, [], loss), ["input"]);
  });
}

gpuTest("checkGradients() passes these losses without a bug", async (device) => {
  for (const loss of [scaledBack(mae, 1), spoiltTwin(huber, 1), fusedFrom(bce, bce), weighted]) {
    assertEquals(await wrongGradients(device, [], loss), []);
  }
});

gpuTest("checkGradients() keeps clear of the kink of mae", async (device) => {
  // Targets that are never further than 1e-5 from the prediction would leave no draw.
  const { reference } = mae;
  const close: Loss = { ...mae, reference: { ...reference, distanceToKink: () => 1e-5 } };
  await assertRejects(
    () => checkPlanted(device, [], close),
    RangeError,
    "Cannot check gradients: every draw came too close to a kink; try smaller hidden layers",
  );
});

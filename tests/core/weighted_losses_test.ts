import { assertEquals, assertRejects, assertThrows } from "@std/assert";
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
import { scale } from "../../lib/arithmetic/ops.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { assertClose } from "../support/assert_close.ts";
import { gpuTest } from "../support/gpu_test_case.ts";
import { checkPlanted, wrongGradients } from "../support/planted.ts";
import { smallTraining } from "../support/small_training.ts";

gpuTest("weights that are none, or not as many as classes, are refused", (device) => {
  using t = Tensor.zeros(device, [4, 3]);
  using flat = Tensor.zeros(device, [2]);
  const loss = weightedSoftmaxCrossEntropy([1, 2]);
  for (const method of [loss.forward, loss.backward, loss.forwardBackward]) {
    for (const wrong of [t, flat]) {
      const text = `Cannot weigh a target [${wrong.shape.join(", ")}] by 2 weights: need one a class`;
      assertThrows(() => method(wrong, wrong), TypeError, text);
    }
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

gpuTest("epochs() with a weighted loss move the border towards the frequent class", async (device) => {
  // Nine rows of class 0 to one of class 1, all alike in x: the logit goes to the logarithm of the weighted odds.
  const classes = Array.from({ length: 40 }, (_, i) => i % 10 === 0 ? 1 : 0);
  using x = Tensor.zeros(device, [40, 1]);
  using both = Tensor.from(device, classes.map((c) => [1 - c, c]));
  using hot = Tensor.from(device, classes.map((c) => [c]));
  const weights = balancedWeights([36, 4]);
  const oddsOf = async (loss: Loss, y: Tensor) => {
    const layers = [new Linear(1, y.shape[1])];
    using setup = smallTraining(device, { layers, loss, learningRate: 1, x, y, batchSize: 40 });
    await Array.fromAsync(setup.trainer.epochs(400));
    const { "0.bias": bias } = await setup.model.read();
    return bias.length === 1 ? bias[0] : bias[1] - bias[0];
  };
  assertClose([await oddsOf(softmaxCrossEntropy, both)], [-Math.log(9)], { atol: 0.01 });
  assertClose([await oddsOf(weightedSoftmaxCrossEntropy(weights), both)], [0], { atol: 0.01 });
  assertClose([await oddsOf(weightedBceWithLogits([weights[0], weights[1]]), hot)], [0], { atol: 0.01 });
});

const gradientOf = (loss: Loss, { backward }: Pick<Loss, "backward">): Loss => ({ ...loss, backward });
const scaledBack = (loss: Loss, factor: number): Loss =>
  gradientOf(loss, { backward: (p, t) => scale(loss.backward(p, t), factor) });
const twinOf = (loss: Loss, { backward }: Pick<Loss["reference"], "backward">): Loss => ({
  ...loss,
  reference: { ...loss.reference, backward },
});
const spoiltTwin = (loss: Loss, factor: number): Loss =>
  twinOf(loss, { backward: (p, t) => loss.reference.backward(p, t).map((v) => factor * v) });
const fusedFrom = (loss: Loss, { forwardBackward }: Loss): Loss => ({ ...loss, forwardBackward });
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
  ["weighted bce without weights, in float64", twinOf(bce, bceWithLogits.reference)],
  ["weighted softmax without weights", gradientOf(weighted, softmaxCrossEntropy)],
  ["weighted softmax, fused without weights", fusedFrom(weighted, softmaxCrossEntropy)],
  ["weighted softmax without weights, in float64", twinOf(weighted, softmaxCrossEntropy.reference)],
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
  const text = "Cannot check gradients: every draw came too close to a kink; try smaller hidden layers";
  await assertRejects(() => checkPlanted(device, [], close), RangeError, text);
});

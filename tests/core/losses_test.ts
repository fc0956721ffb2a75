import { assertEquals, assertThrows } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import {
  bceWithLogits,
  huber,
  huberLoss,
  type Loss,
  mae,
  mse,
  softmaxCrossEntropy,
  weightedBceWithLogits,
  weightedSoftmaxCrossEntropy,
} from "../../lib/core/losses.ts";
import { Matrix } from "../../lib/reference/mod.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { assertClose, type Tolerance } from "../support/assert_close.ts";
import { bits, compute, gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";

const LOSSES = [mse, mae, huber, huberLoss(0.3), bceWithLogits, weightedBceWithLogits([0.25, 3]), softmaxCrossEntropy];

/** The two ways to a loss and its gradient: one by one, and in one pass. */
function waysOf(loss: Loss): Pick<Loss, "forward" | "backward">[] {
  const forward: Loss["forward"] = (p, t) => loss.forwardBackward(p, t).loss;
  const backward: Loss["backward"] = (p, t) => loss.forwardBackward(p, t).dPrediction;
  return [loss, { forward, backward }];
}

/** Holds both ways to a value and a gradient. */
async function assertLoss(
  loss: Loss,
  [prediction, target]: readonly [Tensor, Tensor],
  value: number,
  gradient: ArrayLike<number>,
  tolerance: Tolerance = {},
): Promise<void> {
  for (const { forward, backward } of waysOf(loss)) {
    assertClose(await compute(prediction.device, () => forward(prediction, target)), [value], { atol: 1e-7 });
    assertClose(await compute(prediction.device, () => backward(prediction, target)), gradient, tolerance);
  }
}

/** Holds both ways to the float64 twin, with targets from 0 to 1 whose rows have any sum. */
async function assertTwin(device: Device, loss: Loss, rows: number, columns: number): Promise<void> {
  const prediction = randomMatrix(rows, columns, 1);
  const target = randomMatrix(rows, columns, 2).map((v) => Math.fround(1 / (1 + Math.exp(-v))));
  using p = upload(device, prediction);
  using t = upload(device, target);
  const { reference } = loss;
  // The sums of long rows are rounded more often.
  const atol = Math.min(columns < 64 ? 1e-7 : 1e-6, 1e-6 / (loss.kind === "softmax" ? rows : rows * columns));
  const gradient = reference.backward(prediction, target).data;
  await assertLoss(loss, [p, t], reference.forward(prediction, target), gradient, { rtol: 1e-5, atol });
}

gpuTest("losses agree with values worked out by hand", async (device) => {
  const p = [[1, 2], [3.5, 4], [5, 6]];
  const t = [[1, 0], [0, 4.5], [8, 5]]; // errors 0, 2, 3.5, -0.5, -3, 1; no slope where there is none
  const odds = [[0, Math.log(3)], [5, 5]]; // probabilities 1/4, 3/4 and 1/2, 1/2
  const cases: [Loss, number[][], number[][], value: number, gradient: number[]][] = [
    [mse, p, t, (4 + 12.25 + 0.25 + 9 + 1) / 6, [0, 4, 7, -1, -6, 2].map((v) => v / 6)],
    [mae, p, t, 10 / 6, [0, 1, 1, -1, -1, 1].map((v) => v / 6)],
    [huber, p, t, (1.5 + 3 + 0.125 + 2.5 + 0.5) / 6, [0, 1, 1, -0.5, -1, 1].map((v) => v / 6)],
    [huberLoss(2), p, t, (2 + 5 + 0.125 + 4 + 0.5) / 6, [0, 2, 2, -0.5, -2, 1].map((v) => v / 6)],
    // Probabilities 1/2 and 3/4: the mean of log 2 and log 4.
    [bceWithLogits, [[0], [Math.log(3)]], [[1], [0]], 1.5 * Math.LN2, [-0.25, 0.375]],
    // Probabilities 1/2, 3/4, 1/2; weights 2 for class 0 and 5 for class 1.
    [
      weightedBceWithLogits([2, 5]),
      [[0], [Math.log(3)], [0]],
      [[1], [0], [0.5]],
      (5 * Math.LN2 + 2 * Math.log(4) + 3.5 * Math.LN2) / 3,
      [-2.5 / 3, 1.5 / 3, -0.75 / 3],
    ],
    // The second row's target sums to 2. A mean over the two rows.
    [softmaxCrossEntropy, odds, [[1, 0], [0.5, 1.5]], 2 * Math.LN2, [-0.75, 0.75, 0.5, -0.5].map((v) => v / 2)],
    // The weighted targets are 2, 0 and 1, 3.
    [weightedSoftmaxCrossEntropy([2, 6]), odds, [[1, 0], [0.5, 0.5]], 4 * Math.LN2, [-0.75, 0.75, 0.5, -0.5]],
  ];
  for (const [loss, p, t, value, gradient] of cases) {
    using prediction = Tensor.from(device, p);
    using target = Tensor.from(device, t);
    await assertLoss(loss, [prediction, target], value, gradient, { rtol: 1e-5, atol: 1e-7 });
  }
  for (const delta of [0, -1, NaN, Infinity]) {
    const text = `Cannot make a Huber loss of delta ${delta}: need a finite number over 0`;
    assertThrows(() => huberLoss(delta), RangeError, text);
  }
});

gpuTest("mae and huber hold for errors of any size", async (device) => {
  using prediction = Tensor.from(device, [[3e38, -3e38, 1e-30, Infinity]]);
  using target = Tensor.from(device, [[0, 0, 0, 0]]);
  for (const { forward, backward } of [...waysOf(mae), ...waysOf(huber)]) {
    assertEquals([...await compute(device, () => forward(prediction, target))], [Infinity]);
    const gradient = await compute(device, () => backward(prediction, target));
    assertEquals([gradient[0], gradient[1], gradient[3]], [0.25, -0.25, 0.25]);
  }
  using one = Tensor.from(device, [[1e30]]);
  await assertLoss(mae, [one, target.view(0, [1, 1])], 1e30, [1]);
  await assertLoss(huber, [one, target.view(0, [1, 1])], 1e30, [1]);
});

gpuTest("losses agree with their float64 twins on odd shapes, weights of 1 with the plain ones", async (device) => {
  const shapes = [[1, 1], [5, 7], [63, 1], [64, 1], [65, 1], [1, 65], [65, 64], [130, 3], [1_030, 3], [1_500, 3]];
  for (const [rows, columns] of shapes) {
    const weights = Array.from({ length: columns }, (_, i) => 0.25 + i);
    for (const loss of LOSSES) await assertTwin(device, loss, rows, columns);
    if (columns > 7) continue;
    for (const loss of [weightedSoftmaxCrossEntropy(weights), weightedBceWithLogits([0.5, 4])]) {
      await assertTwin(device, loss, rows, columns);
    }
    const plain: [Loss, Loss][] = [
      [weightedBceWithLogits([1, 1]), bceWithLogits],
      [weightedSoftmaxCrossEntropy(weights.map(() => 1)), softmaxCrossEntropy],
    ];
    const z = randomMatrix(rows, columns, 1);
    const t = z.map((_, i) => [1, 0, 0.25][i % 3]);
    for (const [weighted, { reference }] of plain) {
      await assertTwin(device, { ...weighted, reference }, rows, columns);
      assertClose([weighted.reference.forward(z, t)], [reference.forward(z, t)], { rtol: 1e-12 });
    }
  }
});

gpuTest("forwardBackward() takes one dispatch up to 4,096 elements, and is right beyond them", async (device) => {
  const dispatchesOf = (body: () => void): number => {
    const { dispatches } = device.stats;
    device.tidy(() => void body());
    return device.stats.dispatches - dispatches;
  };
  for (const loss of LOSSES) {
    for (const [rows, columns] of [[4_096, 1], [1, 4_096], [512, 8], [4_097, 1], [1, 4_097]]) {
      await assertTwin(device, loss, rows, columns);
      using x = Tensor.zeros(device, [rows, columns]);
      const fused = dispatchesOf(() => loss.forwardBackward(x, x));
      const plain = dispatchesOf(() => [loss.forward(x, x), loss.backward(x, x)]);
      assertEquals(fused, rows * columns > 4_096 ? plain : 1, `${loss.kind} of [${rows}, ${columns}]`);
    }
  }
});

gpuTest("forwardBackward() gives the same bits each time, a scalar and the prediction's shape", async (device) => {
  for (const loss of LOSSES) {
    using p = upload(device, randomMatrix(130, 7, 3));
    using t = upload(device, randomMatrix(130, 7, 4));
    const results: Uint32Array[][] = [];
    for (let time = 0; time < 5; time++) {
      const both = loss.forwardBackward(p, t);
      assertEquals([both.loss.shape, both.dPrediction.shape], [[], [130, 7]]);
      results.push([bits(await both.loss.read()), bits(await both.dPrediction.read())]);
      for (const tensor of Object.values(both)) tensor.dispose();
    }
    assertEquals(results, results.map(() => results[0]));
  }
});

gpuTest("bceWithLogits, weighted or not, stays finite for any logit", async (device) => {
  using logits = Tensor.from(device, [[1e30], [-1e30], [100], [-100]]);
  using target = Tensor.from(device, [[1], [0], [0], [1]]);
  await assertLoss(bceWithLogits, [logits, target], 50, [0, 0, 0.25, -0.25]);
  await assertLoss(weightedBceWithLogits([0.7, 0.3]), [logits, target], 25, [0, 0, 0.7 / 4, -0.3 / 4]);
});

gpuTest("softmaxCrossEntropy holds for extreme logits", async (device) => {
  const check = async (logits: number[][], target: number[][], value: number, gradient: number[]) => {
    using z = Tensor.from(device, logits);
    using t = Tensor.from(device, target);
    await assertLoss(softmaxCrossEntropy, [z, t], value, gradient);
  };
  await check([[1e30, -1e30, 0], [-1e30, -1e30, 1e30]], [[1, 0, 0], [0, 0, 1]], 0, [0, 0, 0, 0, 0, 0]);
  await check([[1e38, -1e38, 0]], [[0, 1, 0]], 2e38, [1, -1, 0]);
  await check([[-1e30, -1e30]], [[0, 1]], Math.LN2, [0.5, -0.5]);
});

gpuTest("losses let NaN through, in prediction and target", async (device) => {
  using sound = Tensor.from(device, [[0.5, 0.25, 0.25], [0, 1, 0]]);
  for (let place = 0; place < 3; place++) {
    using spoilt = Tensor.from(device, Float32Array.from({ length: 6 }, (_, i) => i === place ? NaN : 0.5), [2, 3]);
    for (const pair of [[spoilt, sound], [sound, spoilt]] as const) {
      for (const loss of LOSSES) {
        const isSpoilt = (i: number) => loss === softmaxCrossEntropy ? i < 3 : i === place; // the row, not the next
        for (const { forward, backward } of waysOf(loss)) {
          assertEquals([...await compute(device, () => forward(...pair))], [NaN]);
          const gradient = [...await compute(device, () => backward(...pair))];
          assertEquals(gradient.map(Number.isNaN), gradient.map((_, i) => isSpoilt(i)));
        }
      }
    }
  }
});

gpuTest("softmaxCrossEntropy reaches the last of the most classes, and refuses one more", async (device) => {
  const logits = new Matrix(3, 20_000).map((_, i) => Math.fround(Math.sin(i)));
  const target = logits.map((_, i) => i % 20_000 === 19_999 ? 1 : 0);
  using z = upload(device, logits);
  using t = upload(device, target);
  const { reference } = softmaxCrossEntropy;
  const gradient = reference.backward(logits, target).data;
  await assertLoss(softmaxCrossEntropy, [z, t], reference.forward(logits, target), gradient, { rtol: 1e-4, atol: 0 });
  const refuse = (shape: number[], type: typeof TypeError | typeof RangeError, problem: string) => {
    using wrong = Tensor.zeros(device, shape);
    const text = `Cannot take the softmax of rows of [${shape.join(", ")}]: ${problem}`;
    for (const { forward, backward } of waysOf(softmaxCrossEntropy)) {
      assertThrows(() => forward(wrong, wrong), type, text);
      assertThrows(() => backward(wrong, wrong), type, text);
    }
  };
  refuse([2, 20_001], RangeError, "20001 classes, allowed is 1 to 20000");
  refuse([2, 0], RangeError, "0 classes, allowed is 1 to 20000");
  refuse([5], TypeError, "need [batch, classes]");
});

gpuTest("losses refuse a target of another shape, and no rows", (device) => {
  using prediction = Tensor.zeros(device, [4, 1]);
  using target = Tensor.zeros(device, [4, 2]);
  using empty = Tensor.zeros(device, [0, 2]);
  const text = "Cannot compare prediction [4, 1] with target [4, 2]: the shapes differ";
  for (const loss of LOSSES) {
    for (const { forward, backward } of waysOf(loss)) {
      assertThrows(() => forward(prediction, target), TypeError, text);
      assertThrows(() => backward(prediction, target), TypeError, text);
      assertThrows(() => device.tidy(() => forward(empty, empty)), RangeError, "there is nothing to reduce");
    }
  }
});

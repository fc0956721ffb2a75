import { assert, assertEquals, assertThrows } from "@std/assert";
import { bceWithLogits, mse, softmaxCrossEntropy } from "../lib/losses.ts";
import { Matrix } from "../lib/reference.ts";
import { Tensor } from "../lib/tensor.ts";
import { assertClose } from "./assert_close.ts";
import { compute, gpuTest, randomMatrix, upload } from "./gpu_test_case.ts";

gpuTest("mse agrees with values worked out by hand", async (device) => {
  using prediction = Tensor.from(device, [[1, 2], [3, 4], [5, 6]]);
  using target = Tensor.from(device, [[1, 0], [0, 4], [8, 5]]);
  // Squares: 0, 4, 9, 0, 9, 1; a mean over all six.
  assertClose(await compute(device, () => mse.forward(prediction, target)), [23 / 6]);
  const dPrediction = [0, 4, 6, 0, -6, 2].map((v) => v / 6);
  assertClose(await compute(device, () => mse.backward(prediction, target)), dPrediction);
  using loss = mse.forward(prediction, target);
  assertEquals(loss.shape, []);
});

gpuTest("bceWithLogits agrees with values worked out by hand", async (device) => {
  using logits = Tensor.from(device, [[0], [Math.log(3)]]);
  using target = Tensor.from(device, [[1], [0]]);
  // Probabilities 1/2 and 3/4: the mean of log 2 and log 4.
  assertClose(await compute(device, () => bceWithLogits.forward(logits, target)), [1.5 * Math.LN2]);
  assertClose(await compute(device, () => bceWithLogits.backward(logits, target)), [-0.25, 0.375]);
});

gpuTest("softmaxCrossEntropy agrees with values worked out by hand", async (device) => {
  using logits = Tensor.from(device, [[0, Math.log(3)], [5, 5]]);
  using target = Tensor.from(device, [[1, 0], [0.5, 1.5]]);
  // Probabilities 1/4, 3/4 and 1/2, 1/2; the second row's target sums to 2. A mean over the two rows.
  assertClose(await compute(device, () => softmaxCrossEntropy.forward(logits, target)), [2 * Math.LN2]);
  const dLogits = [-0.75, 0.75, 0.5, -0.5].map((v) => v / 2);
  assertClose(await compute(device, () => softmaxCrossEntropy.backward(logits, target)), dLogits);
  using loss = softmaxCrossEntropy.forward(logits, target);
  assertEquals(loss.shape, []);
});

gpuTest("losses agree with their float64 twins on odd shapes", async (device) => {
  for (const loss of [mse, bceWithLogits, softmaxCrossEntropy]) {
    for (const [rows, columns] of [[1, 1], [5, 7], [63, 1], [65, 64], [130, 3], [1_030, 3]]) {
      const prediction = randomMatrix(rows, columns, 1);
      const target = randomMatrix(rows, columns, 2).map((v) => Math.fround(1 / (1 + Math.exp(-v))));
      using p = upload(device, prediction);
      using t = upload(device, target);
      assertClose(await compute(device, () => loss.forward(p, t)), [loss.reference.forward(prediction, target)]);
      const expected = loss.reference.backward(prediction, target);
      assertClose(await compute(device, () => loss.backward(p, t)), expected.data, {
        rtol: 1e-5,
        atol: 1e-6 / (loss === softmaxCrossEntropy ? rows : rows * columns),
      });
    }
  }
});

gpuTest("bceWithLogits stays finite for any logit", async (device) => {
  using logits = Tensor.from(device, [[1e30], [-1e30], [100], [-100]]);
  using target = Tensor.from(device, [[1], [0], [0], [1]]);
  assertClose(await compute(device, () => bceWithLogits.forward(logits, target)), [50]);
  assertClose(await compute(device, () => bceWithLogits.backward(logits, target)), [0, 0, 0.25, -0.25]);
});

gpuTest("softmaxCrossEntropy holds for extreme logits, and lets NaN through", async (device) => {
  const check = async (logits: number[][], target: number[][], loss: number, dLogits: number[]) => {
    using z = Tensor.from(device, logits);
    using t = Tensor.from(device, target);
    assertClose(await compute(device, () => softmaxCrossEntropy.forward(z, t)), [loss]);
    assertClose(await compute(device, () => softmaxCrossEntropy.backward(z, t)), dLogits);
  };
  await check([[1e30, -1e30, 0], [-1e30, -1e30, 1e30]], [[1, 0, 0], [0, 0, 1]], 0, [0, 0, 0, 0, 0, 0]);
  await check([[1e38, -1e38, 0]], [[0, 1, 0]], 2e38, [1, -1, 0]);
  await check([[-1e30, -1e30]], [[0, 1]], Math.LN2, [0.5, -0.5]);
  await check([[NaN, 0], [0, 0]], [[0, 1], [1, 0]], NaN, [NaN, NaN, -0.25, 0.25]);
  await check([[0, NaN], [NaN, NaN]], [[0, 1], [1, 0]], NaN, [NaN, NaN, NaN, NaN]);
});

gpuTest(
  "softmaxCrossEntropy reaches the last of the most classes that it allows, and refuses one more",
  async (device) => {
    const logits = new Matrix(3, 20_000).map((_, i) => Math.fround(Math.sin(i)));
    const target = logits.map((_, i) => i % 20_000 === 19_999 ? 1 : 0);
    using z = upload(device, logits);
    using t = upload(device, target);
    const { reference } = softmaxCrossEntropy;
    const loss = await compute(device, () => softmaxCrossEntropy.forward(z, t));
    assertClose(loss, [reference.forward(logits, target)]);
    const dLogits = await compute(device, () => softmaxCrossEntropy.backward(z, t));
    assertClose(dLogits, reference.backward(logits, target).data, { rtol: 1e-4, atol: 0 });
    const refuse = (shape: number[], type: typeof TypeError | typeof RangeError, problem: string) => {
      using wrong = Tensor.zeros(device, shape);
      const text = `Cannot take the softmax of rows of [${shape.join(", ")}]: ${problem}`;
      assertThrows(() => softmaxCrossEntropy.forward(wrong, wrong), type, text);
      assertThrows(() => softmaxCrossEntropy.backward(wrong, wrong), type, text);
    };
    refuse([2, 20_001], RangeError, "20001 classes, allowed is 1 to 20000");
    refuse([2, 0], RangeError, "0 classes, allowed is 1 to 20000");
    refuse([5], TypeError, "need [batch, classes]");
  },
);

gpuTest("losses refuse a target of another shape", (device) => {
  using prediction = Tensor.zeros(device, [4, 1]);
  using target = Tensor.zeros(device, [4, 2]);
  const text = "Cannot compare prediction [4, 1] with target [4, 2]: the shapes differ";
  for (const loss of [mse, bceWithLogits, softmaxCrossEntropy]) {
    assertThrows(() => loss.forward(prediction, target), TypeError, text);
    assertThrows(() => loss.backward(prediction, target), TypeError, text);
  }
});

gpuTest("the loss and its gradient are means over the rows that are there", async (device) => {
  for (const loss of [mse, bceWithLogits]) {
    for (const rows of [1, 10]) {
      using prediction = Tensor.from(device, new Float32Array(rows).fill(0.5), [rows, 1]);
      using target = Tensor.zeros(device, [rows, 1]);
      const [value] = await compute(device, () => loss.forward(prediction, target));
      const gradient = [...await compute(device, () => loss.backward(prediction, target))];
      assertClose([value], [loss === mse ? 0.25 : Math.log(1 + Math.exp(0.5))]);
      assertClose([gradient.reduce((a, b) => a + b)], [loss === mse ? 1 : 1 / (1 + Math.exp(-0.5))]);
      assert(gradient.every((g) => g === gradient[0]));
    }
  }
});

import { assert, assertEquals, assertThrows } from "@std/assert";
import { bceWithLogits, mse } from "../lib/losses.ts";
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

gpuTest("losses agree with their float64 twins on odd shapes", async (device) => {
  for (const loss of [mse, bceWithLogits]) {
    for (const [rows, columns] of [[1, 1], [5, 7], [63, 1], [65, 64], [1_030, 3]]) {
      const prediction = randomMatrix(rows, columns, 1);
      const target = randomMatrix(rows, columns, 2).map((v) => Math.fround(1 / (1 + Math.exp(-v))));
      using p = upload(device, prediction);
      using t = upload(device, target);
      assertClose(await compute(device, () => loss.forward(p, t)), [loss.reference.forward(prediction, target)]);
      const expected = loss.reference.backward(prediction, target);
      assertClose(await compute(device, () => loss.backward(p, t)), expected.data, {
        rtol: 1e-5,
        atol: 1e-6 / (rows * columns),
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

gpuTest("losses refuse a target of another shape", (device) => {
  using prediction = Tensor.zeros(device, [4, 1]);
  using target = Tensor.zeros(device, [4, 2]);
  const text = "Cannot compare prediction [4, 1] with target [4, 2]: the shapes differ";
  for (const loss of [mse, bceWithLogits]) {
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

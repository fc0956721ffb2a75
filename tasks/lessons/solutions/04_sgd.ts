// Lesson 4, solved: the factor of 2 was missing.
//
// The loss is the mean of (prediction - y)². The slope of e² is 2 e, so dPrediction is 2 / n times the
// difference. Without the 2 they are the gradients of half the loss: the tutorial's formulas have that half, its
// program has not. They point the same way, so training works, but each step is half as long, as if the learning rate
// were halved.
import { addBias, addBiasBackward, matmul, mse, relu, reluBackward, scale, subtract } from "../../../mod.ts";
import type { Tensor } from "../../../mod.ts";

type Network = Record<"w1" | "b1" | "w2" | "b2", Tensor>;

export function gradients({ w1, b1, w2, b2 }: Network, x: Tensor, y: Tensor) {
  const z1 = addBias(matmul(x, w1), b1);
  const a1 = relu(z1);
  const prediction = addBias(matmul(a1, w2), b2);
  const dPrediction = scale(subtract(prediction, y), 2 / x.shape[0]);
  const dW2 = matmul(a1, dPrediction, { transposeA: true });
  const dz1 = reluBackward(z1, matmul(dPrediction, w2, { transposeB: true }));
  const dW1 = matmul(x, dz1, { transposeA: true });
  return { loss: mse.forward(prediction, y), dW1, db1: addBiasBackward(dz1), dW2, db2: addBiasBackward(dPrediction) };
}

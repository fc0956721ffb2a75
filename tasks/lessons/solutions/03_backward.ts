import { addBias, greater, matmul, multiply, relu, scale, subtract, sum } from "../../../mod.ts";
import { type Tensor, transpose } from "../../../mod.ts";
import type { Network } from "../03_backward.ts";

/**
 * Each line takes the gradient of what its forward line made, and the tensors that this line read. Nothing else is
 * needed: that is why a network of any depth takes the same three rules again and again.
 */
export function backward({ w1, b1, w2, b2 }: Network, x: Tensor, y: Tensor): Record<string, Tensor> {
  const z1 = addBias(matmul(x, w1), b1);
  const a1 = relu(z1);
  const z2 = addBias(matmul(a1, w2), b2);

  const dz2 = scale(subtract(z2, y), 2 / y.size);
  const dW2 = matmul(transpose(a1), dz2);
  const db2 = sum(dz2, 0);
  const da1 = matmul(dz2, transpose(w2));
  const dz1 = multiply(da1, greater(z1, 0));
  const dW1 = matmul(transpose(x), dz1);
  const db1 = sum(dz1, 0);
  return { dz2, dW2, db2, da1, dz1, dW1, db1 };
}

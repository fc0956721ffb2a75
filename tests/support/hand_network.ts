/** A small network whose backward is written out by hand, with a bug planted where a test asks for one. */
import { type BackwardReport, checkBackward } from "../../lib/check/check_backward.ts";
import { mse, softmaxCrossEntropy } from "../../lib/core/losses.ts";
import { addBias, matmul, relu, reluBackward, scale, sum } from "../../lib/arithmetic/ops.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { Random } from "../../lib/base/random.ts";
import type { Device } from "../../lib/gpu/device.ts";
import type { Shape } from "../../lib/base/shape.ts";

type Tensors = Record<string, Tensor>;

/** Bugs to plant. */
export type Bug = "sign" | "two" | "mean" | "transposed" | "gate" | "axis" | "none";

/** A hidden layer with ReLU: z1 = x w1 + b1, a1 = relu(z1), z2 = a1 w2 + b2. */
export class HandNetwork implements Disposable {
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

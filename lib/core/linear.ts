/**
 * The layer with weights.
 *
 * @module
 */
import { forwardValue, type Layer, Parameter } from "./layer.ts";
import { addBias, addBiasBackward, matmul } from "./ops.ts";
import { type ReferenceLayer, ReferenceLinear } from "../reference/mod.ts";
import { formatShape } from "../base/shape.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Fully connected layer: `y = x · weight + bias`.
 *
 * @example
 * ```ts
 * import { Device, Linear, Model, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using model = new Model(device, [new Linear(2, 1)]);
 * model.load({ "0.weight": [[1], [2]], "0.bias": [3] });
 * using x = Tensor.from(device, [[10, 20]]);
 * using y = device.tidy(() => model.forward(x));
 * assertEquals(await y.read(), new Float32Array([53]));
 * ```
 */
export class Linear implements Layer {
  readonly kind = "Linear";
  /** Weight [in, out]. */
  readonly weight: Parameter;
  /** Bias [out]. */
  readonly bias: Parameter;
  readonly parameters: readonly Parameter[];
  #x: Tensor | undefined;

  /**
   * Describes the layer; its parameters have no place on a GPU yet.
   *
   * @param inputs Values in a row of the input.
   * @param outputs Values in a row of the output.
   */
  constructor(inputs: number, outputs: number) {
    this.weight = new Parameter("weight", [inputs, outputs]);
    this.bias = new Parameter("bias", [outputs]);
    this.parameters = [this.weight, this.bias];
  }

  outputSize(inputs: number): number {
    const [expected, outputs] = this.weight.shape;
    if (inputs !== expected) {
      throw new TypeError(
        `Cannot feed ${inputs} values a row to Linear ${formatShape(this.weight.shape)}: it takes ${expected}`,
      );
    }
    return outputs;
  }

  /** `y [batch, out] = x [batch, in] · weight [in, out] + bias [out]` */
  forward(x: Tensor): Tensor {
    this.#x = x;
    return addBias(matmul(x, this.weight.value), this.bias.value);
  }

  /** `dWeight = xᵀ · dOut`, `dBias = sum of dOut over rows`, `dX = dOut · weightᵀ` */
  backward(dOut: Tensor, wantDX: boolean): Tensor | undefined {
    matmul(forwardValue(this.#x, this), dOut, { transposeA: true, out: this.weight.grad });
    addBiasBackward(dOut, { out: this.bias.grad });
    return wantDX ? matmul(dOut, this.weight.value, { transposeB: true }) : undefined;
  }

  reference(): ReferenceLayer {
    return new ReferenceLinear(this.weight.shape[0], this.weight.shape[1]);
  }
}

/**
 * Layers: each keeps what its backward needs, and its backward stands right under its forward. Here are the layer with
 * weights and the networks made of layers; activations and dropout stand with their operations.
 *
 * Why each backward is as it is: [README.md](README.md#every-backward-in-a-line).
 *
 * @module
 */
import { formatShape } from "../base/shape.ts";
import { type ReferenceLayer, ReferenceLinear } from "../reference/mod.ts";
import { type ActivationName, ACTIVATIONS } from "./activations.ts";
import { Dropout } from "./dropout.ts";
import { forwardValue, type Layer, Parameter } from "./layer.ts";
import { addBias, addBiasBackward, matmul } from "./matmul.ts";
import type { Tensor } from "./tensor.ts";

export * from "./activations.ts";
export { Dropout } from "./dropout.ts";
export { type Layer, Parameter } from "./layer.ts";

/**
 * Fully connected layer: `y = x · weight + bias`.
 *
 * @example
 * ```ts
 * import { Device, Linear, Model, type Parameter, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using model = new Model(device, [new Linear(2, 1)]);
 * model.load({ "0.weight": [[1], [2]], "0.bias": [3] });
 * using x = Tensor.from(device, [[10, 20]]);
 * using y = device.tidy(() => model.forward(x));
 * assertEquals(await y.read(), new Float32Array([53]));
 * const weight: Parameter = model.parameters[0].parameter;
 * assertEquals(weight.grad.shape, [2, 1]);
 * ```
 */
export class Linear implements Layer {
  readonly kind = "Linear";
  /** Weight [in, out]. */
  readonly weight: Parameter;
  /** Bias [out]. */
  readonly bias: Parameter;
  readonly parameters: readonly Parameter[];
  readonly members: number;
  readonly inputs: number;
  #x: Tensor | undefined;

  /**
   * Describes the layer by the values in a row of input and output; its parameters have no place on a GPU yet.
   *
   * @param options `members`: how many networks side by side, each with rows, a weight and a bias of its own; 1 by default.
   */
  constructor(inputs: number, outputs: number, { members = 1 }: { readonly members?: number } = {}) {
    this.members = members;
    this.inputs = inputs;
    this.weight = new Parameter("weight", [members * inputs, outputs]);
    this.bias = new Parameter("bias", [members * outputs]);
    this.parameters = [this.weight, this.bias];
  }

  outputSize(inputs: number): number {
    const { inputs: expected } = this;
    if (inputs !== expected) {
      throw new TypeError(
        `Cannot feed ${inputs} values a row to Linear ${formatShape(this.weight.shape)}: it takes ${expected}`,
      );
    }
    return this.weight.shape[1];
  }

  /** `y [batch, out] = x [batch, in] · weight [in, out] + bias [out]` */
  forward(x: Tensor): Tensor {
    this.#x = x;
    const groups = this.members;
    return addBias(matmul(x, this.weight.value, { groups }), this.bias.value, { groups });
  }

  /** `dWeight = xᵀ · dOut`, `dBias = sum of dOut over rows`, `dX = dOut · weightᵀ` */
  backward(dOut: Tensor, wantDX: boolean): Tensor | undefined {
    const groups = this.members;
    matmul(forwardValue(this.#x, this), dOut, { transposeA: true, groups, out: this.weight.grad });
    addBiasBackward(dOut, { groups, out: this.bias.grad });
    return wantDX ? matmul(dOut, this.weight.value, { transposeB: true, groups }) : undefined;
  }

  reference(): ReferenceLayer {
    return new ReferenceLinear(this.inputs, this.weight.shape[1], this.members);
  }
}

/** Options of {@linkcode multilayerPerceptron}. */
export interface PerceptronOptions {
  /** What follows each hidden Linear; `relu` by default. */
  readonly activation?: ActivationName;
  /** Share of each hidden layer's activations that training drops, from 0 to less than 1; 0, no dropout, by default. */
  readonly dropout?: number;
  /** Fixes what is dropped; 0 by default. */
  readonly seed?: number;
  /** How many networks side by side; 1 by default: see {@linkcode Model.members}. */
  readonly members?: number;
}

/**
 * The layers of a fully connected network: for each hidden width a Linear, an activation and, where asked
 * for, a Dropout; then a Linear.
 *
 * @param inputs Values in a row of the input.
 * @param hiddenSize Widths of the hidden layers.
 * @param outputs Values in a row of the output.
 * @param options Which activation, and how much is dropped.
 * @returns The layers, first to last.
 * @throws {RangeError} If there is no such activation, or the share is out of range.
 *
 * @example
 * ```ts
 * import { multilayerPerceptron } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const layers = multilayerPerceptron(2, [16, 8], 1, { activation: "tanh" });
 * assertEquals(layers.map(({ kind }) => kind), ["Linear", "Tanh", "Linear", "Tanh", "Linear"]);
 * ```
 */
export function multilayerPerceptron(
  inputs: number,
  hiddenSize: readonly number[],
  outputs: number,
  options: PerceptronOptions = {},
): Layer[] {
  const { activation = "relu", dropout = 0, seed, members } = options;
  if (!Object.hasOwn(ACTIVATIONS, activation)) {
    const known = Object.keys(ACTIVATIONS).join(", ");
    throw new RangeError(
      `Cannot build a network with activation ${JSON.stringify(activation)}: choose one of ${known}`,
    );
  }
  const widths = [inputs, ...hiddenSize];
  const hidden = hiddenSize.flatMap((width, i): Layer[] => {
    const layers = [new Linear(widths[i], width, { members }), ACTIVATIONS[activation]()];
    return dropout === 0 ? layers : [...layers, new Dropout(dropout, { seed })];
  });
  return [...hidden, new Linear(widths.at(-1)!, outputs, { members })];
}

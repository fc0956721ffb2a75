/**
 * Layers: each keeps what its backward needs, and its backward stands right under its forward.
 *
 * A layer describes its parameters; the {@linkcode Model} gives them their place in its flat buffers.
 *
 * @module
 */
import { addBias, addBiasBackward, matmul, relu, reluBackward, sigmoid, sigmoidBackward } from "./ops.ts";
import { type ReferenceLayer, ReferenceLinear, ReferenceReLU, ReferenceSigmoid } from "./reference.ts";
import { formatShape, type Shape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/**
 * A tensor that training changes, and the gradient of the loss with respect to it.
 *
 * @example
 * ```ts
 * import { Device, Linear, Model, type Parameter } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * const layer = new Linear(2, 3);
 * using model = new Model(device, [layer]);
 * const weight: Parameter = layer.weight;
 * assertEquals(weight.shape, [2, 3]);
 * assertEquals(weight.value.shape, weight.grad.shape);
 * assertEquals(model.parameters[0].parameter, weight);
 * ```
 */
export class Parameter {
  /** `weight` or `bias`; a model puts the layer's number before it: `0.weight`. */
  readonly name: string;
  /** Its shape. */
  readonly shape: Shape;
  #value: Tensor | undefined;
  #grad: Tensor | undefined;

  /**
   * Describes a parameter; it has no place on a GPU yet.
   *
   * @param name Its name within the layer.
   * @param shape Its shape.
   */
  constructor(name: string, shape: Shape) {
    this.name = name;
    this.shape = shape;
  }

  /** Its value; a view into the model's flat buffer of parameters. */
  get value(): Tensor {
    if (!this.#value) throw new TypeError(`Cannot use parameter ${this.name}: its layer is in no Model yet`);
    return this.#value;
  }

  /** Its gradient; a view into the model's flat buffer of gradients. */
  get grad(): Tensor {
    if (!this.#grad) throw new TypeError(`Cannot use parameter ${this.name}: its layer is in no Model yet`);
    return this.#grad;
  }

  /**
   * Gives it its place; the {@linkcode Model} does that.
   *
   * @param value Where its value lies.
   * @param grad Where its gradient lies.
   */
  bind(value: Tensor, grad: Tensor): void {
    [this.#value, this.#grad] = [value, grad];
  }
}

/** One layer of a model. */
export interface Layer {
  /** Its name in messages: the class' name. */
  readonly kind: string;
  /** What training changes, in a fixed order. */
  readonly parameters: readonly Parameter[];
  /**
   * How many values a row has behind this layer.
   *
   * @param inputs How many it has before it.
   * @throws {TypeError} If the layer takes another number.
   */
  outputSize(inputs: number): number;
  /** Output [batch, out] from input `x` [batch, in]. */
  forward(x: Tensor): Tensor;
  /**
   * Writes the gradients of its parameters, from `dOut` [batch, out] and the last forward pass.
   *
   * @returns The gradient of `x` [batch, in]; undefined where `wantDX` is false, which spares a matrix product in the
   * first layer.
   */
  backward(dOut: Tensor, wantDX: boolean): Tensor | undefined;
  /** The same layer in float64, with parameters of zeros. */
  reference(): ReferenceLayer;
}

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

/**
 * Rectified linear unit: `y = max(0, x)`, element by element.
 *
 * @example
 * ```ts
 * import { Device, Model, ReLU, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using model = new Model(device, [new ReLU()]);
 * using x = Tensor.from(device, [[-1, 2]]);
 * using y = device.tidy(() => model.forward(x));
 * assertEquals([...await y.read()], [0, 2]);
 * ```
 */
export class ReLU implements Layer {
  readonly kind = "ReLU";
  readonly parameters: readonly Parameter[] = [];
  #x: Tensor | undefined;

  outputSize(inputs: number): number {
    return inputs;
  }

  /** `y = x` where `x > 0`, else 0 */
  forward(x: Tensor): Tensor {
    this.#x = x;
    return relu(x);
  }

  /** `dX = dOut` where `x > 0`, else 0 */
  backward(dOut: Tensor): Tensor {
    return reluBackward(forwardValue(this.#x, this), dOut);
  }

  reference(): ReferenceLayer {
    return new ReferenceReLU();
  }
}

/**
 * Logistic function: `y = 1 / (1 + exp(-x))`, element by element.
 *
 * @example
 * ```ts
 * import { Device, Model, Sigmoid, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using model = new Model(device, [new Sigmoid()]);
 * using x = Tensor.from(device, [[0, 0]]);
 * using y = device.tidy(() => model.forward(x));
 * assertEquals([...await y.read()], [0.5, 0.5]);
 * ```
 */
export class Sigmoid implements Layer {
  readonly kind = "Sigmoid";
  readonly parameters: readonly Parameter[] = [];
  #y: Tensor | undefined;

  outputSize(inputs: number): number {
    return inputs;
  }

  /** `y = 1 / (1 + exp(-x))` */
  forward(x: Tensor): Tensor {
    return this.#y = sigmoid(x);
  }

  /** `dX = dOut * y * (1 - y)` */
  backward(dOut: Tensor): Tensor {
    return sigmoidBackward(forwardValue(this.#y, this), dOut);
  }

  reference(): ReferenceLayer {
    return new ReferenceSigmoid();
  }
}

/**
 * The layers of a fully connected network: Linear and ReLU for each hidden width, then a Linear.
 *
 * @param inputs Values in a row of the input.
 * @param hiddenSize Widths of the hidden layers.
 * @param outputs Values in a row of the output.
 * @returns The layers, first to last.
 *
 * @example
 * ```ts
 * import { multilayerPerceptron } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const layers = multilayerPerceptron(2, [16, 8], 1);
 * assertEquals(layers.map(({ kind }) => kind), ["Linear", "ReLU", "Linear", "ReLU", "Linear"]);
 * ```
 */
export function multilayerPerceptron(inputs: number, hiddenSize: readonly number[], outputs: number): Layer[] {
  const widths = [inputs, ...hiddenSize];
  const hidden = hiddenSize.flatMap((width, i) => [new Linear(widths[i], width), new ReLU()]);
  return [...hidden, new Linear(widths.at(-1)!, outputs)];
}

function forwardValue(tensor: Tensor | undefined, layer: Layer): Tensor {
  if (!tensor) throw new TypeError(`Cannot run ${layer.kind}'s backward before its forward`);
  return tensor;
}

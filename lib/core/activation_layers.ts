/**
 * Activations as layers, without parameters.
 *
 * @module
 */
import {
  gelu,
  geluBackward,
  leakyRelu,
  leakyReluBackward,
  relu,
  reluBackward,
  sigmoid,
  sigmoidBackward,
  tanh,
  tanhBackward,
} from "./activations.ts";
import { forwardValue, type Layer, type Parameter } from "./layer.ts";
import {
  ReferenceGELU,
  type ReferenceLayer,
  ReferenceLeakyReLU,
  ReferenceReLU,
  ReferenceSigmoid,
  ReferenceTanh,
} from "../reference/mod.ts";
import type { Tensor } from "./tensor.ts";

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
 * Leaky rectified linear unit: `y = x` where `x > 0`, else `slope * x`, element by element (Maas, Hannun and Ng 2013).
 *
 * @example
 * ```ts
 * import { Device, LeakyReLU, Model, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using model = new Model(device, [new LeakyReLU({ slope: 0.5 })]);
 * using x = Tensor.from(device, [[-1, 2]]);
 * using y = device.tidy(() => model.forward(x));
 * assertEquals([...await y.read()], [-0.5, 2]);
 * ```
 */
export class LeakyReLU implements Layer {
  readonly kind = "LeakyReLU";
  readonly settings: Readonly<{ slope: number }>;
  readonly parameters: readonly Parameter[] = [];
  #x: Tensor | undefined;

  /**
   * Takes the slope.
   *
   * @param options `slope`: what negative inputs are multiplied by; 0.01 by default.
   * @throws {RangeError} If the slope is no finite number.
   */
  constructor({ slope = 0.01 }: { slope?: number } = {}) {
    if (!Number.isFinite(slope)) {
      throw new RangeError(`Cannot make a LeakyReLU of slope ${slope}: need a finite number`);
    }
    this.settings = { slope };
  }

  outputSize(inputs: number): number {
    return inputs;
  }

  /** `y = x` where `x > 0`, else `slope * x` */
  forward(x: Tensor): Tensor {
    this.#x = x;
    return leakyRelu(x, this.settings);
  }

  /** `dX = dOut` where `x > 0`, else `slope * dOut` */
  backward(dOut: Tensor): Tensor {
    return leakyReluBackward(forwardValue(this.#x, this), dOut, this.settings);
  }

  reference(): ReferenceLayer {
    return new ReferenceLeakyReLU(this.settings.slope);
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
 * Hyperbolic tangent: `y = tanh(x)`, element by element.
 *
 * @example
 * ```ts
 * import { Device, Model, Tanh, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using model = new Model(device, [new Tanh()]);
 * using x = Tensor.from(device, [[0, 100]]);
 * using y = device.tidy(() => model.forward(x));
 * assertEquals([...await y.read()], [0, 1]);
 * ```
 */
export class Tanh implements Layer {
  readonly kind = "Tanh";
  readonly parameters: readonly Parameter[] = [];
  #y: Tensor | undefined;

  outputSize(inputs: number): number {
    return inputs;
  }

  /** `y = tanh(x)` */
  forward(x: Tensor): Tensor {
    return this.#y = tanh(x);
  }

  /** `dX = dOut * (1 - y²)` */
  backward(dOut: Tensor): Tensor {
    return tanhBackward(forwardValue(this.#y, this), dOut);
  }

  reference(): ReferenceLayer {
    return new ReferenceTanh();
  }
}

/**
 * Gaussian error linear unit in its tanh approximation, not the exact one by erf (Hendrycks and Gimpel 2016):
 * `y = x / 2 * (1 + tanh(sqrt(2 / pi) (x + 0.044715 x³)))`, element by element.
 *
 * @example
 * ```ts
 * import { Device, GELU, Model, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using model = new Model(device, [new GELU()]);
 * using x = Tensor.from(device, [[0, 100]]);
 * using y = device.tidy(() => model.forward(x));
 * assertEquals([...await y.read()], [0, 100]);
 * ```
 */
export class GELU implements Layer {
  readonly kind = "GELU";
  readonly parameters: readonly Parameter[] = [];
  #x: Tensor | undefined;

  outputSize(inputs: number): number {
    return inputs;
  }

  /** `y = x / 2 * (1 + tanh(u))`, `u = sqrt(2 / pi) (x + 0.044715 x³)` */
  forward(x: Tensor): Tensor {
    this.#x = x;
    return gelu(x);
  }

  /** `dX = dOut * ((1 + t) / 2 + x / 2 * (1 - t²) * u')`, `t = tanh(u)` */
  backward(dOut: Tensor): Tensor {
    return geluBackward(forwardValue(this.#x, this), dOut);
  }

  reference(): ReferenceLayer {
    return new ReferenceGELU();
  }
}

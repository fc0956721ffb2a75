/**
 * Activations: each operation, its backward right under it, then the layer that it makes; at the end the table of them.
 *
 * Why each backward is as it is: [README.md](README.md#every-backward-in-a-line).
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import * as reference from "../reference/mod.ts";
import { elementwise, type Out } from "./operation.ts";
import { forwardValue, type Layer, type Parameter } from "./layer.ts";
import type { Tensor } from "./tensor.ts";

/**
 * An activation as a layer: no parameters, as many outputs as inputs. Its forward keeps what its backward needs in `kept`,
 * the input or the output. Extend it to write one of your own.
 *
 * @example
 * ```ts
 * import { ActivationLayer, Device, multiply, reference, scale, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * class Square extends ActivationLayer {
 *   readonly kind = "Square";
 *   forward(x: Tensor): Tensor {
 *     this.kept = x;
 *     return multiply(x, x);
 *   }
 *   backward(dOut: Tensor): Tensor {
 *     return scale(multiply(this.kept, dOut), 2);
 *   }
 *   reference(): reference.ReferenceLayer {
 *     return new reference.ReferenceActivation({
 *       forward: (x) => x.map((v) => v * v),
 *       backward: (x, dOut) => dOut.map((d, i) => 2 * x.data[i] * d),
 *     });
 *   }
 * }
 *
 * using device = await Device.request();
 * const square = new Square();
 * using y = square.forward(Tensor.from(device, [[3, -4]]));
 * using dX = device.tidy(() => square.backward(Tensor.from(device, [[1, 1]])));
 * assertEquals([...await y.read(), ...await dX.read()], [9, 16, 6, -8]);
 * ```
 */
export abstract class ActivationLayer implements Layer {
  abstract readonly kind: string;
  readonly parameters: readonly Parameter[] = [];
  #kept: Tensor | undefined;

  /** What the last forward pass kept for the backward. */
  protected get kept(): Tensor {
    return forwardValue(this.#kept, this);
  }

  protected set kept(value: Tensor) {
    this.#kept = value;
  }

  outputSize(inputs: number): number {
    return inputs;
  }

  abstract forward(x: Tensor): Tensor;

  abstract backward(dOut: Tensor): Tensor;

  abstract reference(): reference.ReferenceLayer;
}

/**
 * Rectified linear unit: `out = x` where `x > 0`, else 0; NaN stays NaN (Nair and Hinton 2010).
 * Any shape gives the same shape, here and in the other activations.
 *
 * @example
 * ```ts
 * import { Device, gelu, geluBackward, leakyRelu, leakyReluBackward, relu, reluBackward, Tensor } from "@backhand/backhand";
 * import { GELU, LeakyReLU, ReLU, Sigmoid, sigmoid, sigmoidBackward, Tanh, tanh, tanhBackward } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using x = Tensor.from(device, [-2, 0, 3]);
 * using dOut = Tensor.from(device, [8, 8, 8]);
 * assertEquals([...await relu(x).read()], [0, 0, 3]);
 * assertEquals([...await reluBackward(x, dOut).read()], [0, 0, 8]);
 * assertEquals([...await leakyRelu(x, { slope: 0.25 }).read()], [-0.5, 0, 3]);
 * assertEquals([...await leakyReluBackward(x, dOut, { slope: 0.25 }).read()], [2, 2, 8]);
 * using s = sigmoid(x);
 * using dS = sigmoidBackward(s, dOut);
 * assertEquals([(await s.read())[1], (await dS.read())[1]], [0.5, 2]);
 * using y = tanh(x);
 * using dY = tanhBackward(y, dOut);
 * assertEquals([(await y.read())[1], (await dY.read())[1]], [0, 8]);
 * assertEquals([...await gelu(x).read()].map((v) => v.toFixed(4)), ["-0.0454", "0.0000", "2.9964"]);
 * assertEquals((await geluBackward(x, dOut).read())[1], 4);
 *
 * for (const layer of [new ReLU(), new LeakyReLU({ slope: 0.5 }), new Sigmoid(), new Tanh(), new GELU()]) {
 *   using out = layer.forward(x);
 *   using dX = layer.backward(dOut);
 *   assertEquals([(await out.read())[1], dX.shape], [layer.kind === "Sigmoid" ? 0.5 : 0, [3]]);
 * }
 * ```
 */
export function relu(x: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.relu, [x], options);
}

/**
 * Gradient of {@linkcode relu} from its input: `dX = dOut` where `x > 0`, else 0 (0 at the kink as well).
 *
 * @throws {TypeError} If the shapes differ, here and in the other backwards.
 */
export function reluBackward(x: Tensor, dOut: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.reluBackward, [x, dOut], options);
}

/** {@linkcode relu} as a layer. */
export class ReLU extends ActivationLayer implements Layer {
  readonly kind = "ReLU";

  /** `y = x` where `x > 0`, else 0 */
  forward(x: Tensor): Tensor {
    this.kept = x;
    return relu(x);
  }

  /** `dX = dOut` where `x > 0`, else 0 */
  backward(dOut: Tensor): Tensor {
    return reluBackward(this.kept, dOut);
  }

  reference(): reference.ReferenceLayer {
    return new reference.ReferenceReLU();
  }
}

/** Options of {@linkcode leakyRelu} and its backward. */
export interface LeakyReluOptions extends Out {
  /** What negative inputs are multiplied by; 0.01 by default. */
  readonly slope?: number;
}

/** Leaky rectified linear unit: `out = x` where `x > 0`, else `slope * x`; NaN stays NaN (Maas, Hannun and Ng 2013). */
export function leakyRelu(x: Tensor, { slope = 0.01, ...options }: LeakyReluOptions = {}): Tensor {
  return elementwise(kernels.leakyRelu, [x], options, [slope]);
}

/** Gradient of {@linkcode leakyRelu} from its input: `dX = dOut` where `x > 0`, else `slope * dOut` (at the kink as well). */
export function leakyReluBackward(
  x: Tensor,
  dOut: Tensor,
  { slope = 0.01, ...options }: LeakyReluOptions = {},
): Tensor {
  return elementwise(kernels.leakyReluBackward, [x, dOut], options, [slope]);
}

/** {@linkcode leakyRelu} as a layer. */
export class LeakyReLU extends ActivationLayer implements Layer {
  readonly kind = "LeakyReLU";
  readonly settings: Readonly<{ slope: number }>;

  /**
   * Takes the slope.
   *
   * @param options `slope`: what negative inputs are multiplied by; 0.01 by default.
   * @throws {RangeError} If the slope is no finite number.
   */
  constructor({ slope = 0.01 }: { slope?: number } = {}) {
    super();
    if (!Number.isFinite(slope)) {
      throw new RangeError(`Cannot make a LeakyReLU of slope ${slope}: need a finite number`);
    }
    this.settings = { slope };
  }

  forward(x: Tensor): Tensor {
    this.kept = x;
    return leakyRelu(x, this.settings);
  }

  backward(dOut: Tensor): Tensor {
    return leakyReluBackward(this.kept, dOut, this.settings);
  }

  reference(): reference.ReferenceLayer {
    return new reference.ReferenceLeakyReLU(this.settings.slope);
  }
}

/** Logistic function: `out = 1 / (1 + exp(-x))`. */
export function sigmoid(x: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.sigmoid, [x], options);
}

/** Gradient of {@linkcode sigmoid} from its output `s`: `dX = dOut * s * (1 - s)`. */
export function sigmoidBackward(s: Tensor, dOut: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.sigmoidBackward, [s, dOut], options);
}

/** {@linkcode sigmoid} as a layer. */
export class Sigmoid extends ActivationLayer implements Layer {
  readonly kind = "Sigmoid";

  forward(x: Tensor): Tensor {
    return this.kept = sigmoid(x);
  }

  backward(dOut: Tensor): Tensor {
    return sigmoidBackward(this.kept, dOut);
  }

  reference(): reference.ReferenceLayer {
    return new reference.ReferenceSigmoid();
  }
}

/** Hyperbolic tangent: `out = (1 - exp(-2 x)) / (1 + exp(-2 x))`. */
export function tanh(x: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.tanh, [x], options);
}

/** Gradient of {@linkcode tanh} from its output `y`: `dX = dOut * (1 - y²)`. */
export function tanhBackward(y: Tensor, dOut: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.tanhBackward, [y, dOut], options);
}

/** {@linkcode tanh} as a layer. */
export class Tanh extends ActivationLayer implements Layer {
  readonly kind = "Tanh";

  forward(x: Tensor): Tensor {
    return this.kept = tanh(x);
  }

  backward(dOut: Tensor): Tensor {
    return tanhBackward(this.kept, dOut);
  }

  reference(): reference.ReferenceLayer {
    return new reference.ReferenceTanh();
  }
}

/**
 * Gaussian error linear unit in its tanh approximation, not the exact one by erf (Hendrycks and Gimpel 2016):
 * `out = x / 2 * (1 + tanh(u))` with `u = sqrt(2 / pi) (x + 0.044715 x³)`.
 */
export function gelu(x: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.gelu, [x], options);
}

/**
 * Gradient of {@linkcode gelu} from its input: `dX = dOut * ((1 + t) / 2 + x / 2 * (1 - t²) * u')`, where
 * `t = tanh(u)` and `u' = sqrt(2 / pi) (1 + 0.134145 x²)`.
 */
export function geluBackward(x: Tensor, dOut: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.geluBackward, [x, dOut], options);
}

/** {@linkcode gelu} as a layer. */
export class GELU extends ActivationLayer implements Layer {
  readonly kind = "GELU";

  forward(x: Tensor): Tensor {
    this.kept = x;
    return gelu(x);
  }

  backward(dOut: Tensor): Tensor {
    return geluBackward(this.kept, dOut);
  }

  reference(): reference.ReferenceLayer {
    return new reference.ReferenceGELU();
  }
}

/** The name of an activation in settings; its kernels have that name, too. */
export type ActivationName = "relu" | "leaky-relu" | "tanh" | "sigmoid" | "gelu";

/** How each activation's layer is made. Networks, model files, gradient checks and the self-test all read this table. */
export const ACTIVATIONS: Readonly<Record<ActivationName, (settings?: Readonly<Record<string, number>>) => Layer>> = {
  "relu": () => new ReLU(),
  "leaky-relu": (settings) => new LeakyReLU(settings),
  "tanh": () => new Tanh(),
  "sigmoid": () => new Sigmoid(),
  "gelu": () => new GELU(),
};

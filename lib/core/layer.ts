/**
 * What a layer is: it keeps what its backward needs, and describes its parameters, to which a model gives their place.
 *
 * @module
 */
import type { Device } from "../gpu/device.ts";
import type { ReferenceLayer } from "../reference/mod.ts";
import type { Random } from "../base/random.ts";
import type { Shape } from "../base/shape.ts";
import type { Tensor } from "./tensor.ts";

/** A tensor that training changes, and the gradient of the loss with respect to it. */
export class Parameter {
  /** `weight` or `bias`; a model puts the layer's number before it: `0.weight`. */
  readonly name: string;
  /** Its shape. */
  readonly shape: Shape;
  /** Where it starts, if not as weights and biases do. */
  readonly start?: (random: Random) => Float32Array<ArrayBuffer>;
  #value: Tensor | undefined;
  #grad: Tensor | undefined;

  /** Describes a parameter by its name within the layer and its shape; it has no place on a GPU yet. */
  constructor(name: string, shape: Shape, start?: (random: Random) => Float32Array<ArrayBuffer>) {
    this.name = name;
    this.shape = shape;
    this.start = start;
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

  /** Says where its value and its gradient lie; the {@linkcode Model} does that. */
  bind(value: Tensor, grad: Tensor): void {
    this.#value = value;
    this.#grad = grad;
  }
}

/** One layer of a model. */
export interface Layer {
  /** Its name in messages: the class' name. */
  readonly kind: string;
  /** What it was made with, where the kind does not say all: a file stores it next to the kind. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** How many values a row has before it, where it says so. */
  readonly inputs?: number;
  /** How many networks its parameters are for: see {@linkcode Model.members}. Without parameters it does not matter. */
  readonly members?: number;
  /** What training changes, in a fixed order. */
  readonly parameters: readonly Parameter[];
  /** `u32` counters [1] that training moves on, by name, where the layer has any: to go on exactly, they must be known. */
  readonly counters?: Readonly<Record<string, Tensor>>;
  /** How many values a row has after this layer; throws a `TypeError` if it does not take so many. */
  outputSize(inputs: number): number;
  /**
   * Makes what it keeps on the GPU besides its parameters, where it keeps anything. The model calls this once, with the
   * layer's number in it, and frees what it returns in the end.
   */
  place?(device: Device, number: number): Disposable;
  /** Output [batch, out] from input `x` [batch, in]; `training` tells layers that differ then. */
  forward(x: Tensor, training?: boolean): Tensor;
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

/** What a layer kept in its forward pass, for its backward. */
export function forwardValue(tensor: Tensor | undefined, layer: Layer): Tensor {
  if (!tensor) throw new TypeError(`Cannot run ${layer.kind}'s backward before its forward`);
  return tensor;
}

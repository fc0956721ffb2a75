/**
 * Dropout, with masks drawn on the GPU: the operation, its backward, and the layer.
 *
 * Why each backward is as it is: [README.md](README.md#every-backward-in-a-line).
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { Random } from "../base/random.ts";
import { formatShape } from "../base/shape.ts";
import type { Device } from "../gpu/device.ts";
import { ReferenceDropout, type ReferenceLayer } from "../reference/mod.ts";
import { checkType, type Out, result } from "./operation.ts";
import { forwardValue, type Layer, type Parameter } from "./layer.ts";
import { Tensor } from "./tensor.ts";

/** Options of {@linkcode dropout} and its backward: the same three give the same mask. */
export interface DropoutOptions extends Out {
  /** Share of elements that are dropped, from 0 to less than 1. */
  readonly rate: number;
  /** Picks one of 2^32 sequences of masks. */
  readonly key: number;
  /** `u32` counter [1]: which mask of the sequence. */
  readonly step: Tensor;
}

const HASHES = 2 ** 32;

/**
 * Dropout (Srivastava et al. 2014), scaled in training: `out = x / (1 - rate)` for elements that are kept, else 0, so that
 * the expectation stays. Elements are kept or dropped by a hash of key, step and their place, independently of each other.
 *
 * @param x Any shape.
 * @param options The rate, and which mask.
 * @returns The same shape.
 * @throws {RangeError} If the rate is not from 0 to less than 1.
 * @throws {TypeError} If the step is no `u32` tensor [1].
 *
 * @example
 * ```ts
 * import { advance, Device, Dropout, dropout, dropoutBackward, Model, Tensor } from "@backhand/backhand";
 * import { assert, assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using x = Tensor.from(device, new Float32Array(1_000).fill(3));
 * using step = Tensor.zeros(device, [1], "u32");
 * const options = { rate: 0.25, key: 42, step };
 * using y = dropout(x, options);
 * const first = await y.read(), kept = first.filter((v) => v === 4);
 * assert(kept.length > 700 && kept.length < 800);
 * using dX = dropoutBackward(x, options); // the same mask
 * assertEquals(await dX.read(), first);
 * advance(step);
 * using other = dropout(x, options); // another one
 * assert((await other.read()).some((v, i) => v !== first[i]));
 *
 * using model = new Model(device, [new Dropout(0.25, { seed: 7 })]);
 * using rows = x.reshape([10, 100]);
 * using inTraining = device.tidy(() => model.forward(rows, { training: true }));
 * assert((await inTraining.read()).every((v) => v === 0 || v === 4));
 * assertEquals(model.forward(rows), rows); // in evaluation
 * ```
 */
export function dropout(x: Tensor, { rate, key, step, out }: DropoutOptions): Tensor {
  checkRate(rate);
  checkType("u32", [step]);
  if (step.size !== 1) throw new TypeError(`Cannot drop out by a step ${formatShape(step.shape)}: need [1]`);
  const y = result([x], x.shape, out);
  const sizes = [x.size, key, hashesBelow(rate)];
  const reals = [1 / (1 - rate)];
  x.device.run(kernels.dropout, { buffers: [x, step, y], sizes, reals, invocations: x.size });
  return y;
}

/**
 * Gradient of {@linkcode dropout}: `dX = dOut / (1 - rate)` for elements that were kept, else 0. It throws as that does.
 *
 * @param options Those of the forward pass; the step must be the same still.
 * @returns `dX`, in the shape of `dOut`.
 */
export function dropoutBackward(dOut: Tensor, options: DropoutOptions): Tensor {
  return dropout(dOut, options);
}

/**
 * Adds 1 to a counter; it starts again after 2^32 - 1.
 *
 * @param counter A `u32` tensor [1].
 * @throws {TypeError} If it is of another type.
 */
export function advance(counter: Tensor): void {
  checkType("u32", [counter]);
  counter.device.run(kernels.advance, { buffers: [counter], invocations: 1 });
}

/**
 * {@linkcode dropout} as a layer: in evaluation nothing happens.
 *
 * The mask is drawn on the GPU from the seed, the layer's number in its model, and a counter that each training
 * pass moves on by one: every step and every replay of a recorded one has a mask of its own, and one seed gives one run.
 */
export class Dropout implements Layer {
  readonly kind: string = "Dropout";
  readonly settings: Readonly<{ rate: number; seed: number }>;
  readonly parameters: readonly Parameter[] = [];
  #options: DropoutOptions | undefined;
  #x: Tensor | undefined;
  #training = false;

  /**
   * Describes the layer; its counter has no place on a GPU yet.
   *
   * @param rate Share of elements that are dropped, from 0 to less than 1.
   * @param options `seed`: fixes the masks, together with the layer's number in its model; 0 by default.
   * @throws {RangeError} If rate or seed are out of range.
   */
  constructor(rate: number, { seed = 0 }: { seed?: number } = {}) {
    checkRate(rate);
    new Random(seed, "check"); // refuses what is no seed
    this.settings = { rate, seed };
  }

  /** For each value of a row, what is dropped together with it; undefined where each is dropped by itself. */
  protected get columnOf(): readonly number[] | undefined {
    return undefined;
  }

  /** `step`: how many training passes there were. */
  get counters(): Readonly<Record<string, Tensor>> {
    return { step: this.#placed.step };
  }

  outputSize(inputs: number): number {
    return inputs;
  }

  place(device: Device, number: number): Disposable {
    const key = Math.floor(new Random(this.settings.seed, `dropout ${number}`).uniform(0, 2 ** 32));
    const step = Tensor.zeros(device, [1], "u32");
    this.#options = { rate: this.settings.rate, key, step };
    return step;
  }

  /**
   * Sets the counter: the next training pass draws mask `step + 1` of the layer's sequence.
   *
   * @param step A whole number, 0 to 2^32 - 1; a new model stands at 0.
   */
  seek(step: number): void {
    this.#placed.step.write(Uint32Array.of(step));
  }

  /** In training `y = x / (1 - rate)` for elements that are kept, else 0; in evaluation `y = x`, the very tensor. */
  forward(x: Tensor, training: boolean = false): Tensor {
    this.#x = x;
    this.#training = training;
    if (!training) return x;
    advance(this.#placed.step);
    return this.drop(x, this.#placed);
  }

  /** `dX = dOut / (1 - rate)` for the same elements, else 0; in evaluation `dX = dOut`, the very tensor. */
  backward(dOut: Tensor): Tensor {
    forwardValue(this.#x, this);
    return this.#training ? this.drop(dOut, this.#placed) : dOut;
  }

  /** Drops from `x`, and in the backward from `dOut`, what the mask says. */
  protected drop(x: Tensor, options: DropoutOptions): Tensor {
    return dropout(x, options);
  }

  reference(): ReferenceLayer {
    return new ReferenceDropout(this.settings.rate, this.#placed.key, this.columnOf);
  }

  get #placed(): DropoutOptions {
    if (!this.#options) throw new TypeError("Cannot run Dropout: its layer is in no Model yet");
    return this.#options;
  }
}

/** How many of all hashes drop what they are of. */
export function hashesBelow(rate: number): number {
  return Math.min(HASHES - 1, Math.round(rate * HASHES));
}

/** Refuses a rate of dropout that leaves nothing, or is none. */
function checkRate(rate: number): void {
  if (!(rate >= 0 && rate < 1)) {
    throw new RangeError(`Cannot drop out a share of ${rate}: need a number from 0 to less than 1`);
  }
}

/**
 * Dropout as a layer.
 *
 * @module
 */
import type { Device } from "../gpu/device.ts";
import { advance, checkRate, dropout, dropoutBackward, type DropoutOptions } from "./dropout.ts";
import { forwardValue, type Layer, type Parameter } from "./layer.ts";
import { Random } from "../base/random.ts";
import { ReferenceDropout, type ReferenceLayer } from "../reference/mod.ts";
import { Tensor } from "./tensor.ts";

/** What a layer has from its model. */
interface Place {
  readonly key: number;
  readonly step: Tensor;
}

/**
 * Dropout (Srivastava et al. 2014), scaled in training: there a share of `rate` elements becomes 0 and the others are
 * multiplied by `1 / (1 - rate)`; in evaluation nothing happens.
 *
 * The mask is drawn on the GPU from the seed, the layer's number in its model, and a counter that goes one on with each
 * training pass: every step and every replay of a recorded one has a mask of its own, and one seed gives one run.
 *
 * @example
 * ```ts
 * import { Device, Dropout, Model, Tensor } from "@backhand/backhand";
 * import { assert, assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using model = new Model(device, [new Dropout(0.5, { seed: 7 })]);
 * using x = Tensor.from(device, new Float32Array(100).fill(1), [10, 10]);
 * using inTraining = device.tidy(() => model.forward(x, { training: true }));
 * assert((await inTraining.read()).every((v) => v === 0 || v === 2));
 * assertEquals(model.forward(x), x);
 * ```
 */
export class Dropout implements Layer {
  readonly kind = "Dropout";
  readonly settings: Readonly<{ rate: number; seed: number }>;
  readonly parameters: readonly Parameter[] = [];
  #place: Place | undefined;
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
    this.#place = { key, step };
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
    return dropout(x, this.#options);
  }

  /** `dX = dOut / (1 - rate)` for the same elements, else 0; in evaluation `dX = dOut`, the very tensor. */
  backward(dOut: Tensor): Tensor {
    forwardValue(this.#x, this);
    return this.#training ? dropoutBackward(dOut, this.#options) : dOut;
  }

  reference(): ReferenceLayer {
    return new ReferenceDropout(this.settings.rate, this.#placed.key);
  }

  get #options(): DropoutOptions {
    return { rate: this.settings.rate, ...this.#placed };
  }

  get #placed(): Place {
    if (!this.#place) throw new TypeError("Cannot run Dropout: its layer is in no Model yet");
    return this.#place;
  }
}

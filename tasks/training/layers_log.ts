/** How the layers of a run fare over its epochs: lines of layers.jsonl. */

import { type LayerNorms, NormsLook } from "../../lib/inspect/sample_look.ts";
import type { Batch } from "../../lib/training/trainer_options.ts";
import type { LayersLine } from "../show/spectator.ts";
import type { Training } from "./build.ts";
import { written } from "./trace.ts";

/** Looks between a late epoch and the one of twice its number: each costs about a millisecond. */
const LOOKS_PER_DOUBLING = 4;

/** Looks at the layers at the ends of some epochs. */
export class LayersLog implements Disposable {
  readonly #look: NormsLook;
  readonly #taken = new Map<number, Promise<LayerNorms>>();

  constructor({ model, loss }: Pick<Training, "model" | "loss">, { x, y }: Batch) {
    this.#look = new NormsLook(model, loss, x, y);
  }

  /**
   * Looks at the layers as they are at this moment, where the epoch is one to be looked at; to be called when the epoch's
   * last step was put on the queue. What it saw is asked for later.
   */
  look(epoch: number): void {
    if (!isLookedAt(epoch)) return;
    const look = this.#look.take();
    look.catch(() => {}); // told in line(), where the run comes that far
    this.#taken.set(epoch, look);
  }

  /**
   * What was seen at an epoch's end.
   *
   * @throws {DeviceError} If the GPU reported a fault.
   */
  async line({ epoch, step }: Readonly<Record<"epoch" | "step", number>>): Promise<LayersLine | undefined> {
    const look = this.#taken.get(epoch);
    if (!look) return undefined;
    this.#taken.delete(epoch);
    const { weights, gradients, dead } = await look;
    return { epoch, step, weights: rounded(weights), gradients: rounded(gradients), dead: rounded(dead) };
  }

  /** Frees what it keeps on the GPU. */
  [Symbol.dispose](): void {
    this.#look[Symbol.dispose]();
  }
}

/**
 * Whether layers are looked at at the end of an epoch: the first 16 are, then 4 in each doubling. It hangs on nothing but the
 * epoch, so that a run that was interrupted, or goes on beyond its end, has the same looks; and a thousand epochs, which may
 * take no time, have 39.
 */
export function isLookedAt(epoch: number): boolean {
  return epoch < 16 || epoch % (2 ** Math.floor(Math.log2(epoch)) / LOOKS_PER_DOUBLING) === 0;
}

function rounded(values: Readonly<Record<string, number>>): Record<string, number | null> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, written(value)]));
}

/** The lines of layers.jsonl: norms of each layer's weights and gradients over the epochs. */

import { type LayerNorms, NormsLook } from "../../lib/inspect/sample_look.ts";
import type { Batch } from "../../lib/training/trainer_options.ts";
import type { LayerRecord } from "../show/view.ts";
import type { Training } from "./training.ts";
import { written } from "./trace.ts";

/** Looks from a late epoch to the one of twice its number. A look costs about a millisecond. */
const LOOKS_PER_DOUBLING = 4;

export class LayersLog implements Disposable {
  readonly #record: () => NormsLook;
  /** Recorded when it is first due: its kernels are compiled after the first steps. */
  #look: NormsLook | undefined;
  readonly #taken = new Map<number, Promise<LayerNorms>>();

  constructor({ model, loss }: Pick<Training, "model" | "loss">, { x, y }: Batch) {
    this.#record = () => new NormsLook(model, loss, x, y);
  }

  /**
   * Looks at the layers as they are now, if the epoch is one of those. Call it when the epoch's last step was put on the
   * queue; {@linkcode line} gives the result later.
   */
  look(epoch: number): Promise<unknown> | undefined {
    if (!isLookedAt(epoch)) return undefined;
    const look = (this.#look ??= this.#record()).take();
    look.catch(() => {}); // line() tells of it, if the run comes that far
    this.#taken.set(epoch, look);
    return look;
  }

  async line({ epoch, step }: Readonly<Record<"epoch" | "step", number>>): Promise<LayerRecord | undefined> {
    const look = this.#taken.get(epoch);
    if (!look) return undefined;
    this.#taken.delete(epoch);
    const { weights, gradients, dead } = await look;
    return { epoch, step, weights: rounded(weights), gradients: rounded(gradients), dead: rounded(dead) };
  }

  [Symbol.dispose](): void {
    this.#look?.[Symbol.dispose]();
  }
}

/**
 * Whether the end of an epoch has a look at the layers: the first 16 have, then 4 in each doubling. It depends on nothing but
 * the epoch, so a run that was interrupted, or is continued after its end, has the same looks. A thousand epochs have 39.
 */
export function isLookedAt(epoch: number): boolean {
  return epoch < 16 || epoch % (2 ** Math.floor(Math.log2(epoch)) / LOOKS_PER_DOUBLING) === 0;
}

function rounded(values: Readonly<Record<string, number>>): Record<string, number | null> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, written(value)]));
}

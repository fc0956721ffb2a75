/** Measures the tensors of some steps while a run trains, for trace.jsonl and DEBUG_TENSORS. The result stays the same. */

import type { MeasuredTensor } from "../../lib/training/look.ts";
import type { Trainer } from "../../lib/training/trainer.ts";
import { formatShape } from "../../lib/base/shape.ts";
import { formatNumber, formatTable } from "../show/text_table.ts";

export interface TraceLine {
  readonly epoch: number;
  /** Over all epochs, from 1. */
  readonly step: number;
  readonly tensors: readonly TracedTensor[];
}

/** A tensor of a step; a measure is null where none of its elements is finite. */
type TracedTensor =
  & Pick<MeasuredTensor, "name" | "shape">
  & Record<"min" | "max" | "mean" | "norm" | "zeros", number | null>
  & { readonly notFinite?: number };

type Traced = Pick<Trainer, "lookAhead" | "stepsPerEpoch">;

/** Gets each step's line, in order. */
type Tell = (line: TraceLine) => Promise<void> | void;

/** Measures every Nth step just before it runs, for 0 none; lines follow when the GPU is done. */
export class Tracer {
  readonly #trainer: Traced;
  readonly #options: { readonly every: number; readonly tell: Tell };
  #told: Promise<void> = Promise.resolve();
  #hasFailed = false;

  constructor(trainer: Traced, options: { readonly every: number; readonly tell: Tell }) {
    this.#trainer = trainer;
    this.#options = options;
  }

  /** A trainer's `between`, where more steps follow: measures the next step if it is one of those. */
  between(step: number): number {
    const { every } = this.#options;
    if (every === 0) return Infinity;
    if (this.#hasFailed) return 0;
    if ((step + 1) % every === 0) this.#look(step + 1);
    return every - (step + 1) % every;
  }

  async settle(): Promise<void> {
    await this.#told;
  }

  #look(step: number): void {
    const look = this.#trainer.lookAhead();
    const before = this.#told;
    const epoch = Math.ceil(step / this.#trainer.stepsPerEpoch);
    this.#told = (async () => {
      await Promise.allSettled([before, look]); // if one fails, the other is over, too
      await before;
      await this.#options.tell({ epoch, step, tensors: (await look).map(traced) });
    })();
    this.#told.catch(() => this.#hasFailed = true); // settle() throws it
  }
}

function traced({ name, shape, min, max, mean, norm, zeros, notFinite }: MeasuredTensor): TracedTensor {
  const measures = { min: written(min), max: written(max), mean: written(mean), norm: written(norm) };
  return { name, shape, ...measures, zeros: written(zeros), ...notFinite > 0 ? { notFinite } : {} };
}

/** In eight digits: float32 has no more. */
export function written(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(8)) : null;
}

export function formatTrace({ step, tensors }: TraceLine): string {
  const number = (value: number | null) => value === null ? "none" : formatNumber(value);
  const lines = tensors.map(({ name, shape, min, max, notFinite }) => [
    name,
    formatShape(shape),
    `min ${number(min)}`,
    `max ${number(max)}`,
    ...notFinite === undefined ? [] : [`${notFinite} not finite`],
  ]);
  return formatTable([[`step ${step}`, "", "", "", ""], ...lines], 2);
}

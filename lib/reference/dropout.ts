/**
 * The oracle's dropout: it draws the GPU's masks, bit for bit.
 *
 * @module
 */
import { Matrix } from "./matrix.ts";
import { mix } from "../base/random.ts";
import type { ReferenceLayer } from "./layers.ts";

/** `1 / (1 - rate)` for elements that are kept, 0 for others: mask `step` of the sequence `key`. */
export function dropoutMask(rows: number, columns: number, rate: number, key: number, step: number): Matrix {
  const dropped = Math.min(2 ** 32 - 1, Math.round(rate * 2 ** 32));
  const stepKey = mix(key + Math.imul(step, 0x9e37_79b9));
  return new Matrix(rows, columns).map((_, i) => {
    const hash = mix(mix(i ^ stepKey) + stepKey) >>> 0;
    return hash < dropped ? 0 : 1 / (1 - rate);
  });
}

/** Dropout in float64. It is in evaluation, where `y = x`, until it is given a step. */
export class ReferenceDropout implements ReferenceLayer {
  readonly parameters: Matrix[] = [];
  readonly gradients: Matrix[] = [];
  /** Number of the mask, the same in each pass; undefined in evaluation. */
  step: number | undefined;
  readonly #rate: number;
  readonly #key: number;
  readonly #columnOf: readonly number[] | undefined;
  #mask!: Matrix;

  /** Takes the rate, which sequence of masks, and for each value of a row the column that is dropped as a whole, if any is. */
  constructor(rate: number, key: number, columnOf?: readonly number[]) {
    this.#rate = rate;
    this.#key = key;
    this.#columnOf = columnOf;
  }

  /** `x * mask`. */
  forward(x: Matrix): Matrix {
    const { rows, columns } = x;
    const columnOf = this.#columnOf ?? Array.from({ length: columns }, (_, j) => j);
    const drawn = Math.max(...columnOf) + 1;
    const mask = this.step === undefined ? undefined : dropoutMask(rows, drawn, this.#rate, this.#key, this.step);
    this.#mask = x.map((_, i) => mask?.data[Math.floor(i / columns) * drawn + columnOf[i % columns]] ?? 1);
    return x.map((value, i) => value * this.#mask.data[i]);
  }

  /** `dOut * mask`. */
  backward(dOut: Matrix): Matrix {
    return dOut.map((value, i) => value * this.#mask.data[i]);
  }
}

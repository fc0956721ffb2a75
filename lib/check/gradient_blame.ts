/**
 * Which side of a gradient check is wrong, and why: the backward in float64 (the oracle), the one on the GPU, or both.
 *
 * @module
 */
import type { Shape } from "../base/shape.ts";
import { causeOf } from "./backward_cause.ts";

/** Where a wrong gradient was computed. */
export type WrongSide = "float64" | "GPU" | "both";

/** What was found of one gradient. */
export interface Sides {
  readonly shape: Shape;
  /** All of the gradient in float64. */
  readonly oracle: ArrayLike<number>;
  /** All of the gradient on the GPU, of the run that is furthest off. */
  readonly gpu: ArrayLike<number>;
  /** The entries that were nudged, and the slope of the loss in each. */
  readonly entries: readonly number[];
  readonly slopes: readonly number[];
  /** Whether two numbers count as the same, on the GPU and in float64. */
  readonly isNear: (found: number, wanted: number) => boolean;
  /** Whether nudging says that the oracle is right. */
  readonly oracleOk: boolean;
}

/** Says whose fault it is. Nudging decides: it needs no backward at all. */
export function blame(sides: Sides): { wrongSide: WrongSide; cause?: string } {
  const { oracle, gpu, entries, slopes, isNear, oracleOk } = sides;
  const gpuIsNudged = entries.every((entry, i) => isNear(gpu[entry], slopes[i]));
  if (oracleOk) {
    const all = Array.from({ length: oracle.length }, (_, entry) => entry);
    return { wrongSide: "GPU", ...explain(sides, gpu, all, all.map((entry) => oracle[entry])) };
  }
  return { wrongSide: gpuIsNudged ? "float64" : "both", ...explain(sides, oracle, entries, slopes) };
}

/** Why one side's gradient is not what it should be, where the numbers show it. */
function explain(
  { shape, isNear }: Sides,
  all: ArrayLike<number>,
  entries: readonly number[],
  slopes: readonly number[],
): { cause?: string } {
  const still = slopes.map((slope) => slope === 0);
  const flat = still.every((isStill) => isStill) ? still.map(() => false) : still;
  const wrong = entries.map((entry, i) => !isNear(all[entry], slopes[i]));
  const cause = causeOf({ shape, sizes: new Set(), all, entries, slopes, errors: slopes.map(() => 0), flat, wrong });
  return cause === undefined ? {} : { cause };
}

/**
 * What a judge has counted, as it lies on the GPU: the `State` of judge_epoch.wgsl, which go_back.wgsl and keep_best.wgsl
 * read, too.
 *
 * @module
 */
import type { JudgeOptions, Verdict } from "./judge_options.ts";

/** Numbers of each member; five stand before them. */
const EACH = 4;

/** What stands for no loss yet. */
export const NO_LOSS = 3.4028234663852886e38;

/** Counts before the first epoch. */
export function startOf(members: number): number[] {
  return [1, 0, 0, 0, 0, ...Array.from({ length: members }, () => [0, NO_LOSS, 0, 0]).flat()];
}

/** What counts say. */
export function verdictOf(counts: readonly number[], { plateau }: JudgeOptions): Verdict {
  const [_factor, waited, drops, isOver, _isBack, ...each] = counts;
  const all = (place: number) => Array.from({ length: each.length / EACH }, (_, m) => each[EACH * m + place]);
  const best = all(1).map((loss) => loss < NO_LOSS ? loss : Infinity);
  // Worked out anew: the GPU has fewer digits of it.
  const rateFactor = (plateau?.factor ?? 1) ** drops;
  return { losses: all(0), best, ages: all(2), waited, drops, rateFactor, isOver: isOver > 0 };
}

/** Counts from elsewhere, as they go on under these options. */
export function countsUnder({ patience = 0, plateau }: JudgeOptions, counts: ArrayLike<number>): number[] {
  const [_factor, waited, drops, _isOver, ...others] = Array.from(counts);
  const isOver = patience > 0 && waited >= patience && drops >= (plateau?.drops ?? (plateau ? Infinity : 0));
  return [rateAfter(drops, plateau?.factor ?? 1), waited, drops, isOver ? 1 : 0, ...others];
}

/** The factor of the learning rate after so many drops, to the bit as the kernel multiplies it. */
function rateAfter(drops: number, factor: number): number {
  let rate = 1;
  if (factor === 1) return rate;
  for (let i = 0; i < drops && rate > 0; i++) rate = Math.fround(rate * Math.fround(factor));
  return rate;
}

/**
 * Intervals that hold the truth as often as was asked for, by split conformal prediction: rows that no step of training used
 * say how far off predictions are.
 *
 * If new rows are like those (exchangeable with them), at least `level` of them lie within, whatever the network (Vovk, Gammerman
 * and Shafer 2005; Lei et al. 2018, "Distribution-free predictive inference for regression", with the residuals divided by a
 * spread as in its section 5.2). Where the rows also chose the epoch, as validation rows do, or were predicted by single
 * members and new rows are by the mean of all, as with folds, this holds nearly: the first makes intervals a little narrow, the
 * second mostly a little wide.
 *
 * @module
 */

/** How many scores are kept at most. */
export const MAX_SCORES = 1_000;

/** At which level two ways to score are compared. */
const COMPARED_LEVEL = 0.9;

/** How far off the predictions of a target were. */
export interface ConformalScores {
  /** Rows that were scored. */
  readonly rows: number;
  /**
   * The scores, sorted; of more than 1,000 rows 1,000 quantiles: score i of m, from 1, is the one of rank `ceil(i rows / m)`. A
   * score is `|y - prediction|` in raw units; of a class 1 minus the probability of the true class. It has seven digits, and is
   * rounded up.
   */
  readonly scores: readonly number[];
  /** Where it is there, residuals are divided by the deviation of the members' predictions plus this, both in raw units. */
  readonly spread?: number;
}

/**
 * Scores rows that no step of training used.
 *
 * @param residuals `|y - prediction|` of each row, or of classes 1 minus the probability of the true class.
 * @param spreads The deviation of the members' predictions of each row. The residuals are divided by it where that makes the
 * intervals of these rows narrower on average, at a level of 0.9.
 * @returns What {@linkcode conformalWidth} needs.
 * @throws {RangeError} If there are no rows, or a residual is not finite.
 *
 * @example
 * ```ts
 * import { conformalScores, type ConformalScores, conformalWidth } from "@backhand/backhand";
 * import { assertEquals, assertThrows } from "@std/assert";
 * const scores: ConformalScores = conformalScores([3, 1, 2, 4, 5, 6, 7, 9, 8]);
 * assertEquals(conformalWidth(scores, 0.5), 5); // the fifth of nine: ceil(0.5 * (9 + 1))
 * assertEquals(conformalWidth(scores, 0.9), 9);
 * assertThrows(() => conformalWidth(scores, 0.95), RangeError, "needs 19 rows");
 * ```
 */
export function conformalScores(residuals: ArrayLike<number>, spreads?: ArrayLike<number>): ConformalScores {
  const plain = kept(Float64Array.from(residuals));
  if (!spreads || plain.rows < leastRows(COMPARED_LEVEL)) return plain;
  const mean = Float64Array.from(spreads).reduce((sum, value) => sum + value, 0) / plain.rows;
  if (!(mean > 0 && mean < Infinity)) return plain;
  const divided = kept(Float64Array.from(residuals, (residual, i) => residual / (spreads[i] + mean)));
  // The mean width is this times the mean of what the scores were divided by, which is the mean spread twice.
  const isNarrower = conformalWidth(divided, COMPARED_LEVEL) * 2 * mean < conformalWidth(plain, COMPARED_LEVEL);
  return isNarrower ? { ...divided, spread: mean } : plain;
}

function kept(scores: Float64Array): ConformalScores {
  const rows = scores.length;
  if (rows === 0) throw new RangeError("Cannot score predictions: there are no rows");
  const odd = scores.find((score) => !Number.isFinite(score));
  if (odd !== undefined) throw new RangeError(`Cannot score predictions: one is off by ${odd}`);
  scores.sort();
  const count = Math.min(rows, MAX_SCORES);
  const ranks = Array.from({ length: count }, (_, i) => Math.ceil((i + 1) * rows / count));
  return { rows, scores: ranks.map((rank) => roundedUp(scores[rank - 1])) };
}

/** Seven digits, as float32 has. Rounded down, all rows that tie with the score would fall out of their intervals. */
function roundedUp(score: number): number {
  const near = Number(score.toPrecision(7));
  if (near >= score) return near;
  const [digits, power] = score.toExponential(6).split("e");
  return Number(`${Math.round(Number(digits) * 1e6) + 1}e${Number(power) - 6}`);
}

/**
 * Half the width of an interval: the score of rank `ceil((rows + 1) level)`. Where the scores have a `spread`, it is to be
 * multiplied by the deviation of the members' predictions plus that spread.
 *
 * @param scores What {@linkcode conformalScores} gave.
 * @param level The share of new rows that shall lie within, over 0 and under 1.
 * @throws {RangeError} If the level is out of range, or too high for so few rows.
 */
export function conformalWidth({ rows, scores }: ConformalScores, level: number): number {
  checkLevel(level);
  const rank = Math.max(1, Math.ceil((rows + 1) * level - SLACK));
  if (rank <= rows) return scores[Math.floor((rank - 1) * scores.length / rows)];
  const found = `the model was scored on ${rows}`;
  throw new RangeError(`Cannot give intervals of level ${level}: that needs ${leastRows(level)} rows, and ${found}`);
}

/** Levels such as 0.9 are no exact binary fractions: 10 times it shall not be more than 9. */
const SLACK = 1e-9;

/** The rows that a level needs: from level / (1 - level) on there is a score of the rank. */
export function leastRows(level: number): number {
  return Math.ceil(level / (1 - level) - SLACK);
}

function checkLevel(level: number): void {
  if (level > 0 && level < 1) return;
  throw new RangeError(`Cannot give intervals of level ${level}: it is a share over 0 and under 1, such as 0.9`);
}

/**
 * The deviation of the members' predictions of each value, in raw units.
 *
 * @param own What the members put out [members * rows, columns], one after the other.
 * @param members How many there are.
 * @param factors Of each column, what one unit of an output is in raw units.
 * @returns Deviations [rows, columns], of the population; zeros for one member.
 */
export function memberSpread(own: ArrayLike<number>, members: number, factors: readonly number[]): Float64Array {
  const size = own.length / members;
  return Float64Array.from({ length: size }, (_, at) => {
    let mean = 0;
    for (let member = 0; member < members; member++) mean += own[member * size + at] / members;
    let squares = 0;
    for (let member = 0; member < members; member++) squares += (own[member * size + at] - mean) ** 2;
    return Math.sqrt(squares / members) * factors[at % factors.length];
  });
}

/** Which classes of a row lie within: those whose `1 - p` is at most the width, and always the most probable one. */
export function conformalClasses(probabilities: ArrayLike<number>, width: number): number[] {
  const order = Array.from(probabilities, (_, i) => i).sort((a, b) => probabilities[b] - probabilities[a] || a - b);
  return order.filter((place, i) => i === 0 || 1 - probabilities[place] <= width);
}

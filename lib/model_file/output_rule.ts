/**
 * What is done to what a network puts out before it counts as its prediction: a model's file holds it.
 *
 * @module
 */
import { showJson } from "../base/printable.ts";
import type { Scaler } from "../data/scaler.ts";
import type { Target } from "../data/table.ts";
import { type ConformalScores, MAX_SCORES } from "../evaluate/conformal.ts";
import { TEMPERATURES } from "../evaluate/temperature.ts";

/** What is done to the outputs of a network. */
export interface OutputRule {
  /** Logits are divided by it, under binary and softmax cross-entropy; 1 if left out. */
  readonly temperature?: number;
  /** Whether predicted numbers are clipped to the range of the training rows' targets, which the scaler of the targets knows. */
  readonly clip?: true;
  /** The least probability that counts as the second of two classes; 0.5 if left out. */
  readonly threshold?: number;
  /** How far off predictions are on rows that training did not see: for each numeric target, or once for classes. */
  readonly conformal?: readonly ConformalScores[];
}

/** Outputs with temperature and clipping, in the scaled units of before; without either the same ones. */
export function applyRule<T extends ArrayLike<number>>(
  outputs: T,
  { temperature, clip }: OutputRule,
  targets: Scaler,
): T | Float64Array {
  if (temperature !== undefined) return Float64Array.from(outputs, (logit) => logit / temperature);
  if (!clip) return outputs;
  const least = targets.transform(targets.columns.map(({ min }) => min));
  const most = targets.transform(targets.columns.map(({ max }) => max));
  const width = least.length;
  // What is not finite stays so: it is no prediction.
  const clipped = (value: number, column: number) => Math.min(Math.max(value, least[column]), most[column]);
  return Float64Array.from(outputs, (value, i) => Number.isFinite(value) ? clipped(value, i % width) : value);
}

/** What a model predicts, as far as a rule depends on it. */
interface Predicted {
  readonly target: Target;
  /** The kind of its loss. */
  readonly loss: string;
}

/**
 * Makes a rule of parsed JSON.
 *
 * @throws {SyntaxError} If it is something else, or does not suit what the model predicts.
 */
export function parseOutputRule(value: unknown, { target, loss }: Predicted): OutputRule {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SyntaxError(`its output is ${showJson(value)}, need an object`);
  }
  const { temperature, clip, threshold, conformal, ...others } = value as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new SyntaxError(`its output has the unknown field ${showJson(unknown)}`);
  const isOfLogits = loss === "bce" || loss === "softmax";
  const classes = target.kind === "classes" ? target.classes.length : 0;
  const [least, most] = TEMPERATURES;
  const isTemperature = typeof temperature === "number" && temperature >= least && temperature <= most && isOfLogits;
  if (temperature !== undefined && !isTemperature) {
    throw new SyntaxError(
      `its temperature is ${showJson(temperature)} under the loss ${loss}, need ${least} to ${most} for probabilities`,
    );
  }
  if (clip !== undefined && !(clip === true && !isOfLogits)) {
    throw new SyntaxError(`its clip is ${showJson(clip)} under the loss ${loss}, need true for numbers`);
  }
  const isThreshold = typeof threshold === "number" && threshold >= 0 && threshold <= 1 && classes === 2;
  if (threshold !== undefined && !isThreshold) {
    throw new SyntaxError(`its threshold is ${showJson(threshold)} for ${classes} classes, need 0 to 1 for two`);
  }
  const columns = scoredColumns(target, loss);
  const isConformal = Array.isArray(conformal) && conformal.length === columns && columns > 0;
  if (conformal !== undefined && !isConformal) {
    throw new SyntaxError(`its conformal scores are not those of ${columns} targets`);
  }
  return {
    ...(temperature === undefined ? {} : { temperature: temperature as number }),
    ...(clip === undefined ? {} : { clip: true }),
    ...(threshold === undefined ? {} : { threshold: threshold as number }),
    ...(conformal === undefined ? {} : { conformal: (conformal as unknown[]).map(parseScores) }),
  };
}

/** How many series of scores a model has: one for each number, one for classes, none for other probabilities. */
export function scoredColumns(target: Target, loss: string): number {
  if (target.kind === "classes") return 1;
  return loss === "bce" || loss === "softmax" ? 0 : target.names.length;
}

function parseScores(value: unknown): ConformalScores {
  const { rows, scores, spread } = Object(value) as Record<string, unknown>;
  const isCount = Number.isSafeInteger(rows) && rows as number >= 1;
  const isSorted = Array.isArray(scores) && scores.length === Math.min(rows as number, MAX_SCORES) &&
    scores.every((score, i) => Number.isFinite(score) && score >= (i === 0 ? 0 : scores[i - 1]));
  const isSpread = spread === undefined || (Number.isFinite(spread) && spread as number > 0);
  if (!isCount || !isSorted || !isSpread) {
    throw new SyntaxError(
      `its conformal scores are ${showJson(value)}, need a number of rows, as many rising scores of 0 or more, ` +
        `${MAX_SCORES} at most, and a spread over 0 if any`,
    );
  }
  const own = { rows: rows as number, scores: scores as number[] };
  return spread === undefined ? own : { ...own, spread: spread as number };
}

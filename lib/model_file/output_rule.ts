/**
 * What is done to what a network puts out, besides the inverse of scaling.
 *
 * @module
 */

import { showJson } from "../base/printable.ts";

/** What is done to the outputs of a network. */
export interface OutputRule {
  /** The least probability that counts as the second of two classes; 0.5 if left out. */
  readonly threshold?: number;
}

/**
 * Makes a rule of parsed JSON, for a network that predicts some classes, 0 for numbers.
 *
 * @throws {SyntaxError} If it is something else.
 */
export function parseOutputRule(value: unknown, classes: number): OutputRule {
  const { threshold } = Object(value) as Record<string, unknown>;
  if (threshold === undefined) return {};
  if (typeof threshold === "number" && threshold >= 0 && threshold <= 1 && classes === 2) return { threshold };
  throw new SyntaxError(`its threshold is ${showJson(threshold)} for ${classes} classes, need 0 to 1 for two`);
}

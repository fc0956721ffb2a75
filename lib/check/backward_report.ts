/**
 * What a check of hand-made gradients found, as data and as text.
 *
 * @module
 */
import { formatShape, type Shape } from "../base/shape.ts";
import { numberText } from "../show/tensor_text.ts";

/** One checked gradient. */
export interface BackwardCheck {
  /** Its name, as it was given. */
  readonly name: string;
  /** Whether every entry that was nudged agrees. */
  readonly ok: boolean;
  /** Its shape. */
  readonly shape: Shape;
  /** How many entries were nudged; 0 if the shape is wrong. */
  readonly entries: number;
  /** How many of them are wrong. */
  readonly wrong: number;
  /** Largest difference to what nudging gives, relative to the tensor's largest entry. */
  readonly difference: number;
  /** Where the entry furthest off stands, such as row and column. */
  readonly worst: readonly number[];
  /** The gradient that was given, at that entry. */
  readonly yours: number;
  /** What nudging gives there. */
  readonly nudged: number;
  /** What explains it, where the numbers show that. */
  readonly cause?: string;
}

/** The checks of all gradients, in the order in which they were given; `toString()` says it for people. */
export class BackwardReport extends Array<BackwardCheck> {
  /** What `map` and `filter` make is a plain array. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /** Whether all gradients are right. */
  get ok(): boolean {
    return this.every(({ ok }) => ok);
  }

  /** A line for each gradient, more for a wrong one: where it is furthest off, both values, and the cause. */
  override toString(): string {
    const width = Math.max(0, ...this.map(({ name }) => name.length));
    return this.map((check) => linesOf(check, width)).join("\n");
  }

  /** What `console.log` shows: the same text. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }
}

function linesOf(
  { name, ok, shape, entries, wrong, difference, worst, yours, nudged, cause }: BackwardCheck,
  width: number,
): string {
  const start = name.padEnd(width);
  const size = shape.reduce((product, length) => product * length, 1);
  const checked = entries < size
    ? `${entries} of ${size} entries, drawn at random`
    : size === 1
    ? "1 entry"
    : `${size} entries`;
  if (ok) {
    return `${start}  right  ${formatShape(shape)}, ${checked}${offText(difference)}`;
  }
  if (entries === 0) return `${start}  WRONG  ${cause}`;
  const place = worst.length === 0 ? "" : `furthest off at ${formatShape(worst)}: `;
  const lines = [
    `${start}  WRONG  ${formatShape(shape)}, ${checked}, ${wrong} wrong${offText(difference)}`,
    `${place}yours ${numberText(yours)}, nudging gives ${numberText(nudged, 4)}`,
  ];
  if (cause !== undefined) lines.push(`cause: ${cause}`);
  return lines.join(`\n${" ".repeat(width + 2)}       `);
}

/** How far off the worst entry is; nothing where it is NaN or infinite. */
function offText(difference: number): string {
  if (!Number.isFinite(difference)) return "";
  return `: off by up to ${numberText(100 * difference, 2)}% of the largest entry`;
}

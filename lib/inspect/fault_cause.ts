/**
 * Why a value became NaN or infinite: a guess, from what the step saw and what went before it.
 *
 * @module
 */

/** A likely cause. */
export interface FaultCause {
  /**
   * `data`: a row holds a value that is not finite; `scale`: inputs or targets are large; `rate`: the loss or the weights
   * have grown by orders of magnitude; `overflow`: huge weights, or gradients whose squares float32 does not hold; `state`: it was there
   * before the steps that were looked at; `unseen`: those steps, taken again, are sound; `unknown`: none of these.
   */
  readonly kind: "data" | "scale" | "rate" | "overflow" | "state" | "unseen" | "unknown";
  /** The same in words, with the values that tell. */
  readonly text: string;
  /** For `rate`: a learning rate to try. */
  readonly rate?: number;
}

/** What is known of a step. */
interface Evidence {
  /** The tensor that is not finite, its value, and the column and row of that. */
  readonly tensor: string;
  readonly value: number;
  readonly column: number;
  readonly row?: number;
  /** Inputs of the batch [batch, inputs], flat. */
  readonly x: ArrayLike<number>;
  /** Targets of the batch, flat. */
  readonly y: ArrayLike<number>;
  /** Values of a row of inputs, and of targets. */
  readonly widths: readonly [inputs: number, targets: number];
  /** Losses of the steps before, oldest first. */
  readonly losses: readonly number[];
  readonly rate: number;
  /** Size of the largest weight before the step, and before the steps that were looked at. */
  readonly weight: readonly [now: number, before: number];
  /** Size of the step's largest gradient. */
  readonly gradient: number;
}

/** Values beyond this are not scaled: those of standardized columns are seldom over 10. */
const LARGE = 100;
/** Growth that no sound training shows within some steps. */
const GROWTH = 100;
/** Steps over which losses are compared. */
const RECENT = 64;
/** Weights beyond this come from no initialisation in use, nor from sound training. */
const HUGE = 1e4;
/** Gradients beyond this have squares beyond float32. */
const ROOT_OF_MAX = 1.8e19;
/** What a learning rate that is too large is to be divided by. */
const SMALLER = 10;

export function likelyCause(evidence: Evidence): FaultCause {
  const { tensor, value, column, row, x, y, widths } = evidence;
  if (tensor === "x" || tensor === "y") {
    const what = tensor === "x" ? "input" : "target";
    return { kind: "data", text: `row ${row} of the training rows has ${value} as its ${what} ${column}` };
  }
  const text = `no row of the batch holds a value beyond ${LARGE}, and neither loss nor weights grew before; ` +
    `the largest weight is ${format(evidence.weight[0])}`;
  return largeColumn("input", x, widths[0]) ?? largeColumn("target", y, widths[1]) ?? growth(evidence) ??
    overflow(evidence) ?? { kind: "unknown", text };
}

function largeColumn(what: string, values: ArrayLike<number>, width: number): FaultCause | undefined {
  const place = largestAt(values);
  const value = values[place];
  if (!(Math.abs(value) > LARGE)) return undefined;
  return { kind: "scale", text: `${what} ${place % width} is not scaled: the batch holds ${format(value)}` };
}

/** Guesses why something else is not finite where all that training computes is. */
export function unseenCause(evidence: Pick<Evidence, "losses" | "rate" | "weight">, step: number): FaultCause {
  const text = `all that training computes up to step ${step} is finite when it is computed again`;
  return growth(evidence) ?? { kind: "unseen", text };
}

function growth(
  { losses, rate, weight: [large, small] }: Pick<Evidence, "losses" | "rate" | "weight">,
): FaultCause | undefined {
  const recent = losses.slice(-RECENT);
  const last = recent.at(-1) ?? NaN;
  const lowest = recent.reduce((low, loss, i) => loss <= recent[low] ? i : low, 0);
  const smaller = Number((rate / SMALLER).toPrecision(3));
  const tooLarge = `a learning rate of ${format(rate)} is too large`;
  if (last > GROWTH * recent[lowest]) {
    const steps = recent.length - 1 - lowest;
    const over = steps === 1 ? "in one step" : `over ${steps} steps`;
    const text = `the loss grew from ${format(recent[lowest])} to ${format(last)} ${over}: ${tooLarge}`;
    return { kind: "rate", text, rate: smaller };
  }
  if (!(large > GROWTH * small)) return undefined;
  const text = `the largest weight grew from ${format(small)} to ${format(large)}: ${tooLarge}`;
  return { kind: "rate", text, rate: smaller };
}

function overflow({ gradient, weight: [large] }: Evidence): FaultCause | undefined {
  if (large > HUGE) return { kind: "overflow", text: `the largest weight is ${format(large)}` };
  if (!(gradient > ROOT_OF_MAX)) return undefined;
  return { kind: "overflow", text: `a gradient is ${format(gradient)}, the square of which float32 does not hold` };
}

/** Size of the largest element of some tensors, of those that are finite. */
export function largest(tensors: readonly ArrayLike<number>[]): number {
  return tensors.reduce((size, data) => Math.max(size, largestFinite(data)), 0);
}

function largestFinite(data: ArrayLike<number>): number {
  const size = Math.abs(data[largestAt(data)] ?? 0);
  return size < Infinity ? size : 0;
}

/** Where the element of largest size is, of those that are finite. */
function largestAt(values: ArrayLike<number>): number {
  let place = 0;
  let size = -1;
  for (let i = 0; i < values.length; i++) {
    const own = Math.abs(values[i]);
    if (own > size && own < Infinity) {
      place = i;
      size = own;
    }
  }
  return place;
}

function format(value: number): string {
  return `${Number(value.toPrecision(3))}`;
}

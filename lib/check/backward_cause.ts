/**
 * Why a gradient is wrong: the usual mistakes leave a mark in the numbers.
 *
 * @module
 */
import { formatShape, sameShape, type Shape } from "../base/shape.ts";

/** Numbers this near count as the same here: a cause explains all of a gradient or it is none. */
const NEAR = 0.02;
/** Share of the largest entry below which numbers say nothing about a ratio. */
const SMALL = 1e-3;

/** Wrong entries, at most, that are called single ones. */
const FEW = 3;

/** Said where the loss stands still, and the gradient does not know it. */
const GATE = "the gate of a ReLU seems to be forgotten: the gradient must be 0 where the ReLU's input was not above 0";
/** Said where the gradient is 0 at entries that move the loss. */
const OTHER_GATE =
  "your gate closes at the wrong places: the sign of the ReLU's input decides, not that of the gradient";
/** Said where the loss has kinks, and nothing else explains the gradient. */
export const PERHAPS_GATE = "perhaps the gate of a ReLU is forgotten: the loss bends as behind one. " +
  "Where the ReLU's input was not above 0, the gradient must be 0";

/** A gradient, as far as it was checked. */
export interface Compared {
  readonly shape: Shape;
  /** Numbers that n might be: lengths of axes, and sizes, of all tensors that are checked. */
  readonly sizes: ReadonlySet<number>;
  /** All of the caller's gradient. */
  readonly all: ArrayLike<number>;
  /** The entries that were nudged, the slope of each, how far off that may be, and whether the loss did not move at all. */
  readonly entries: readonly number[];
  readonly slopes: readonly number[];
  readonly errors: readonly number[];
  readonly flat: readonly boolean[];
  /** Which of them are wrong. */
  readonly wrong: readonly boolean[];
}

/** Why a gradient has the wrong shape. */
export function causeOfShape(name: string, shape: Shape, wanted: Shape): string {
  const what = `the shape is ${formatShape(shape)}, but must be ${formatShape(wanted)}, as of the tensor it belongs to`;
  if (shape.length === 2 && sameShape([...shape].reverse(), wanted)) {
    return `${what}: it is transposed; call transpose(${name}), or swap the operands of the product`;
  }
  const longest = (lengths: Shape) => Math.max(1, ...lengths);
  const isVector = (lengths: Shape) => lengths.reduce((product, length) => product * length, 1) === longest(lengths);
  if (isVector(wanted) && longest(shape) !== longest(wanted)) {
    return `${what}: was it summed over the wrong axis? A bias needs the sum over rows, axis 0`;
  }
  return what;
}

/** What explains all entries at once; undefined where nothing does. */
export function causeOf(compared: Compared): string | undefined {
  const { all, entries, slopes, errors, flat, wrong } = compared;
  const yours = entries.map((entry) => all[entry]);
  const wrongEntries = [...wrong.keys()].filter((i) => wrong[i]);
  const notFinite = yours.findIndex((value) => !Number.isFinite(value));
  if (notFinite >= 0) return `your gradient is ${yours[notFinite]} there`;
  if (flat.every((isFlat) => isFlat)) {
    return "nudging the tensor does not change the loss: is it the one that the loss is computed from? " +
      "Or does a ReLU that is off stand between them? Then the gradient is 0";
  }
  if (yours.every((value) => value === 0)) return "every entry is 0: the gradient was never written";
  const cause = causeOfFactor(compared, yours) ?? causeOfOrder(compared, wrongEntries.length);
  if (cause !== undefined) return cause;
  // A large nudge may switch on what is off, so the loss need not be flat.
  const isStill = slopes.map((slope, i) => flat[i] || Math.abs(slope) <= errors[i]);
  const dead = wrongEntries.filter((i) => isStill[i]).length;
  if (wrongEntries.length <= FEW && wrongEntries.length < entries.length / 4 && dead < 2) {
    return "the other entries are right: look at what is special about this one";
  }
  if (dead === 0 && mayMissGate(yours, isStill)) return undefined;
  const shut = wrongEntries.filter((i) => yours[i] === 0 && !isStill[i]).length;
  if (shut > 0 && shut + dead === wrongEntries.length) return OTHER_GATE;
  return dead > 0 ? GATE : undefined;
}

/**
 * Whether numbers allow that a gate is forgotten. Where the loss stands still and the gradient is 0, there is a gate.
 * Of one or two numbers anything might be the cause.
 */
export function mayMissGate(yours: readonly number[], flat: readonly boolean[]): boolean {
  return yours.length > 2 && !yours.some((value, i) => flat[i] && value === 0);
}

/** Every entry is off by the same factor. */
function causeOfFactor({ sizes, slopes, errors }: Compared, yours: readonly number[]): string | undefined {
  let products = 0;
  let squares = 0;
  yours.forEach((value, i) => {
    products += value * slopes[i];
    squares += value * value;
  });
  const factor = products / squares;
  if (!near(slopes, yours.map((value) => factor * value), errors)) return undefined;
  const sign = factor < 0 ? "the sign is flipped" : "";
  const size = sizeText(Math.abs(factor), yours.length, sizes);
  if (size === undefined) return undefined;
  // A few parts in a hundred are no usual mistake.
  return [sign, size].filter((text) => text !== "").join(", and ") || undefined;
}

/** What a factor between gradients comes from: the right one is `factor` times the caller's. */
function sizeText(factor: number, entries: number, sizes: ReadonlySet<number>): string | undefined {
  const is = (wanted: number) => Math.abs(factor / wanted - 1) < NEAR;
  if (is(1)) return "";
  if (is(2)) return "a factor of 2 is missing: the slope of e² is 2 e";
  if (is(1 / 2)) return "a factor of 2 is too many";
  const times = Math.round(factor);
  const parts = Math.round(1 / factor);
  if (parts > 2 && is(1 / parts)) {
    const other = `2/n is missing, with n = ${2 * parts}`;
    if (sizes.has(2 * parts) && !sizes.has(parts)) return `${other}: it is ${parts} times too large`;
    const text = `1/n is missing: it is n = ${parts} times too large, as if a sum stood for the mean`;
    return sizes.has(2 * parts) ? `${text} (or ${other})` : text;
  }
  if (times > 2 && is(times)) {
    return `1/n is too many: it is n = ${times} times too small, as if a mean was taken twice`;
  }
  // A single number is always some multiple of another.
  return entries > 2 ? `every entry must be ${Number(factor.toPrecision(3))} times as large` : undefined;
}

/** The right numbers at wrong places, or sums over another axis. */
function causeOfOrder({ shape, all, entries, slopes, errors }: Compared, wrong: number): string | undefined {
  const [rows, columns] = shape;
  if (shape.length === 2 && rows > 1 && columns > 1) {
    const swapped = entries.map((entry) => all[(entry % columns) * rows + Math.floor(entry / columns)]);
    if (near(slopes, swapped, errors)) {
      return "it is transposed: the numbers are right, but rows and columns are swapped";
    }
  }
  const isVector = Math.max(0, ...shape) === all.length && all.length > 1;
  if (!isVector || entries.length < all.length || wrong < all.length / 2) return undefined;
  const total = entries.reduce((sum, entry) => sum + all[entry], 0);
  const wanted = slopes.reduce((sum, slope) => sum + slope, 0);
  const size = slopes.reduce((sum, slope) => sum + Math.abs(slope), 0);
  const doubt = errors.reduce((sum, error) => sum + error, 0);
  const isAll = entries.every((entry) => Math.abs(all[entry] - wanted) <= NEAR * Math.abs(wanted) + doubt);
  if (Math.abs(total - wanted) > (NEAR / 4) * size + doubt && !isAll) return undefined;
  return "it is summed over the wrong axis: the entries add up to the right total, but each is another sum";
}

/** Whether all of some numbers are near the others, next to the largest. */
function near(a: readonly number[], b: readonly number[], errors: readonly number[]): boolean {
  const largest = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return a.every((value, i) => {
    return Math.abs(value - b[i]) <= NEAR * Math.max(Math.abs(value), SMALL * largest) + errors[i];
  });
}

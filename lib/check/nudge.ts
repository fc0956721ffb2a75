/**
 * What nudging says of a gradient: one entry of a tensor is moved up and down, and the loss tells its slope. In float32 no
 * one step fits all entries: a large one bends the curve or crosses a kink, a small one drowns in rounding. So there are five
 * steps, and the two neighbours that agree best count.
 *
 * @module
 */

/** Steps, as parts of the entry's size; each is a quarter of the one before. */
const STEPS = [0.16, 0.04, 0.01, 0.0025, 0.000625];
/** Of an entry that is much smaller than its tensor's others, and of a tensor of zeros. */
const LEAST_SIZE = 0.1;
/** Steps so small that what the loss does there is rounding. */
const ROUNDING_STEPS = [1e-6, -1e-6, 2e-6, -2e-6];
/** Places of a scan, and how far it reaches, in sizes of the entry. */
const SCAN = 97;
const SCAN_REACH = 3;
/** float32 rounds to this part of a number. */
const EPSILON = 2 ** -23;

/** Values that an entry takes, two for each step: above, below. */
export function nudgesOf(value: number, size: number): number[] {
  const scale = Math.max(Math.abs(value), size, LEAST_SIZE);
  return STEPS.flatMap((step) => [Math.fround(value + step * scale), Math.fround(value - step * scale)]);
}

/** Values that an entry takes to find how much the loss rounds. */
export function roundingNudgesOf(value: number, size: number): number[] {
  const scale = Math.max(Math.abs(value), size, LEAST_SIZE);
  return ROUNDING_STEPS.map((step) => Math.fround(value + step * scale));
}

/** What the loss rounds: at least the last bit of float32, or what it does under the smallest of nudges. */
export function roundingOf(loss: number, nearby: ArrayLike<number>): number {
  let most = 2 * EPSILON * Math.abs(loss);
  for (let i = 0; i < nearby.length; i++) {
    const difference = Math.abs(nearby[i] - loss);
    if (difference > most && difference < Infinity) most = difference;
  }
  return most;
}

/** The slope of the loss in one entry. */
export interface Slope {
  /** The slope. At a kink the one of the side that the caller's gradient is nearer to; NaN if the loss is not finite there. */
  readonly slope: number;
  /** How far off it may be. */
  readonly error: number;
  /** The loss bends sharply there, as ReLU does at 0: every slope between those of both sides is right. */
  readonly kink: boolean;
  /** The loss was the same, bit for bit, wherever the entry was put. */
  readonly flat: boolean;
}

interface Step {
  /** Central difference, and those of each side. */
  readonly central: number;
  readonly above: number;
  readonly below: number;
  /** What rounding does to the central one. */
  readonly rounding: number;
}

/**
 * The slope from the losses at {@linkcode nudgesOf}.
 *
 * @param value The entry as it is.
 * @param loss The loss there.
 * @param nudges Values that the entry took.
 * @param losses The losses there.
 * @param rounding What a loss rounds.
 * @param yours The caller's gradient: at a kink it may be any slope between those of both sides.
 */
export function slopeOf(
  value: number,
  loss: number,
  nudges: readonly number[],
  losses: ArrayLike<number>,
  rounding: number,
  yours: number,
): Slope {
  const steps = STEPS.map((_, i) => stepOf(value, loss, nudges, losses, i, rounding));
  const flat = nudges.every((_, i) => losses[i] === loss);
  let best: Pick<Slope, "slope" | "error"> = { slope: NaN, error: Infinity };
  for (let i = 1; i < steps.length; i++) {
    const difference = steps[i].central - steps[i - 1].central;
    // Large steps over a kink agree among each other: the smaller ones must not say otherwise.
    const objections = steps.slice(i + 1).map(({ central, rounding }) => {
      return Math.max(0, Math.abs(central - steps[i].central) - 2 * rounding);
    });
    // Without a kink the slopes above and below are a quarter as far apart at a quarter of the step.
    const jump = (4 / 3) * Math.abs(gapOf(steps[i]) - gapOf(steps[i - 1]) / 4);
    const error = Math.abs(difference) + jump / 2 + steps[i].rounding + Math.max(0, ...objections);
    // What the larger step is off goes with its square: so much of it is left in the smaller one (Richardson).
    if (error < best.error) best = { slope: steps[i].central + difference / 15, error };
  }
  const smallest = steps[steps.length - 1];
  if (isKink(steps)) {
    const low = Math.min(smallest.above, smallest.below);
    const high = Math.max(smallest.above, smallest.below);
    return { slope: Math.min(Math.max(yours, low), high), error: 2 * smallest.rounding, kink: true, flat };
  }
  // If kinks spoil all larger steps, the slope still lies between those of both sides of the smallest.
  const between = Math.abs(gapOf(smallest)) / 2 + 2 * smallest.rounding;
  if (between < best.error) best = { slope: smallest.central, error: between };
  return { ...best, kink: false, flat };
}

function stepOf(
  value: number,
  loss: number,
  nudges: readonly number[],
  losses: ArrayLike<number>,
  i: number,
  rounding: number,
): Step {
  const up = nudges[2 * i] - value;
  const down = value - nudges[2 * i + 1];
  const higher = losses[2 * i];
  const lower = losses[2 * i + 1];
  return {
    central: (higher - lower) / (up + down),
    above: (higher - loss) / up,
    below: (loss - lower) / down,
    rounding: (2 * rounding) / (up + down),
  };
}

/** How much steeper the loss is above than below. */
function gapOf({ above, below }: Step): number {
  return above - below;
}

/**
 * Whether the loss has a kink at the entry itself. Where it is smooth, the slopes above and below come together as the step
 * shrinks, four times as near for a quarter of the step. At a kink they stay apart.
 */
function isKink(steps: readonly Step[]): boolean {
  const smallest = steps[steps.length - 1];
  const before = steps[steps.length - 2];
  const gap = Math.abs(gapOf(smallest));
  return gap > 0.5 * Math.abs(gapOf(before)) && gap > 8 * smallest.rounding;
}

/** Places along an entry's axis, evenly spaced, to see whether the loss has kinks there at all. */
export function scanOf(value: number, size: number): number[] {
  const scale = Math.max(Math.abs(value), size, LEAST_SIZE);
  return Array.from(
    { length: SCAN },
    (_, i) => Math.fround(value + (SCAN_REACH * scale * (2 * i - SCAN + 1)) / (SCAN - 1)),
  );
}

/** Whether losses at evenly spaced places have kinks: a second difference that stands out among its neighbours. */
export function hasKinks(losses: ArrayLike<number>, rounding: number): boolean {
  const bends = Array.from({ length: losses.length - 2 }, (_, i) => losses[i] - 2 * losses[i + 1] + losses[i + 2]);
  const sizes = bends.map(Math.abs).sort((a, b) => a - b);
  const typical = sizes[Math.floor(0.9 * sizes.length)];
  return bends.slice(2, -2).some((bend, i) => {
    const around = [bends[i], bends[i + 1], bends[i + 3], bends[i + 4]].sort((a, b) => a - b);
    const above = bend - around[3];
    const below = around[0] - bend;
    return Math.max(above, below) > 0.1 * typical + 16 * rounding;
  });
}

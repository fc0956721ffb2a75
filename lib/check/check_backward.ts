/**
 * Checks gradients that the caller worked out by hand, for any loss that is computed from tensors.
 *
 * @module
 */
import { Random } from "../base/random.ts";
import { sameShape, type Shape } from "../base/shape.ts";
import { readAll, Tensor } from "../core/tensor.ts";
import type { Device } from "../gpu/device.ts";
import { causeOf, causeOfShape, mayMissGate, PERHAPS_GATE } from "./backward_cause.ts";
import { type BackwardCheck, BackwardReport } from "./backward_report.ts";
import { LossRuns, type Nudge } from "./loss_runs.ts";
import { hasKinks, nudgesOf, roundingNudgesOf, roundingOf, scanOf, type Slope, slopeOf } from "./nudge.ts";

export { type BackwardCheck, BackwardReport } from "./backward_report.ts";

/** Share of the largest entry below which an entry is held to no more. */
const SMALL = 1e-3;
/** Share of the largest entry that a slope may be off, to count where the cause is looked for. */
const CLEAR = 0.02;
/** Entries whose losses tell how much the loss rounds. */
const ROUNDING_ENTRIES = 4;
/** Entries along which kinks are looked for, once a gradient is wrong. */
const SCANNED = 4;

/** Options of {@linkcode checkBackward}. */
export interface BackwardOptions {
  /** How many entries of a tensor to nudge at most, drawn at random; by default 128. */
  readonly entries?: number;
  /** Fixes which; by default 0. */
  readonly seed?: number;
  /** The largest relative difference that counts as right; by default 0.005. */
  readonly tolerance?: number;
}

/** A tensor and the caller's gradient of it, with what both held. */
interface Pair {
  readonly name: string;
  readonly tensor: Tensor;
  readonly gradient: Tensor;
  readonly values: Float32Array;
  readonly yours: Float32Array;
  /** The entries to nudge; none where the shapes differ. */
  readonly entries: readonly number[];
  /** Root of the mean square of the tensor. */
  readonly size: number;
}

/**
 * Checks gradients worked out by hand: nudges each entry of each tensor, looks at what the loss does, and compares that with
 * the gradient. Of a large tensor it takes entries at random. What is wrong it explains where the numbers show a usual mistake:
 * sign, factor 2, 1/n, transposed, summed over the wrong axis, the gate of a ReLU forgotten.
 *
 * The loss is nudged in float32, with several steps for each entry; those that agree best count. Where a nudge crosses the
 * kink of a ReLU, and at the kink itself, no right gradient counts as wrong. All losses are read in one wait; a second wait
 * looks for the cause if a gradient is wrong. The tensors hold afterwards what they held before.
 *
 * @param device Where the tensors are.
 * @param loss Computes the loss, a tensor of one element, from the tensors as they are at that moment. It is called again and
 * again, or recorded once, so it must not wait, and must give the same loss for the same tensors.
 * @param gradients By the gradient's name: the tensor that is nudged, and the gradient to check.
 * @param options How many entries, and how near.
 * @returns A line for each gradient; as text it says what is wrong.
 * @throws {TypeError} If the loss is no tensor of one element, or what is given are no `f32` tensors of this device.
 * @throws {RangeError} If the loss is NaN or infinite, or is another when nothing changed.
 *
 * @example
 * ```ts
 * import { type BackwardReport, checkBackward, Device } from "@backhand/backhand";
 * import { matmul, matmulBackward, mse, Tensor } from "@backhand/backhand";
 * import { assert, assertStringIncludes } from "@std/assert";
 * using device = await Device.request();
 * using x = Tensor.from(device, [[1, 2], [3, 4], [5, 7]]);
 * using y = Tensor.from(device, [[1], [0], [2]]);
 * using w = Tensor.from(device, [[0.5], [-0.25]]);
 * const loss = () => mse.forward(matmul(x, w), y);
 * using dW = device.tidy(() => matmulBackward(x, w, mse.backward(matmul(x, w), y)).dB);
 * const report: BackwardReport = await checkBackward(device, loss, { dW: [w, dW] });
 * assert(report.ok, `${report}`);
 *
 * dW.write((await dW.read()).map((value) => -value));
 * const wrong = await checkBackward(device, loss, { dW: [w, dW] });
 * assertStringIncludes(`${wrong}`, "the sign is flipped");
 * ```
 */
export async function checkBackward(
  device: Device,
  loss: () => Tensor,
  gradients: Readonly<Record<string, readonly [tensor: Tensor, gradient: Tensor]>>,
  options: BackwardOptions = {},
): Promise<BackwardReport> {
  const { tolerance = 0.005 } = options;
  const pairs = await readPairs(device, gradients, options);
  const runs = new LossRuns(device, loss);
  const { before, losses } = await runs.run(pairs.flatMap(nudgesOfPair));
  let at = 0;
  const take = (count: number) => losses.subarray(at, at += count);
  const sizes = new Set(pairs.flatMap(({ tensor: { shape, size } }) => [...shape, size]));
  const judged = pairs.map((pair) => {
    if (!sameShape(pair.tensor.shape, pair.gradient.shape)) {
      return { pair, check: wrongShape(pair), rounding: 0, mayBeGate: false };
    }
    const { values, yours, entries, size } = pair;
    const rounding = roundingOf(before, take(roundingPlaces(pair).length));
    const slopes = entries.map((entry) => {
      const places = nudgesOf(values[entry], size);
      return slopeOf(values[entry], before, places, take(places.length), rounding, yours[entry]);
    });
    const mayBeGate = mayMissGate(entries.map((entry) => yours[entry]), slopes.map(({ flat }) => flat));
    return { pair, check: judge(pair, slopes, tolerance, sizes), rounding, mayBeGate };
  });
  const open = judged.filter(({ check: { ok, cause }, mayBeGate }) => !ok && cause === undefined && mayBeGate);
  const gates = open.length > 0 ? await findGates(runs, open) : new Map<Pair, string>();
  const report = new BackwardReport();
  for (const { pair, check } of judged) {
    const cause = gates.get(pair);
    report.push(cause === undefined ? check : { ...check, cause });
  }
  return report;
}

/** Reads all tensors and gradients in one wait, and chooses entries. */
async function readPairs(
  device: Device,
  gradients: Readonly<Record<string, readonly [Tensor, Tensor]>>,
  { entries: most = 128, seed = 0 }: BackwardOptions,
): Promise<Pair[]> {
  const named = Object.entries(gradients).map(([name, [tensor, gradient]]) => ({ name, tensor, gradient }));
  for (const { name, tensor, gradient } of named) {
    checkGiven(device, tensor, `the tensor of ${name}`);
    checkGiven(device, gradient, name);
  }
  const read = await readAll(named.flatMap(({ tensor, gradient }) => [tensor, gradient]));
  return named.map(({ name, tensor, gradient }, i) => {
    const values = read[2 * i] as Float32Array;
    const random = new Random(seed, `checkBackward ${name}`);
    const isAlike = sameShape(tensor.shape, gradient.shape);
    const order = isAlike ? random.permutation(tensor.size).subarray(0, most).sort() : [];
    const squares = values.reduce((sum, value) => sum + value * value, 0);
    const size = Math.sqrt(squares / Math.max(1, values.length));
    return { name, tensor, gradient, values, yours: read[2 * i + 1] as Float32Array, entries: [...order], size };
  });
}

function checkGiven(device: Device, tensor: unknown, what: string): void {
  if (!(tensor instanceof Tensor)) {
    throw new TypeError(
      `Cannot check gradients: ${what} is no tensor; give { dW: [w, dW] }, the tensor and its gradient`,
    );
  }
  if (tensor.dtype !== "f32") {
    throw new TypeError(`Cannot check gradients: ${what} is ${tensor.dtype}, and only f32 has a gradient`);
  }
  if (tensor.device !== device) throw new TypeError(`Cannot check gradients: ${what} is on another device`);
}

/** Places along the axes of a few entries that show how much the loss rounds. */
function roundingPlaces({ tensor, values, entries, size }: Pair): Nudge[] {
  return entries.slice(0, ROUNDING_ENTRIES).flatMap((entry) => {
    return roundingNudgesOf(values[entry], size).map((value) => ({ tensor, entry, before: values[entry], value }));
  });
}

function nudgesOfPair(pair: Pair): Nudge[] {
  const { tensor, values, entries, size } = pair;
  const nudges = entries.flatMap((entry) => {
    return nudgesOf(values[entry], size).map((value) => ({ tensor, entry, before: values[entry], value }));
  });
  return [...roundingPlaces(pair), ...nudges];
}

function wrongShape({ name, tensor, gradient }: Pair): BackwardCheck {
  const cause = causeOfShape(name, gradient.shape, tensor.shape);
  const { shape } = gradient;
  return { name, ok: false, shape, entries: 0, wrong: 0, difference: NaN, worst: [], yours: NaN, nudged: NaN, cause };
}

function judge(
  { name, gradient: { shape }, yours, entries }: Pair,
  slopes: readonly Slope[],
  tolerance: number,
  sizes: ReadonlySet<number>,
): BackwardCheck {
  let largest = 0;
  entries.forEach((entry, i) => {
    for (const size of [Math.abs(yours[entry]), Math.abs(slopes[i].slope)]) {
      if (size > largest && size < Infinity) largest = size;
    }
  });
  const wrong: boolean[] = [];
  let difference = 0;
  let worst = { at: 0, excess: -1 };
  slopes.forEach(({ slope, error }, i) => {
    const mine = yours[entries[i]];
    const off = Math.abs(mine - slope);
    const allowed = tolerance * Math.max(Math.abs(mine), Math.abs(slope), SMALL * largest) + 2 * error;
    const isRight = off <= allowed; // false where one is NaN
    wrong.push(!isRight);
    const excess = off === 0 ? 0 : isRight ? off / allowed : Number.isFinite(off) ? off / allowed : Infinity;
    if (excess > worst.excess) worst = { at: i, excess };
    difference = Math.max(difference, off / (largest || 1));
  });
  const count = wrong.filter((isWrong) => isWrong).length;
  const checked = {
    name,
    ok: count === 0,
    shape,
    entries: entries.length,
    wrong: count,
    difference,
    worst: indexOf(entries[worst.at] ?? 0, shape),
    yours: yours[entries[worst.at]] ?? NaN,
    nudged: slopes[worst.at]?.slope ?? NaN,
  };
  if (count === 0) return checked;
  // What is not known well says nothing about the cause.
  const clear = [...slopes.keys()].filter((i) => !slopes[i].kink && !(slopes[i].error > CLEAR * largest));
  const cause = causeOf({
    shape,
    sizes,
    all: yours,
    entries: clear.map((i) => entries[i]),
    slopes: clear.map((i) => slopes[i].slope),
    errors: clear.map((i) => slopes[i].error),
    flat: clear.map((i) => slopes[i].flat),
    wrong: clear.map((i) => wrong[i]),
  });
  return cause === undefined ? checked : { ...checked, cause };
}

/** Row, column and so on of an entry, last axis fastest. */
function indexOf(entry: number, shape: Shape): number[] {
  const index: number[] = [];
  let rest = entry;
  for (const length of shape.toReversed()) {
    index.unshift(rest % length);
    rest = Math.floor(rest / length);
  }
  return index;
}

/** What might be the gate of a ReLU that was forgotten: the loss has the kinks of one along the first entries. */
async function findGates(
  runs: LossRuns,
  open: readonly { readonly pair: Pair; readonly check: BackwardCheck; readonly rounding: number }[],
): Promise<Map<Pair, string>> {
  const scans = open.map(({ pair: { tensor, values, entries, size } }) => {
    return entries.slice(0, SCANNED).map((entry) => {
      return scanOf(values[entry], size).map((value) => ({ tensor, entry, before: values[entry], value }));
    });
  });
  const { losses } = await runs.run(scans.flat(2));
  let at = 0;
  const found = new Map<Pair, string>();
  open.forEach(({ pair, rounding }, i) => {
    const bent = scans[i].filter((scan) => hasKinks(losses.subarray(at, at += scan.length), rounding)).length;
    if (bent === 0) return;
    found.set(pair, PERHAPS_GATE);
  });
  return found;
}

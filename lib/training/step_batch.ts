/**
 * Runs of steps that are on the queue and are read together, in one wait: their losses, what the judge has decided of their
 * epochs, and whether all is finite.
 *
 * @module
 */
import { NotFiniteError } from "../base/errors.ts";
import { readAll, Tensor } from "../core/tensor.ts";
import type { FiniteWatch } from "./finite_watch.ts";
import type { Judge, Verdict } from "./judge.ts";

/** Steps on one window of one epoch that are put on the queue together. */
export interface QueuedSteps {
  /** The first of them on the window, from 0. */
  readonly start: number;
  readonly steps: number;
  /** The first of them over all epochs, from 1. */
  readonly firstStep: number;
  /** Whether they end the epoch. */
  readonly ends: boolean;
  /** Whether a look at the tensors that the training keeps follows. */
  readonly isWatched: boolean;
}

/** What was read of a run. */
export interface ReadSteps<Run> {
  readonly run: Run;
  readonly losses: Float32Array;
  /** Where it ends an epoch that was judged. */
  readonly verdict?: Verdict;
  /** Why the training cannot continue after it. */
  readonly error?: NotFiniteError;
}

/** In a group: makes losses of some rows those of all rows, and flags of one rank those of any rank. */
type Merge = (losses: Float32Array<ArrayBuffer>, flags?: Float32Array<ArrayBuffer>) => Promise<void> | undefined;

/** Most steps of a batch. */
export const MAX_STEPS = 16_384;

/** The runs that are yet to be read. */
export class StepBatch<Run extends QueuedSteps> implements Disposable {
  readonly #watch: FiniteWatch;
  /** Loss of each step on the window in place; the next window writes over them. */
  readonly #losses: Tensor;
  readonly #judge: Judge | undefined;
  readonly #kept: Tensor;
  #runs: Run[] = [];
  #steps = 0;
  #epochs = 0;

  constructor(watch: FiniteWatch, losses: Tensor, judge: Judge | undefined) {
    this.#watch = watch;
    this.#losses = losses;
    this.#judge = judge?.isMeasuring ? judge : undefined;
    this.#kept = Tensor.zeros(losses.device, [MAX_STEPS]);
  }

  /** Steps in it. */
  get steps(): number {
    return this.#steps;
  }

  /** Whether as many epochs are in it as the judge can keep. */
  get isFull(): boolean {
    return this.#judge !== undefined && this.#epochs >= this.#judge.slots;
  }

  /** To be called before the next run is put on the queue: keeps the losses of the last one. */
  keep(): void {
    const last = this.#runs.at(-1);
    if (!last) return;
    const { start, steps } = last;
    this.#losses.device.copy(this.#losses.view(start, [steps]), this.#kept.view(this.#steps - steps, [steps]));
  }

  /** Takes a run whose steps were put on the queue; where it ends an epoch, the judge follows. */
  add(run: Run): void {
    if (this.#runs.length === 0) this.#judge?.begin();
    this.#runs.push(run);
    this.#steps += run.steps;
    if (!run.ends || !this.#judge) return;
    this.#judge.measureAndJudge();
    this.#epochs++;
  }

  /**
   * Reads all runs, in order, up to the first with an error, or to the end of the training.
   *
   * @param merge In a group, of the only run.
   */
  async read(merge: Merge): Promise<ReadSteps<Run>[]> {
    const runs = this.#runs;
    const judge = this.#epochs > 0 ? this.#judge : undefined;
    const epochs = this.#epochs;
    const last = runs.at(-1)!;
    const before = this.#steps - last.steps;
    const isWatched = runs.some(({ isWatched }) => isWatched);
    this.#runs = [];
    this.#steps = 0;
    this.#epochs = 0;
    if (isWatched) this.#watch.queueLook();
    const places = [this.#losses.view(last.start, [last.steps])];
    if (before > 0) places.push(this.#kept.view(0, [before]));
    if (judge) places.push(judge.verdicts(epochs));
    if (isWatched) places.push(this.#watch.flags);
    const numbers = await readAll(places);
    const own = numbers[0] as Float32Array<ArrayBuffer>;
    const kept = before > 0 ? numbers[1] as Float32Array<ArrayBuffer> : new Float32Array();
    const flags = isWatched ? Float32Array.from(numbers.at(-1)!) : undefined;
    await merge(own, flags);
    const verdicts = judge?.take(numbers[before > 0 ? 2 : 1]) ?? [];
    const read: ReadSteps<Run>[] = [];
    let at = 0;
    for (const run of runs) {
      const losses = run === last ? own : kept.subarray(at, at + run.steps);
      at += run.steps;
      const verdict = run.ends ? verdicts.shift() : undefined;
      const error = this.#watch.faultOf(losses, run.firstStep) ?? faultOf(verdict, run);
      read.push({ run, losses, verdict, error });
      if (error || verdict?.isOver) return read;
    }
    const error = flags && this.#watch.faultOfFlags(flags, last.firstStep + last.steps - 1);
    if (error) read.push({ ...read.pop()!, error });
    return read;
  }

  /** Forgets what was not read. */
  clear(): void {
    this.#runs = [];
    this.#steps = 0;
    this.#epochs = 0;
  }

  [Symbol.dispose](): void {
    this.#kept.dispose();
  }
}

/** A validation loss that is not finite. */
export function faultOf(verdict: Verdict | undefined, run: QueuedSteps): NotFiniteError | undefined {
  const bad = verdict?.losses.findIndex((loss) => !Number.isFinite(loss)) ?? -1;
  if (bad < 0) return undefined;
  const { losses } = verdict!;
  const whose = losses.length > 1 ? ` of member ${bad + 1}` : "";
  return new NotFiniteError(`validation loss${whose}`, losses[bad], run.firstStep + run.steps - 1);
}

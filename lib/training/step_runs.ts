/**
 * Where a training stands, and how its epochs are cut into runs of steps on windows of rows.
 *
 * @module
 */
import type { Visit } from "./epoch_plan.ts";
import type { RowWindows } from "./row_windows.ts";
import type { QueuedSteps } from "./step_batch.ts";
import type { Share, TrainingStep } from "./training_step.ts";

/** A run of steps, and the epoch that it is of. */
export interface StepRun extends QueuedSteps {
  readonly visit: Visit;
  /** Losses of the whole epoch, filled run by run. */
  readonly losses: Float32Array<ArrayBuffer>;
}

/** How long steps may run until they are read, in milliseconds: nothing else in the process runs for about as long. */
export const READ_INTERVAL = 250;

/** The runs of steps of one training. */
export class StepRuns {
  /** Steps put on the queue so far, over all epochs. */
  done = 0;
  /** Loss of each step of the epoch under way; those of steps that are yet to be done are 0. */
  losses: Float32Array<ArrayBuffer>;
  /** Whether steps ran since the tensors that the training keeps were looked at. */
  isUnwatched = false;
  readonly #windows: RowWindows;
  readonly #step: TrainingStep;
  readonly #share: Share;
  /** The window in place. */
  #visit: Visit | undefined;
  /** When there was a look last. */
  #watched = 0;

  constructor(windows: RowWindows, step: TrainingStep, share: Share) {
    this.#windows = windows;
    this.#step = step;
    this.#share = share;
    this.losses = new Float32Array(this.stepsPerEpoch);
  }

  get stepsPerEpoch(): number {
    return this.#windows.plan.stepsPerEpoch;
  }

  /** Whole epochs put on the queue so far. */
  get epoch(): number {
    return Math.floor(this.done / this.stepsPerEpoch);
  }

  /** The window in place, and the step on it that is about to run; undefined where none is. */
  get next(): { visit: Visit; start: number } | undefined {
    const visit = this.#visit;
    const start = visit ? this.done - visit.epoch * this.stepsPerEpoch - visit.firstStep : 0;
    return visit && start < visit.steps ? { visit, start } : undefined;
  }

  /** Continues after a step, with the losses of those of its epoch. */
  goTo(step: number, losses?: Float32Array): void {
    this.done = step;
    this.#visit = undefined; // the counter on the GPU stands elsewhere
    this.losses = new Float32Array(this.stepsPerEpoch);
    if (losses) this.losses.set(losses);
  }

  /** Cuts epochs into runs of at most `room()` and `between(step)` steps; ends where that is none. */
  async *cut(count: number, room: () => number, between = (_step: number) => Infinity): AsyncGenerator<StepRun> {
    const last = this.epoch + count - 1;
    for await (const { visit, start: first } of this.#visits(count)) {
      for (let start = first; start < visit.steps;) {
        const isTime = performance.now() - this.#watched >= READ_INTERVAL;
        const wanted = Math.min(room(), Math.ceil(between(this.done)));
        const { steps: allowed, isLookDue } = await this.#share.agree(wanted, isTime);
        if (!(allowed > 0)) return;
        const steps = Math.min(visit.steps - start, allowed);
        const ends = visit.ends && start + steps === visit.steps;
        const isWatched = isLookDue || (ends && visit.epoch === last);
        this.isUnwatched = !isWatched;
        if (isWatched) this.#watched = performance.now();
        const run = { visit, start, steps, firstStep: this.done + 1, ends, isWatched, losses: this.losses };
        // Counted before the caller continues, who may never come back for more.
        this.done += steps;
        start += steps;
        if (ends) this.losses = new Float32Array(this.stepsPerEpoch);
        yield run;
      }
    }
  }

  /** What is left of the windows of some epochs, each in place with its learning rates, its counter at the next step. */
  async *#visits(count: number): AsyncGenerator<{ visit: Visit; start: number }> {
    const firstStepOf = ({ epoch, firstStep }: Visit) => epoch * this.stepsPerEpoch + firstStep;
    const done = this.done;
    const visits = this.#windows.plan.visits(this.epoch, count);
    const left = visits.filter((visit) => firstStepOf(visit) + visit.steps > done);
    for await (const visit of this.#windows.stream(left)) {
      const start = this.done - firstStepOf(visit);
      this.#step.begin(firstStepOf(visit), visit.steps, start);
      this.#visit = visit;
      yield { visit, start };
    }
  }
}

/**
 * The way of runs of steps to the GPU and back: they are put on the queue, and read a few times a second.
 *
 * @module
 */
import type { NotFiniteError } from "../base/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import type { FiniteWatch } from "./finite_watch.ts";
import { faultOf, MAX_STEPS, type ReadSteps, StepBatch } from "./step_batch.ts";
import { READ_INTERVAL, type StepRun } from "./step_runs.ts";
import type { EpochOptions, TrainerOptions } from "./trainer_options.ts";
import type { Steps } from "./training_step.ts";

/** What evaluates an epoch, which this run ends. In an object, as nobody waits for it yet. */
export interface Evaluation<T> {
  readonly run: StepRun;
  readonly promise: Promise<T>;
}

/** What was read of a run, and how its epoch was evaluated. */
export interface ReadRun<T> extends Omit<ReadSteps<StepRun>, "error"> {
  readonly evaluation?: T;
  /** Why the training cannot continue after it. */
  readonly failure?: { readonly reason: unknown };
}

/** Steps of a training on the queue. */
export class StepQueue implements Disposable {
  readonly #options: TrainerOptions;
  readonly #steps: Steps;
  readonly #batch: StepBatch<StepRun>;
  #stepsPerRead = 1;
  /** When the first of the steps that are yet to be read came there, and whether the last is a short one. */
  #since = 0;
  #isShort = false;
  /** Settles when the losses of the last steps are there: a snapshot in `evaluate` needs them. */
  #reading = settled();

  constructor(options: TrainerOptions, steps: Steps, watch: FiniteWatch, losses: Tensor) {
    this.#options = options;
    this.#steps = steps;
    this.#batch = new StepBatch<StepRun>(watch, losses, options.judge);
  }

  /** How many more steps may be put on the queue before it is read. */
  get room(): number {
    return this.#stepsPerRead - this.#batch.steps;
  }

  /** Whether more may be put on it before what is there is read. */
  get mayGoOn(): boolean {
    return !this.#options.group && this.room > 0 && !this.#batch.isFull;
  }

  get isEmpty(): boolean {
    return this.#batch.steps === 0;
  }

  /** Settles when all before was read. */
  get reading(): Promise<void> {
    return this.#reading.promise;
  }

  /** Puts steps there; gives what evaluates their epoch, where they end one. */
  async put<T>(run: StepRun, { evaluate }: EpochOptions<T>): Promise<Evaluation<T> | undefined> {
    if (this.isEmpty) {
      this.#since = performance.now();
      this.#reading = Promise.withResolvers();
      this.#reading.promise.catch(() => {}); // whoever waits for it is told
    }
    this.#batch.keep();
    this.#isShort = run.start + run.steps === run.visit.steps && run.visit.rows % this.#options.batchSize > 0;
    await this.#steps.run(this.#isShort ? run.steps - 1 : run.steps, this.#isShort);
    this.#batch.add(run);
    if (!run.ends || !evaluate) return undefined;
    // Ranks that evaluate may meet for that, after they met for the losses.
    const promise = this.#steps.merge ? this.#reading.promise.then(evaluate) : called(evaluate);
    promise?.catch(() => {}); // it is awaited with the losses
    return promise && { run, promise: promise as Promise<T> };
  }

  /** Reads what is there, up to a failure or the end of the training. What evaluates the last run is waited for. */
  async read<T>(evaluation?: Evaluation<T>): Promise<ReadRun<T>[]> {
    const { judge } = this.#options;
    const { steps } = this.#batch;
    const before = judge?.verdict;
    const { resolve, reject } = this.#reading;
    const reading = this.#batch.read(async (losses, flags) => await this.#steps.merge?.(losses, this.#isShort, flags));
    reading.then((read) => {
      const error = read.at(-1)!.error;
      return error ? reject(error) : resolve();
    }, reject);
    const [_, evaluated] = await Promise.allSettled([reading, evaluation?.promise]);
    const read = (await reading).map(({ error, ...each }): ReadRun<T> => ({ ...each, failure: failureOf(error) }));
    // What ended before that, at an epoch's end, say, tells nothing of a longer run.
    const isQuick = steps >= this.#stepsPerRead && performance.now() - this.#since < READ_INTERVAL;
    if (isQuick) this.#stepsPerRead = Math.min(2 * this.#stepsPerRead, MAX_STEPS);
    const last = read.at(-1)!;
    if (last.run !== evaluation?.run || last.failure) return read;
    if (evaluated.status === "rejected") return [...read.slice(0, -1), { ...last, failure: evaluated }];
    const told = judge?.verdict === before ? undefined : judge?.verdict;
    const verdict = last.verdict ?? told;
    const failure = failureOf(faultOf(verdict, last.run));
    return [...read.slice(0, -1), { ...last, verdict, failure, evaluation: evaluated.value as T }];
  }

  /** Forgets what was not read. */
  clear(): void {
    this.#batch.clear();
    this.#reading.resolve();
  }

  /** Begins anew, from a state without faults. */
  restart(): void {
    this.#batch.clear();
    this.#reading = settled();
  }

  [Symbol.dispose](): void {
    this.#batch[Symbol.dispose]();
  }
}

function failureOf(error: NotFiniteError | undefined): { reason: NotFiniteError } | undefined {
  return error && { reason: error };
}

/** Calls a function that may give a promise, or throw. */
function called<T>(work: () => Promise<T> | undefined): Promise<T> | undefined {
  try {
    return work();
  } catch (error) {
    return Promise.reject(error);
  }
}

function settled(): PromiseWithResolvers<void> {
  const all = Promise.withResolvers<void>();
  all.resolve();
  return all;
}

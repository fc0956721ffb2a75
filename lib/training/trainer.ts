/**
 * The training loop. A step is recorded once and replayed. A permutation and a counter on the GPU decide which rows it sees.
 * The losses collect there, and are read a few times a second.
 *
 * From top to bottom: `epochs` cuts the work into runs of steps (`#runs`) on windows of rows (`#visits`); each is put on the
 * queue (`#queue`), and its losses are read (`#read`), under `isAhead` those of many epochs at once. What a step does stands in training_step.ts.
 *
 * @module
 */
import type { Visit } from "./epoch_plan.ts";
import { FiniteWatch } from "./finite_watch.ts";
import { RankShare } from "./group/rank_share.ts";
import { type MeasuredTensor, type ReadTensor, StepLook } from "./look.ts";
import { RowWindows } from "./row_windows.ts";
import { faultOf, MAX_STEPS, type QueuedSteps, StepBatch } from "./step_batch.ts";
import type { Tensor } from "../core/tensor.ts";
import type { EpochOptions, EpochResult, TrainerOptions } from "./trainer_options.ts";
import { readState, type TrainingState, writeState } from "./training_state.ts";
import { ALL, type Share, type Steps, TrainingStep } from "./training_step.ts";

/** A run of steps, and the epoch that it is of. */
interface StepRun extends QueuedSteps {
  readonly visit: Visit;
  /** Losses of the whole epoch, filled run by run. */
  readonly losses: Float32Array<ArrayBuffer>;
}

/** What evaluates an epoch. In an object, as nobody waits for it yet. */
interface Evaluation<T> {
  readonly promise: Promise<T>;
}

/** How long steps may run until their losses are read, in milliseconds: nothing else in the process runs for about as long. */
const READ_INTERVAL = 250;

/**
 * Trains a model, every row exactly once an epoch. The rows lie on the GPU, or come there a window at a time, the next one
 * while steps run on the one before.
 */
export class Trainer implements Disposable {
  /** Steps of one epoch. */
  readonly stepsPerEpoch: number;
  /** What it was made with. */
  readonly options: TrainerOptions;
  readonly #share: Share;
  readonly #windows: RowWindows;
  readonly #trainingStep: TrainingStep;
  readonly #steps: Steps;
  readonly #watch: FiniteWatch;
  readonly #owned: DisposableStack;
  #look: StepLook | undefined;
  /** The window in place. */
  #visit: Visit | undefined;
  /** Steps put on the queue so far, over all epochs. */
  #done = 0;
  #stepsPerRead = 1;
  /** Steps on the queue that are yet to be read, when the first of them came there, and whether the last is a short one. */
  readonly #batch: StepBatch<StepRun>;
  #since = 0;
  #isShort = false;
  /** When the tensors that the training keeps were looked at last, and whether steps ran since. */
  #watched = 0;
  #isUnwatched = false;
  /** Loss of each step of the epoch under way; those of steps that are yet to be done are 0. */
  #losses: Float32Array<ArrayBuffer>;
  /** Settles when the losses of the last steps are there: a snapshot in `evaluate` needs them. */
  #reading = settled();

  /**
   * Records the steps; nothing runs yet.
   *
   * @param options What is trained, on what, and how.
   * @throws {TypeError} If inputs and targets differ in rows.
   * @throws {RangeError} If the batch size is not from 1 to the number of rows, a window is not of whole batches, a norm to
   * clip to is out of range, or a group has more ranks than a batch has rows, or meets at no whole number of steps.
   *
   * @example
   * ```ts
   * import { Device, Linear, type MeasuredTensor, Model, mse, Sgd, Tensor, Trainer } from "@backhand/backhand";
   * import { assertEquals } from "@std/assert";
   * using device = await Device.request({ smallDispatches: true });
   * using model = new Model(device, [new Linear(1, 1)]);
   * using optimizer = new Sgd(model, 0.1);
   * using x = Tensor.from(device, [[-1], [0], [1], [2]]);
   * using y = Tensor.from(device, [[-1], [1], [3], [5]]); // 2 x + 1
   * using trainer = new Trainer({ model, loss: mse, optimizer, x, y, batchSize: 2, seed: 1 });
   * await Array.fromAsync(trainer.epochs(100));
   * const { "0.weight": [weight], "0.bias": [bias] } = await model.read();
   * assertEquals([weight.toFixed(2), bias.toFixed(2)], ["2.00", "1.00"]);
   *
   * const looks: Promise<MeasuredTensor[]>[] = [];
   * const between = () => looks.push(trainer.lookAhead()); // asked again after one step, then after two
   * await Array.fromAsync(trainer.epochs(1, { between }));
   * const [first] = await Promise.all(looks);
   * assertEquals(first.map(({ name }) => name), ["z1", "loss", "grad_logits", "grad_weight_1", "grad_bias_1"]);
   * ```
   */
  constructor(options: TrainerOptions) {
    const { model, optimizer, batchSize, group } = options;
    this.options = options;
    const share = this.#share = group ? new RankShare(group, batchSize) : ALL;
    using stack = new DisposableStack();
    this.#windows = stack.use(new RowWindows(options, (order) => share.order(order)));
    const { plan } = this.#windows;
    this.stepsPerEpoch = plan.stepsPerEpoch;
    this.#losses = new Float32Array(plan.stepsPerEpoch);
    this.#trainingStep = stack.use(new TrainingStep(options, this.#windows, share.rows(batchSize)));
    this.#watch = stack.use(new FiniteWatch(model, optimizer));
    this.#batch = stack.use(new StepBatch<StepRun>(this.#watch, this.#trainingStep.losses, options.judge));
    this.#steps = stack.use(share.record(options, this.#trainingStep, plan.rows % batchSize));
    options.judge?.alsoClear(Object.values(this.#steps.state));
    this.#owned = stack.move();
  }

  /** Steps put on the queue so far, over all epochs. */
  get step(): number {
    return this.#done;
  }

  /** Whole epochs put on the queue so far. */
  get epoch(): number {
    return Math.floor(this.#done / this.stepsPerEpoch);
  }

  /** Windows that an epoch goes through: 1 where all rows lie on the GPU. */
  get windows(): number {
    return this.#windows.plan.windows;
  }

  /** Rows of a window; the last one takes what is left. */
  get windowRows(): number {
    return this.#windows.plan.windowRows;
  }

  /** Dispatches of one step. */
  get dispatchesPerStep(): number {
    return this.#steps.length;
  }

  /**
   * Trains for some epochs. When an epoch is yielded, no step of the next one has run: a caller may look at the weights, set
   * the learning rate, or leave, and the next call continues from there; under `isAhead` later epochs may have run. Within an
   * epoch, steps are put on the queue many at a time. The queue waits only where reading a window takes longer than the steps
   * on the one before. With a `judge` the last epoch is the one after which the training is over.
   *
   * @param count How many epochs; one that was begun before counts as one.
   * @param options Functions that are called meanwhile: they evaluate, show progress, or stop it.
   * @returns The result of each epoch, in order.
   * @throws {NotFiniteError} If a loss is NaN or infinite, or a value of the weights, of their gradients or of the optimizer's
   * state, which are looked at a few times a second and when the call ends; {@linkcode findFault} says where it came up.
   * @throws {RangeError} If `learningRates` gives a rate that is not a finite number from 0 on.
   * @throws {DeviceError} If the GPU reported a fault.
   * @throws What the source of the rows throws.
   */
  async *epochs<T = undefined>(count: number, options: EpochOptions<T> = {}): AsyncGenerator<EpochResult<T>, void> {
    const { judge } = this.options;
    const counted = { done: 0 };
    try {
      for await (const run of judge?.verdict.isOver ? [] : this.#runs(count, options.between)) {
        const evaluation = await this.#queue(run, options);
        if (options.isAhead && !evaluation && this.#mayGoOn()) continue;
        yield* this.#read(options, counted, evaluation);
        if (judge?.verdict.isOver) break;
      }
      if (this.#batch.steps > 0) yield* this.#read(options, counted);
    } finally {
      this.#batch.clear(); // what an error has left there
      this.#reading.resolve();
    }
    if (this.#isUnwatched) await this.#watch.look(this.#done);
    this.#isUnwatched = false;
  }

  /** Whether more may be put on the queue before what is there is read. */
  #mayGoOn(): boolean {
    const { steps, isFull } = this.#batch;
    return !this.options.group && steps < this.#stepsPerRead && !isFull;
  }

  /** Cuts epochs into runs of steps, each followed by a read of its losses. */
  async *#runs(count: number, between = (_step: number) => Infinity): AsyncGenerator<StepRun> {
    const last = this.epoch + count - 1;
    for await (const { visit, start: first } of this.#visits(count)) {
      for (let start = first; start < visit.steps;) {
        const isTime = performance.now() - this.#watched >= READ_INTERVAL;
        const wanted = Math.min(this.#stepsPerRead - this.#batch.steps, Math.ceil(between(this.#done)));
        const { steps: allowed, isLookDue } = await this.#share.agree(wanted, isTime);
        if (!(allowed > 0)) return;
        const steps = Math.min(visit.steps - start, allowed);
        const ends = visit.ends && start + steps === visit.steps;
        const isWatched = isLookDue || (ends && visit.epoch === last);
        this.#isUnwatched = !isWatched;
        if (isWatched) this.#watched = performance.now();
        const run = { visit, start, steps, firstStep: this.#done + 1, ends, isWatched, losses: this.#losses };
        // Counted before the caller continues, who may never come back for more.
        this.#done += steps;
        start += steps;
        if (ends) this.#losses = new Float32Array(this.stepsPerEpoch);
        yield run;
      }
    }
  }

  /** What is left of the windows of some epochs, each in place with its learning rates, its counter at the next step. */
  async *#visits(count: number): AsyncGenerator<{ visit: Visit; start: number }> {
    const firstStepOf = ({ epoch, firstStep }: Visit) => epoch * this.stepsPerEpoch + firstStep;
    const done = this.#done;
    const visits = this.#windows.plan.visits(this.epoch, count);
    const left = visits.filter((visit) => firstStepOf(visit) + visit.steps > done);
    for await (const visit of this.#windows.stream(left)) {
      const start = this.#done - firstStepOf(visit);
      this.#trainingStep.begin(firstStepOf(visit), visit.steps, start);
      this.#visit = visit;
      yield { visit, start };
    }
  }

  /** Puts steps on the queue; gives what evaluates their epoch, where they end one. */
  async #queue<T>(run: StepRun, { evaluate }: EpochOptions<T>): Promise<Evaluation<T> | undefined> {
    if (this.#batch.steps === 0) {
      this.#since = performance.now();
      this.#reading = Promise.withResolvers();
      this.#reading.promise.catch(() => {}); // whoever waits for it is told
    }
    this.#batch.keep();
    this.#isShort = run.start + run.steps === run.visit.steps && run.visit.rows % this.options.batchSize > 0;
    await this.#steps.run(this.#isShort ? run.steps - 1 : run.steps, this.#isShort);
    this.#batch.add(run);
    if (!run.ends || !evaluate) return undefined;
    // Ranks that evaluate may meet for that, after they met for the losses.
    const promise = this.#steps.merge ? this.#reading.promise.then(evaluate) : called(evaluate);
    promise?.catch(() => {}); // it is awaited with the losses
    return promise && { promise: promise as Promise<T> };
  }

  /** Reads what is on the queue, and yields the epochs that end there. */
  async *#read<T>(
    { onProgress }: EpochOptions<T>,
    counted: { done: number },
    evaluation?: Evaluation<T>,
  ): AsyncGenerator<EpochResult<T>, void> {
    const { judge } = this.options;
    const { steps } = this.#batch;
    const told = judge?.verdict;
    const { resolve, reject } = this.#reading;
    const reading = this.#batch.read(async (losses, flags) => await this.#steps.merge?.(losses, this.#isShort, flags));
    reading.then((read) => {
      const error = read.at(-1)!.error;
      return error ? reject(error) : resolve();
    }, reject);
    const [_, evaluated] = await Promise.allSettled([reading, evaluation?.promise]);
    const read = await reading;
    // What ended before that, at an epoch's end, say, tells nothing of a longer run.
    const isQuick = steps >= this.#stepsPerRead && performance.now() - this.#since < READ_INTERVAL;
    if (isQuick) this.#stepsPerRead = Math.min(2 * this.#stepsPerRead, MAX_STEPS);
    let rateFactor = told?.rateFactor ?? 1;
    for (const { run, losses, error, ...judged } of read) {
      const { visit, start, steps, firstStep, ends, losses: ofEpoch } = run;
      if (error) throw error;
      ofEpoch.set(losses, visit.firstStep + start);
      const isEvaluated = ends && evaluation !== undefined; // then nothing follows it
      if (isEvaluated && evaluated.status === "rejected") throw evaluated.reason;
      const verdict = judged.verdict ?? (isEvaluated && judge?.verdict !== told ? judge?.verdict : undefined);
      const unsound = faultOf(verdict, run);
      if (unsound) throw unsound;
      const step = firstStep + steps - 1;
      if (verdict?.isOver) await this.#end(step);
      onProgress?.(counted.done += steps, losses.reduce((sum, loss) => sum + loss, 0) / steps);
      if (!ends) continue;
      const loss = this.#windows.plan.mean(visit.epoch, ofEpoch);
      const result = { epoch: visit.epoch + 1, step, loss, losses: ofEpoch, verdict, rateFactor };
      rateFactor = verdict?.rateFactor ?? rateFactor;
      yield {
        ...result,
        evaluation: (isEvaluated && evaluated.status === "fulfilled" ? evaluated.value : undefined) as T,
      };
    }
  }

  /** Ends the training at a step that others on the queue have followed: nothing of them is left. */
  async #end(step: number): Promise<void> {
    const { model, judge } = this.options;
    const past = this.#done - step;
    const counters = model.layers.flatMap(({ counters = {} }) => Object.values(counters));
    for (const counter of past > 0 ? counters : []) {
      const [count] = await counter.readU32();
      counter.write(Uint32Array.of(count - past));
    }
    judge!.settle();
    model.gradients.write(new Float32Array(model.gradients.size));
    this.#done = step;
    this.#visit = undefined;
    this.#losses = new Float32Array(this.stepsPerEpoch);
    this.#isUnwatched = true;
  }

  /**
   * Looks at the step that comes next, to be called in `between`: its forward and backward passes run one operation at a
   * time, and the tensors that they make are measured on the GPU. All of it is on the queue before the promise is returned.
   * Training continues as if nobody had looked, bit for bit. Gradients are those before clipping. Where one kernel runs the
   * step, its last digits may differ from those that are seen.
   *
   * @returns Each tensor of the step, in the order in which it makes them.
   * @throws {TypeError} If no step is about to run.
   * @throws {DeviceError} If the GPU reported a fault.
   */
  async lookAhead(): Promise<MeasuredTensor[]> {
    return await this.#nextStep((look, rows) => look.measure(rows));
  }

  /**
   * The same look as {@linkcode Trainer.lookAhead}, but the tensors are read, the rows of the step first, as `x` and `y`.
   */
  async readAhead(): Promise<ReadTensor[]> {
    return await this.#nextStep((look, rows) => look.read(rows));
  }

  #nextStep<T>(use: (look: StepLook, rows: number) => T): T {
    const { batchSize } = this.options;
    const visit = this.#visit;
    const start = visit ? this.#done - visit.epoch * this.stepsPerEpoch - visit.firstStep : 0;
    if (!visit || start >= visit.steps) throw new TypeError("Cannot look at the next step: none is about to run");
    this.#look ??= new StepLook(this.options, this.#trainingStep);
    return use(this.#look, this.#share.rows(Math.min(batchSize, visit.rows - start * batchSize)));
  }

  /**
   * The state of the training after the steps on the queue: call it between two steps, as in `between`. The steps after it
   * need not wait for it.
   *
   * @param more More tensors to keep with it, by name, each in the layout of the model's `values`.
   * @returns The state, for {@linkcode Trainer.restore} or {@linkcode saveCheckpoint}.
   * @throws {NotFiniteError} If a step before it had a loss that is NaN or infinite, or a value of the state is.
   *
   * @example
   * ```ts
   * import { Adam, ArrayRows, Device, Linear, Model, mse, Trainer } from "@backhand/backhand";
   * import { assertEquals } from "@std/assert";
   * using device = await Device.request({ smallDispatches: true });
   * const source = new ArrayRows(Float32Array.of(-1, 0, 1, 2), Float32Array.of(-1, 1, 3, 5), 1);
   * using model = new Model(device, [new Linear(1, 1)]);
   * using optimizer = new Adam(model, 0.1);
   * using trainer = new Trainer({ model, loss: mse, optimizer, source, batchSize: 1, seed: 1 });
   * await Array.fromAsync(trainer.epochs(2, { between: (step) => 6 - step })); // ends within the second epoch
   * const state = await trainer.snapshot();
   * await Array.fromAsync(trainer.epochs(1));
   * const weights = await model.read();
   * trainer.restore(state);
   * const [{ epoch, step }] = await Array.fromAsync(trainer.epochs(1));
   * assertEquals([epoch, step], [2, 8]);
   * assertEquals(await model.read(), weights); // bit for bit
   * ```
   */
  async snapshot(more: Readonly<Record<string, Tensor>> = {}): Promise<TrainingState> {
    const { model, optimizer } = this.options;
    const step = this.#done;
    const losses = this.#losses;
    const read = readState(model, optimizer, { ...more, ...this.#ownState });
    const checks = [read, this.#reading.promise, this.#watch.look(step)];
    await Promise.allSettled(checks); // none is under way any more where another fails
    await Promise.all(checks);
    const numbers = await read;
    return { step, losses: losses.slice(0, step % this.stepsPerEpoch), ...numbers };
  }

  /**
   * Puts the training back to a state, after all that is on the queue. From there it continues bit for bit as it did after
   * the state was taken, on the same device, with the same options.
   *
   * @param state What {@linkcode Trainer.snapshot} gave, of this trainer or of one with the same options.
   * @param more Where the tensors that were kept with it go, by name.
   * @throws {TypeError} If the state is of another network, optimizer or number of steps; then nothing changes.
   */
  restore(state: TrainingState, more: Readonly<Record<string, Tensor>> = {}): void {
    const { step, losses } = state;
    if (!Number.isSafeInteger(step) || step < 0 || losses.length !== step % this.stepsPerEpoch) {
      throw new TypeError(
        `Cannot continue from this state: ${losses.length} losses at step ${step}, with ${this.stepsPerEpoch} steps an epoch`,
      );
    }
    const { model, optimizer, judge } = this.options;
    writeState(state, model, optimizer, { ...more, ...this.#ownState });
    judge?.resume(state.tensors.judge.data);
    model.gradients.write(new Float32Array(model.gradients.size)); // those of a step that is undone are watched no more
    this.#done = step;
    this.#visit = undefined; // the counter on the GPU stands elsewhere
    this.#losses = new Float32Array(this.stepsPerEpoch);
    this.#losses.set(losses);
    this.#reading = settled();
    this.#isUnwatched = false;
    this.#watch.restart(step);
    this.#batch.clear();
  }

  /** What it keeps besides parameters, optimizer and counters. */
  get #ownState(): Readonly<Record<string, Tensor>> {
    const { judge } = this.options;
    return { ...this.#steps.state, ...judge ? { best: judge.best, judge: judge.counts } : {} };
  }

  /**
   * The rows that a step sees.
   *
   * @param step Which step, from 1 over all epochs.
   * @returns Their numbers in the order in which the trainer was given them, from 0 [batch].
   * @throws {RangeError} If there is no such step.
   */
  rowsOf(step: number): Uint32Array<ArrayBuffer> {
    return this.#windows.plan.rowsOf(step);
  }

  /** Frees what the recordings hold. The model, the optimizer and the rows stay. */
  dispose(): void {
    this.#look?.[Symbol.dispose]();
    this.#owned.dispose();
  }

  /** The same as {@linkcode Trainer.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
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

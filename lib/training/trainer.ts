/**
 * The training loop: a step is recorded once and replayed; which rows it sees is decided on the GPU by a permutation and a
 * counter; losses gather there and are read a few times a second.
 *
 * @module
 */
import type { Visit } from "./epoch_plan.ts";
import { checkGroup, shareOf } from "./group/group.ts";
import { createSteps } from "./group/create.ts";
import type { Steps } from "./steps.ts";
import { RowWindows } from "./row_windows.ts";
import { type MeasuredTensor, StepLook } from "./lookahead.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Batch, EpochOptions, EpochResult, TrainerOptions } from "./trainer_options.ts";
import { readState, type TrainingState, writeState } from "./training_state.ts";
import { TrainingStep } from "./training_step.ts";
import { Watch } from "./finite_watch.ts";

/** A run of steps within one window of one epoch. */
interface Chunk {
  /** The window, and its place in the epoch. */
  readonly visit: Visit;
  /** Its first step within the window. */
  readonly start: number;
  readonly steps: number;
  /** Whether it ends the epoch. */
  readonly end: boolean;
  /** Whether it ends with a look at what the training keeps. */
  readonly isWatched: boolean;
  /** Losses of the whole epoch, filled chunk by chunk. */
  readonly losses: Float32Array<ArrayBuffer>;
  /** Number of its first step over all epochs, from 1. */
  readonly firstStep: number;
}

/** Mean loss of a chunk's steps, once they are done. */
function meanLoss({ visit, start, steps, losses }: Chunk): number {
  const first = visit.firstStep + start;
  return losses.subarray(first, first + steps).reduce((sum, loss) => sum + loss, 0) / steps;
}

/** Stops no steps. */
const freely = (_step: number): number => Infinity;

/** How long steps may run until their losses are read, in milliseconds: about as long nothing else in the process runs. */
const READ_INTERVAL = 250;

/**
 * Trains a model, every row exactly once an epoch. The rows lie on the GPU, or are brought there a window at a time, the next
 * one while steps run on the one before.
 */
export class Trainer implements Disposable {
  /** Steps of one epoch. */
  readonly stepsPerEpoch: number;
  /** What it was made with. */
  readonly options: TrainerOptions;
  readonly #windows: RowWindows;
  readonly #watch: Watch;
  readonly #training: TrainingStep;
  readonly #steps: Steps;
  #look: StepLook | undefined;
  /** The window in place. */
  #visit: Visit | undefined;
  #stepsPerRead = 1;
  /** Whether steps ran since the last look at what the training keeps, and when that was. */
  #isUnwatched = false;
  #watched = 0;
  /** Whether it is time for the next one: in a group, for one of the ranks. */
  #isLookDue = false;
  #step = 0;
  /** Loss of each step of the epoch under way; those of steps that are yet to be done are 0. */
  #losses: Float32Array<ArrayBuffer>;
  /** Settles when the losses of the last steps are there: a snapshot in `evaluate` needs them. */
  #lossesRead: Promise<unknown> = Promise.resolve();

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
   * import { Device, Linear, Model, mse, Sgd, Tensor, Trainer } from "@backhand/backhand";
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
   * ```
   */
  constructor(options: TrainerOptions) {
    const { batchSize } = options;
    this.options = options;
    checkGroup(options);
    this.#windows = new RowWindows(options);
    const { plan } = this.#windows;
    this.stepsPerEpoch = plan.stepsPerEpoch;
    this.#losses = new Float32Array(plan.stepsPerEpoch);
    try {
      const training = this.#training = new TrainingStep(options, this.#windows, this.#ownRows(batchSize));
      this.#watch = new Watch(options.model, options.optimizer, training.losses);
      this.#steps = createSteps(options, training, plan.rows % batchSize);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Steps put on the queue so far, over all epochs. */
  get step(): number {
    return this.#step;
  }

  /** Whole epochs put on the queue so far. */
  get epoch(): number {
    return Math.floor(this.#step / this.stepsPerEpoch);
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
   * the learning rate, or leave, and the next call goes on behind. Within an epoch, steps are put on the queue many at a time.
   * Only a read of a window that takes longer than the steps on the one before makes the queue wait.
   *
   * @param count How many epochs; one that was begun before counts as one.
   * @param options `evaluate` is called when an epoch's last step was put on the queue: what it reads are the weights of
   * that moment. `onProgress` is told now and then how many steps were done in this call. `between` may stop it.
   * @returns The result of each epoch, in order.
   * @throws {NotFiniteError} If a loss is NaN or infinite, or a value of the weights, of their gradients or of the optimizer's
   * state, which are looked at a few times a second and when the call ends; {@linkcode findFault} says where it came up.
   * @throws {RangeError} If `learningRates` gives a rate that is not a finite number from 0 on.
   * @throws {DeviceError} If the GPU reported a fault.
   * @throws What the source of the rows throws.
   */
  async *epochs<T = undefined>(count: number, options: EpochOptions<T> = {}): AsyncGenerator<EpochResult<T>, void> {
    let done = 0;
    for await (const chunk of this.#chunks(count, options.between)) {
      const epoch = await this.#runChunk(chunk, options);
      done += chunk.steps;
      options.onProgress?.(done, meanLoss(chunk));
      if (epoch) yield epoch;
    }
    if (this.#isUnwatched) await this.#watch.look(this.#step);
    this.#isUnwatched = false;
  }

  /** Cuts epochs into runs of steps, each followed by a read of its losses. */
  async *#chunks(count: number, between = freely): AsyncGenerator<Chunk> {
    const last = this.epoch + count - 1;
    for await (const { visit, start: first } of this.#visits(count)) {
      for (let start = first; start < visit.steps;) {
        const allowed = await this.#agree(between(this.#step));
        if (!(allowed > 0)) return;
        const steps = Math.min(visit.steps - start, allowed);
        const end = visit.ends && start + steps === visit.steps;
        const isWatched = this.#isLookDue || (end && visit.epoch === last);
        this.#isUnwatched = !isWatched;
        if (isWatched) this.#watched = performance.now();
        const chunk = { visit, start, steps, end, isWatched, losses: this.#losses, firstStep: this.#step + 1 };
        // Counted before the caller goes on, who may never come back for more.
        this.#step += steps;
        start += steps;
        if (end) this.#losses = new Float32Array(this.stepsPerEpoch);
        yield chunk;
      }
    }
  }

  /** How many steps may run before anybody has to be asked again; in a group, anybody of any rank, as for a look. */
  async #agree(allowed: number): Promise<number> {
    const steps = Math.min(this.#stepsPerRead, Math.ceil(allowed));
    const { group } = this.options;
    this.#isLookDue = performance.now() - this.#watched >= READ_INTERVAL;
    if (!group) return steps;
    const { communicator, syncEvery = 1 } = group;
    const agreed = Float64Array.of(steps, this.#isLookDue ? 0 : 1);
    await communicator.allReduce(agreed, "min");
    this.#isLookDue = agreed[1] === 0; // as what is wrong has to come out on all ranks at once
    // Ranks meet behind each run of steps, and only there a training can be kept.
    return agreed[0] > 0 && syncEvery > 1 ? syncEvery : agreed[0];
  }

  /** What is left of the windows of some epochs, each in place with its learning rates, its counter at the next step. */
  async *#visits(count: number): AsyncGenerator<{ visit: Visit; start: number }> {
    const { plan } = this.#windows;
    const epochStart = this.epoch * this.stepsPerEpoch;
    const position = this.#step - epochStart;
    const visits = plan.visits(this.epoch, count).filter(({ epoch, firstStep, steps }) =>
      epoch * this.stepsPerEpoch + firstStep + steps > epochStart + position
    );
    for await (const visit of this.#windows.stream(visits)) {
      const before = visit.epoch * this.stepsPerEpoch + visit.firstStep;
      const start = this.#step - before;
      this.#training.begin(before, visit.steps, start);
      this.#visit = visit;
      yield { visit, start };
    }
  }

  /** Runs a chunk and reads its losses; gives the epoch's result where it ends one. */
  async #runChunk<T>(chunk: Chunk, options: EpochOptions<T>): Promise<EpochResult<T> | undefined> {
    const { visit, start, steps, end, isWatched, losses } = chunk;
    const since = performance.now();
    const isShort = start + steps === visit.steps && visit.rows % this.options.batchSize > 0;
    const running = this.#steps.run(isShort ? steps - 1 : steps, isShort);
    if (running) await running;
    // What ranks meet with and the losses come back in one wait; what follows is the same on all ranks, in the same order.
    const met = this.#steps.meet?.();
    const merge = async (losses: Float32Array<ArrayBuffer>, flags?: Float32Array<ArrayBuffer>) => {
      await met;
      await this.#steps.mergeLosses?.(losses, isShort, flags);
    };
    const read = this.#watch.readLosses({ start, steps, firstStep: chunk.firstStep, isWatched, merge });
    this.#lossesRead = read;
    // Ranks that evaluate may meet for that: behind what they met for before.
    const evaluation = end ? this.#evaluate(met && read, options) : undefined;
    await Promise.allSettled([met, read, evaluation]);
    losses.set(await read, visit.firstStep + start);
    // What ended before that, at an epoch's end, say, tells nothing of a longer run.
    const isQuick = steps >= this.#stepsPerRead && performance.now() - since < READ_INTERVAL;
    if (isQuick) this.#stepsPerRead = Math.min(2 * this.#stepsPerRead, 16_384);
    if (!end) return undefined;
    return { ...this.#result(visit.epoch, losses, chunk.firstStep + steps - 1), evaluation: await evaluation as T };
  }

  /** Evaluates behind what is on the queue; a throw becomes a rejection. */
  async #evaluate<T>(met: Promise<unknown> | undefined, { evaluate }: EpochOptions<T>): Promise<T | undefined> {
    if (met) await met;
    return await evaluate?.();
  }

  /**
   * One epoch, or what is left of the one under way, that stops at every step for a look at its tensors. The operations are
   * those of {@linkcode Trainer.epochs} with `plain`; where one kernel runs the step there, results differ in their last
   * digits.
   *
   * @param onStep Called after each step with the tensors it made and the rows it saw, which are freed when its promise
   * resolves.
   * @param options `between` may stop it.
   * @returns The epoch's result; undefined where it was stopped.
   * @throws {TypeError} If the trainer has a group.
   * @throws {NotFiniteError} If a loss is NaN or infinite, or a value that the training keeps; it says at which step.
   */
  async observedEpoch(
    onStep: (tensors: ReadonlyMap<string, Tensor>, step: number, batch: Batch) => Promise<void>,
    { between = freely }: Pick<EpochOptions<undefined>, "between"> = {},
  ): Promise<EpochResult<undefined> | undefined> {
    const { batchSize, model: { device }, group } = this.options;
    const losses = this.#losses;
    const { epoch } = this;
    if (group) throw new TypeError("Cannot stop at every step of several processes: train in one");
    for await (const { visit, start: first } of this.#visits(1)) {
      for (let start = first; start < visit.steps; start++) {
        if (!(between(this.#step) > 0)) return undefined;
        const tensors = new Map<string, Tensor>();
        const rows = Math.min(batchSize, visit.rows - start * batchSize);
        let batch: Batch;
        using step = device.record(() => {
          batch = this.#training.run(rows, (name, tensor) => tensors.set(name, tensor));
        });
        step.replay();
        await onStep(tensors, this.#step + 1, batch!);
        const read = this.#watch.readLosses({ start, steps: 1, firstStep: this.#step + 1, isWatched: true });
        losses.set(await read, visit.firstStep + start);
        this.#step++;
      }
    }
    this.#losses = new Float32Array(this.stepsPerEpoch);
    return { ...this.#result(epoch, losses, this.#step), evaluation: undefined };
  }

  /**
   * Looks at the step that comes next, to be called in `between`: its forward and backward passes run one operation at a
   * time, as in {@linkcode Trainer.observedEpoch}, and what they make is measured on the GPU. All of it is on the queue before
   * the promise is returned. Training goes on as if nobody had looked, bit for bit. Gradients are those before clipping.
   *
   * @returns Each tensor of the step, in the order in which it makes them.
   * @throws {TypeError} If no step is about to run.
   * @throws {DeviceError} If the GPU reported a fault.
   *
   * @example
   * ```ts
   * import { Device, Linear, type MeasuredTensor, Model, mse, Sgd, Tensor, Trainer } from "@backhand/backhand";
   * import { assertEquals } from "@std/assert";
   * using device = await Device.request({ smallDispatches: true });
   * using model = new Model(device, [new Linear(1, 1)], { init: { kind: "ones" } });
   * using optimizer = new Sgd(model, 0.1);
   * using x = Tensor.from(device, [[-1], [0], [1], [2]]);
   * using trainer = new Trainer({ model, loss: mse, optimizer, x, y: x, batchSize: 2, seed: 1, shuffle: false });
   * const looks: Promise<MeasuredTensor[]>[] = [];
   * const between = () => {
   *   looks.push(trainer.lookAhead());
   *   return 1; // asks again before the next step
   * };
   * await Array.fromAsync(trainer.epochs(1, { between }));
   * const [first] = await Promise.all(looks);
   * assertEquals(first.map(({ name }) => name), ["z1", "loss", "grad_logits", "grad_weight_1", "grad_bias_1"]);
   * assertEquals([first[0].min, first[0].max, first[1].mean], [0, 1, 1]); // x + 1 of -1 and 0, which should be x
   * ```
   */
  async lookAhead(): Promise<MeasuredTensor[]> {
    const { batchSize } = this.options;
    const visit = this.#visit;
    const start = visit ? this.#step - visit.epoch * this.stepsPerEpoch - visit.firstStep : 0;
    if (!visit || start >= visit.steps) throw new TypeError("Cannot look at the next step: none is about to run");
    this.#look ??= new StepLook(this.options, this.#training);
    return await this.#look.take(this.#ownRows(Math.min(batchSize, visit.rows - start * batchSize)));
  }

  /**
   * All that the training stands at behind the steps on the queue: call it between two steps, as in `between`. The steps
   * after it need not be held for it.
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
    const step = this.#step;
    const losses = this.#losses;
    const reads = [
      readState(model, optimizer, { ...more, ...this.#steps.state }),
      this.#lossesRead,
      this.#watch.look(step),
    ] as const;
    await Promise.allSettled(reads); // neither is under way any more where the other fails
    const [numbers] = await Promise.all(reads);
    return { step, losses: losses.slice(0, step % this.stepsPerEpoch), ...numbers };
  }

  /**
   * Puts the training back to a state, behind all that is on the queue; from there it goes on bit for bit as it did from
   * the step after it was taken, on the same device, with the same options.
   *
   * @param state What {@linkcode Trainer.snapshot} gave, of this trainer or of one with the same options.
   * @param more Where the tensors that were kept with it go, by name.
   * @throws {TypeError} If the state is of another network, optimizer or number of steps; then nothing changes.
   */
  restore(state: TrainingState, more: Readonly<Record<string, Tensor>> = {}): void {
    const { step, losses } = state;
    if (!Number.isSafeInteger(step) || step < 0 || losses.length !== step % this.stepsPerEpoch) {
      throw new TypeError(
        `Cannot go on from this state: ${losses.length} losses at step ${step}, with ${this.stepsPerEpoch} steps an epoch`,
      );
    }
    const { model, optimizer } = this.options;
    writeState(state, model, optimizer, { ...more, ...this.#steps.state });
    model.gradients.write(new Float32Array(model.gradients.size)); // those of a step that is undone are watched no more
    this.#step = step;
    this.#visit = undefined; // the counter on the GPU stands elsewhere
    this.#losses = new Float32Array(this.stepsPerEpoch);
    this.#losses.set(losses);
    this.#lossesRead = Promise.resolve();
    this.#isUnwatched = false;
    this.#watch.restart(step);
  }

  /**
   * The rows that a step sees.
   *
   * @param step Which step, from 1 over all epochs.
   * @returns Their numbers in the order in which the trainer was given them, from 0 [batch].
   * @throws {RangeError} If there is no such step.
   *
   * @example
   * ```ts
   * import { Device, Linear, Model, mse, Sgd, Tensor, Trainer } from "@backhand/backhand";
   * import { assertEquals } from "@std/assert";
   * using device = await Device.request({ smallDispatches: true });
   * using model = new Model(device, [new Linear(1, 1)]);
   * using optimizer = new Sgd(model, 0.1);
   * using x = Tensor.from(device, [[1], [2], [3]]);
   * using trainer = new Trainer({ model, loss: mse, optimizer, x, y: x, batchSize: 2, seed: 1, shuffle: false });
   * assertEquals([...trainer.rowsOf(3)], [0, 1]);
   * assertEquals([...trainer.rowsOf(4)], [2]);
   * ```
   */
  rowsOf(step: number): Uint32Array<ArrayBuffer> {
    return this.#windows.plan.rowsOf(step);
  }

  /** Frees what the recordings hold. The model, the optimizer and the rows stay. */
  dispose(): void {
    for (const part of [this.#steps, this.#look, this.#windows, this.#watch, this.#training]) part?.[Symbol.dispose]();
  }

  /** The same as {@linkcode Trainer.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** How many of a step's rows are this rank's. */
  #ownRows(rows: number): number {
    const { group } = this.options;
    const [start, end] = group ? shareOf(rows, group.communicator) : [0, rows];
    return end - start;
  }

  #result(epoch: number, losses: Float32Array, step: number): Omit<EpochResult<unknown>, "evaluation"> {
    return { epoch: epoch + 1, step, loss: this.#windows.plan.mean(epoch, losses), losses };
  }
}

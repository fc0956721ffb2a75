/**
 * The training loop: a step is recorded once and replayed; which rows it sees is decided on the GPU by a permutation and a
 * counter; losses gather there and are read a few times a second, while the next steps already run.
 *
 * @module
 */
import { NotFiniteError } from "./errors.ts";
import type { Loss } from "./losses.ts";
import type { Model, Observer } from "./model.ts";
import { append, gatherRows } from "./ops.ts";
import type { Optimizer } from "./optimizers.ts";
import { Random } from "./random.ts";
import type { Recording } from "./recording.ts";
import { formatShape } from "./shape.ts";
import { Tensor } from "./tensor.ts";
import { planWholeStep, runWholeStep } from "./whole_step.ts";

/** What a {@linkcode Trainer} needs. */
export interface TrainerOptions {
  /** What is trained. */
  readonly model: Model;
  /** What it is trained to make small. */
  readonly loss: Loss;
  /** How it is changed. */
  readonly optimizer: Optimizer;
  /** Inputs [rows, in]. */
  readonly x: Tensor;
  /** Targets [rows, out]. */
  readonly y: Tensor;
  /** Rows of a step; the last step of an epoch takes what is left. */
  readonly batchSize: number;
  /** Fixes the order of the rows in each epoch. */
  readonly seed: number;
  /** Draw a new order of the rows for each epoch; by default true. False keeps the order in which they are given. */
  readonly shuffle?: boolean;
  /** Run each operation as a dispatch of its own, to compare and debug; by default neighbours are fused, and one kernel runs a small network's step. */
  readonly plain?: boolean;
}

/** Options of {@linkcode Trainer.epochs}. */
export interface EpochOptions<T> {
  /**
   * Called when an epoch's last step was put on the queue and before the next epoch's first, to look at the model or to set
   * the learning rate. It must put its work on the queue before it waits for anything.
   */
  readonly evaluate?: () => Promise<T>;
  /** Told now and then how many steps were done. */
  readonly onProgress?: (steps: number) => void;
}

/** What one epoch gave. */
export interface EpochResult<T> {
  /** Which epoch, from 1. */
  readonly epoch: number;
  /** Steps done at its end, over all epochs. */
  readonly step: number;
  /** Mean loss over the epoch's rows, each step's at the weights it had. */
  readonly loss: number;
  /** Loss of each step [steps]. */
  readonly losses: Float32Array;
  /** What `evaluate` gave. */
  readonly evaluation: T;
}

/** A run of steps within one epoch. */
interface Chunk {
  /** Its first step within the epoch. */
  readonly start: number;
  readonly steps: number;
  /** Whether it ends the epoch, and whether it ends the last one. */
  readonly end: boolean;
  readonly last: boolean;
  /** Losses of the whole epoch, filled chunk by chunk. */
  readonly losses: Float32Array;
  /** Number of its first step over all epochs, from 1. */
  readonly firstStep: number;
  /** Which epoch, from 1. */
  readonly epoch: number;
}

/** How long steps that were put on the queue may take to come back, in milliseconds: a wait costs 11 of them. */
const READ_INTERVAL = 250;

/** Trains a model on rows that lie on the GPU, every row exactly once an epoch. */
export class Trainer implements Disposable {
  /** Steps of one epoch. */
  readonly stepsPerEpoch: number;
  readonly #options: TrainerOptions;
  readonly #order: Tensor;
  readonly #cursor: Tensor;
  readonly #losses: Tensor;
  readonly #full: Recording;
  readonly #rest: Recording | undefined;
  #stepsPerRead = 4;
  #step = 0;
  #epoch = 0;

  /**
   * Records the steps; nothing runs yet.
   *
   * @param options What is trained, on what, and how.
   * @throws {TypeError} If inputs and targets differ in rows.
   * @throws {RangeError} If the batch size is not from 1 to the number of rows.
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
    const { x, y, batchSize, model: { device } } = options;
    const rows = x.shape[0];
    if (x.shape.length !== 2 || y.shape.length !== 2 || rows !== y.shape[0]) {
      throw new TypeError(
        `Cannot train on x ${formatShape(x.shape)} and y ${formatShape(y.shape)}: need [rows, in] and [rows, out]`,
      );
    }
    if (!Number.isSafeInteger(batchSize) || batchSize < 1 || batchSize > rows) {
      throw new RangeError(`Cannot train with batches of ${batchSize}: allowed is 1 to the ${rows} rows there are`);
    }
    this.#options = options;
    this.stepsPerEpoch = Math.ceil(rows / batchSize);
    const rest = rows % batchSize;
    try {
      this.#order = Tensor.zeros(device, [rows], "u32");
      this.#cursor = Tensor.zeros(device, [1], "u32");
      this.#losses = Tensor.zeros(device, [this.stepsPerEpoch]);
      const fuse = !options.plain;
      this.#full = device.record(() => this.#runWholeStep(batchSize), { fuse });
      this.#rest = rest > 0 ? device.record(() => this.#runWholeStep(rest), { fuse }) : undefined;
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Steps put on the queue so far, over all epochs. */
  get step(): number {
    return this.#step;
  }

  /** Epochs put on the queue so far. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Dispatches of one step. */
  get dispatchesPerStep(): number {
    return this.#full.length;
  }

  /**
   * Trains for some epochs. Steps are put on the queue well ahead of the results that are awaited, across epochs too, so
   * that short epochs cost no wait each: when an epoch is yielded, later ones may have run. To set the learning rate for the
   * next epoch, do it in `evaluate`; to stop at an epoch, or to look at its weights, call `epochs(1)` in a loop. A caller who
   * leaves early leaves the epoch under way unfinished; the next call begins another.
   *
   * @param count How many epochs.
   * @param options `evaluate` is called when an epoch's last step was put on the queue: what it reads are the weights of
   * that moment. `onProgress` is told now and then how many steps were done in this call.
   * @returns The result of each epoch, in order.
   * @throws {NotFiniteError} If a loss is NaN or infinite; it says at which step.
   * @throws {DeviceError} If the GPU reported a fault.
   */
  async *epochs<T = undefined>(count: number, options: EpochOptions<T> = {}): AsyncGenerator<EpochResult<T>, void> {
    const pending: { steps: number; result: Promise<EpochResult<T> | undefined> }[] = [];
    let queued = 0, done = 0, whole = true;
    try {
      for (const chunk of this.#chunks(count)) {
        whole = chunk.end;
        const result = this.#queueChunk(chunk, options);
        result.catch(() => {}); // it is awaited below, in its turn
        pending.push({ steps: chunk.steps, result });
        queued += chunk.steps;
        while (queued - done > this.#stepsPerRead || (chunk.last && pending.length > 0)) {
          const { steps, result } = pending.shift()!;
          const epoch = await result;
          done += steps;
          options.onProgress?.(done);
          if (epoch) yield epoch;
        }
      }
    } finally {
      if (!whole) this.#epoch++; // or the next call would draw the same order
      // Nothing is under way any more when a caller who stops early, or an error, frees the device.
      await Promise.allSettled(pending.map(({ result }) => result));
    }
  }

  /** Cuts epochs into runs of steps, each followed by a read of its losses. */
  *#chunks(count: number): Generator<Chunk> {
    for (let epochs = 0; epochs < count; epochs++) {
      this.#shuffle();
      const losses = new Float32Array(this.stepsPerEpoch);
      for (let start = 0; start < losses.length;) {
        const steps = Math.min(this.#stepsPerRead, losses.length - start);
        const end = start + steps === losses.length;
        const last = end && epochs === count - 1;
        const chunk = { start, steps, end, last, losses, firstStep: this.#step + 1, epoch: this.#epoch + 1 };
        // Counted before the caller goes on, who may never come back for more.
        this.#step += steps;
        start += steps;
        if (end) this.#epoch++;
        yield chunk;
      }
    }
  }

  /** Puts a chunk on the queue at once; resolves when it is done, with the epoch's result where it ends one. */
  async #queueChunk<T>(chunk: Chunk, options: EpochOptions<T>): Promise<EpochResult<T> | undefined> {
    const { start, steps, end, losses } = chunk, since = performance.now();
    const short = end && this.#rest ? 1 : 0;
    this.#full.replay(steps - short);
    if (short) this.#rest!.replay();
    const read = this.#losses.view(start, [steps]).read();
    const evaluation = end ? (async () => await options.evaluate?.())() : undefined; // a throw becomes a rejection
    await Promise.allSettled([read, evaluation]);
    losses.set(await read, start);
    this.#checkLosses(chunk);
    if (performance.now() - since < READ_INTERVAL) this.#stepsPerRead = Math.min(2 * this.#stepsPerRead, 16_384);
    if (!end) return undefined;
    const step = chunk.firstStep + steps - 1;
    return { epoch: chunk.epoch, step, loss: this.#mean(losses), losses, evaluation: await evaluation as T };
  }

  /**
   * One epoch that stops at every step for a look at its tensors. The operations are those of {@linkcode Trainer.epochs}
   * with `plain`; where one kernel runs the step there, results differ in their last digits.
   *
   * @param onStep Called after each step with the tensors it made, which are freed when its promise resolves.
   * @returns The epoch's result.
   * @throws {NotFiniteError} If a loss is NaN or infinite; it says at which step.
   */
  async observedEpoch(
    onStep: (tensors: ReadonlyMap<string, Tensor>, step: number) => Promise<void>,
  ): Promise<EpochResult<undefined>> {
    this.#shuffle();
    const { x, batchSize, model: { device } } = this.#options;
    const losses = new Float32Array(this.stepsPerEpoch);
    for (let start = 0; start < losses.length; start++) {
      const tensors = new Map<string, Tensor>();
      const rows = Math.min(batchSize, x.shape[0] - start * batchSize);
      using step = device.record(() => this.#runStep(rows, (name, tensor) => tensors.set(name, tensor)));
      step.replay();
      await onStep(tensors, this.#step + 1);
      losses.set(await this.#losses.view(start, [1]).read(), start);
      this.#checkLosses({ start, steps: 1, losses, firstStep: this.#step + 1 });
      this.#step++;
    }
    this.#epoch++;
    return { epoch: this.#epoch, step: this.#step, loss: this.#mean(losses), losses, evaluation: undefined };
  }

  /** Frees what the recordings hold. The model, the optimizer and the rows stay. */
  dispose(): void {
    for (const part of [this.#full, this.#rest, this.#order, this.#cursor, this.#losses]) part?.dispose();
  }

  /** The same as {@linkcode Trainer.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** One step on the next `rows` rows: forward, loss, backward, update. */
  #runStep(rows: number, observe?: Observer): void {
    const { model, loss, optimizer, x, y, batchSize } = this.#options;
    const batch = { count: rows, cursor: this.#cursor, stride: batchSize };
    const inputs = gatherRows(x, this.#order, batch);
    const targets = gatherRows(y, this.#order, batch);

    const prediction = model.forward(inputs, observe);
    const { loss: lossValue, dPrediction } = loss.forwardBackward(prediction, targets);
    observe?.("loss", lossValue);
    observe?.("grad_logits", dPrediction);
    model.backward(dPrediction, { observe });
    optimizer.step();

    append(lossValue, this.#losses, this.#cursor);
  }

  /** The same step with all but the update in one kernel, where it fits. */
  #runWholeStep(rows: number): void {
    const { model, loss, optimizer, x, y, batchSize: stride, plain } = this.#options;
    const plan = plain ? undefined : planWholeStep(model, loss, { rows, inputs: x.shape[1], outputs: y.shape[1] });
    if (!plan) return this.#runStep(rows);
    runWholeStep(plan, { x, y, order: this.#order, cursor: this.#cursor, losses: this.#losses, stride });
    optimizer.step();
  }

  #shuffle(): void {
    const { seed, shuffle = true } = this.#options, rows = this.#order.size;
    const random = new Random(seed, `shuffle ${this.#epoch}`);
    this.#order.write(shuffle ? random.permutation(rows) : Uint32Array.from({ length: rows }, (_, i) => i));
    this.#cursor.write(Uint32Array.of(0));
  }

  #checkLosses({ start, steps, losses, firstStep }: Pick<Chunk, "start" | "steps" | "losses" | "firstStep">): void {
    for (let i = 0; i < steps; i++) {
      const loss = losses[start + i];
      if (!Number.isFinite(loss)) throw new NotFiniteError("loss", loss, firstStep + i);
    }
  }

  #mean(losses: Float32Array): number {
    const { x, batchSize } = this.#options, rows = x.shape[0];
    return losses.reduce((sum, loss, i) => sum + loss * Math.min(batchSize, rows - i * batchSize), 0) / rows;
  }
}

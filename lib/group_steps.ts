/**
 * The steps of a training that several processes do together. Two ways: gradients are summed at every step, or each rank
 * does some steps by itself, and then their parameters become one.
 *
 * @module
 */
import type { Communicator } from "./communicator.ts";
import { type Group, shareOf } from "./group.ts";
import { Nesterov } from "./gradient_descent.ts";
import type { Recording } from "./recording.ts";
import type { Staging } from "./staging.ts";
import { ELEMENT_BYTES, Tensor } from "./tensor.ts";
import type { TrainerOptions } from "./trainer_options.ts";
import type { TrainingStep } from "./training_step.ts";

/** Bytes of gradients that travel together at least: fewer are not worth a journey of their own. */
const BUCKET_BYTES = 256 * 1024;

/** How the steps of a trainer come about. */
export interface Steps extends Disposable {
  /** Dispatches of one step. */
  readonly length: number;
  /** State of its own that the training goes on from, by name, flat in the layout of the parameters. */
  readonly state: Readonly<Record<string, Tensor>>;
  /** Does some whole steps, then a short one for the rows that are left where there are any. */
  run(steps: number, short: boolean): Promise<void> | void;
  /** Makes the parameters of all ranks one, behind the steps. */
  meet?(): Promise<void>;
  /** Takes note that the parameters were replaced. */
  restart(): void;
  /** Makes the losses of a rank's rows those of all rows, in place. */
  mergeLosses?(losses: Float32Array<ArrayBuffer>, short: boolean): Promise<void>;
}

/** Rows of a whole step and of the short one: of all ranks, and this one's own. */
interface Rows {
  readonly all: readonly [number, number];
  readonly own: readonly [number, number];
}

/** One process's own steps: recorded once and replayed. */
export class OwnSteps implements Steps {
  readonly state = {};
  readonly #full: Recording;
  readonly #rest: Recording | undefined;

  /**
   * @param options What is trained.
   * @param training The step.
   * @param rows Rows of a whole step, and of the one that takes what is left; 0 for none.
   */
  constructor({ model: { device }, plain }: TrainerOptions, training: TrainingStep, [whole, rest]: readonly number[]) {
    this.#full = device.record(() => training.runWhole(whole), { fuse: !plain });
    this.#rest = rest > 0 ? device.record(() => training.runWhole(rest), { fuse: !plain }) : undefined;
  }

  get length(): number {
    return this.#full.length;
  }

  run(steps: number, short: boolean): void {
    this.#full.replay(steps);
    if (short) this.#rest?.replay();
  }

  restart(): void {}

  [Symbol.dispose](): void {
    this.#full.dispose();
    this.#rest?.dispose();
  }
}

/** The steps of all ranks as those of one process. */
export function createSteps(options: TrainerOptions, training: TrainingStep, rest: number): Steps {
  const { group, batchSize } = options, all = [batchSize, rest] as const;
  if (!group) return new OwnSteps(options, training, all);
  const own = all.map((rows) => countOf(rows, group.communicator)) as unknown as readonly [number, number];
  const { syncEvery = 1 } = group;
  return syncEvery === 1
    ? new SharedSteps(options, training, group, { all, own })
    : new LocalSteps(options, training, group, { all, own });
}

function countOf(rows: number, communicator: Communicator): number {
  const [start, end] = shareOf(rows, communicator);
  return end - start;
}

/** Neighbours in the buffer of gradients, and where they are read back. */
interface Bucket {
  readonly place: Tensor;
  readonly staging: Staging;
  /** Where its sum is made. */
  readonly sum: Float32Array<ArrayBuffer>;
}

/**
 * Every step in common. The gradients travel in buckets, those of the last layers first, while the backward pass of the
 * layers before is under way (Li et al. 2020); each rank's count as much as it has rows.
 */
class SharedSteps implements Steps {
  readonly state = {};
  readonly #communicator: Communicator;
  readonly #rows: Rows;
  readonly #full: Recording;
  readonly #rest: Recording | undefined;
  readonly #update: Recording;
  /** Gradients, last layers first. */
  readonly #buckets: readonly Bucket[];
  /** The step's loss, this rank's and then that of all. */
  readonly #loss: Tensor;
  readonly #lossStaging: Staging;
  readonly #lossSum = new Float32Array(1);
  readonly #owned: Disposable[] = [];

  constructor(options: TrainerOptions, training: TrainingStep, { communicator }: Group, rows: Rows) {
    const { model } = options, { device, gradients } = model;
    [this.#communicator, this.#rows] = [communicator, rows];
    const own = <T extends Disposable>(made: T): T => {
      this.#owned.push(made);
      return made;
    };
    try {
      this.#loss = own(Tensor.zeros(device, []));
      this.#lossStaging = own(device.stage([this.#loss]));
      const starts = bucketStarts(options);
      this.#buckets = starts.map((start, i) => {
        const size = (starts[i - 1] ?? gradients.size) - start, place = gradients.view(start, [size]);
        return { place, staging: own(device.stage([place])), sum: new Float32Array(size) };
      });
      const record = (count: number) =>
        own(
          device.record((cut) => {
            training.gradients(count, this.#loss, (place) => starts.slice(0, -1).includes(place) && cut());
          }, { fuse: !options.plain }),
        );
      [this.#full, this.#rest] = [record(rows.own[0]), rows.own[1] > 0 ? record(rows.own[1]) : undefined];
      this.#update = own(device.record(() => training.update(this.#loss)));
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  get length(): number {
    return this.#full.length + this.#update.length;
  }

  async run(steps: number, short: boolean): Promise<void> {
    const { all, own } = this.#rows;
    for (let step = 0; step < steps; step++) await this.#step(this.#full, own[0] / all[0]);
    if (short) await this.#step(this.#rest, own[1] / all[1]);
  }

  restart(): void {}

  /** One step; a rank that has no rows in it brings zeros. */
  async #step(recording: Recording | undefined, weight: number): Promise<void> {
    const reads = this.#buckets.map(({ staging, sum }, part) => {
      if (!recording) return sum.fill(0);
      recording.replayPart(part);
      return staging.read((bytes) => scaleInto(sum, bytes, weight));
    });
    const loss = recording
      ? this.#lossStaging.read((bytes) => scaleInto(this.#lossSum, bytes, weight))
      : this.#lossSum.fill(0);
    const sums: Promise<void>[] = [];
    try {
      for (const [i, read] of reads.entries()) {
        await read;
        sums.push(this.#communicator.allReduce(this.#buckets[i].sum));
      }
      await loss;
      sums.push(this.#communicator.allReduce(this.#lossSum));
      await Promise.all(sums);
    } finally {
      await Promise.allSettled([...reads, loss, ...sums]);
    }
    for (const { place, sum } of this.#buckets) place.write(sum);
    this.#loss.write(this.#lossSum);
    this.#update.replay();
  }

  [Symbol.dispose](): void {
    for (const made of this.#owned) made[Symbol.dispose]();
  }
}

/** Where buckets begin in the buffer of gradients, the last one first: at parameters, and none too small. */
function bucketStarts({ model: { parameters, gradients } }: TrainerOptions): number[] {
  const starts: number[] = [];
  let end = gradients.size;
  for (const { parameter: { grad } } of parameters.toReversed()) {
    const start = (grad.byteOffset - gradients.byteOffset) / ELEMENT_BYTES;
    if (start > 0 && (end - start) * ELEMENT_BYTES < BUCKET_BYTES) continue;
    starts.push(start);
    end = start;
  }
  return starts;
}

function scaleInto(target: Float32Array, bytes: ArrayBuffer, factor: number): void {
  const source = new Float32Array(bytes, 0, target.length);
  for (let i = 0; i < target.length; i++) target[i] = factor * source[i];
}

/**
 * Steps that each rank does by itself. Behind them the parameters move from where they were one to the mean of what they
 * became, by the outer step; the optimizer's state becomes the mean of the ranks', so that all go on from the same.
 */
class LocalSteps implements Steps {
  readonly state: Readonly<Record<string, Tensor>>;
  readonly #communicator: Communicator;
  readonly #rows: Rows;
  readonly #own: OwnSteps;
  readonly #values: Tensor;
  /** Parameters as they were when they were last one. */
  readonly #before: Tensor;
  /** What they moved by since, backwards. */
  readonly #moved: Tensor;
  readonly #outer: Nesterov;
  readonly #outerStep: Recording;
  /** The optimizer's state. */
  readonly #kept: readonly Tensor[];
  readonly #staging: Staging;
  readonly #mean: Float32Array<ArrayBuffer>;
  readonly #owned: Disposable[] = [];

  constructor(options: TrainerOptions, training: TrainingStep, { communicator, outer = {} }: Group, rows: Rows) {
    const { model: { device, values }, optimizer } = options, { learningRate = 0.7, momentum = 0.9 } = outer;
    [this.#communicator, this.#rows, this.#values] = [communicator, rows, values];
    const own = <T extends Disposable>(made: T): T => {
      this.#owned.push(made);
      return made;
    };
    try {
      this.#own = own(new OwnSteps(options, training, rows.own));
      this.#before = own(Tensor.zeros(device, values.shape));
      this.#moved = own(Tensor.zeros(device, values.shape));
      this.#outer = own(new Nesterov({ values, gradients: this.#moved }, learningRate, { momentum }));
      this.state = { outer: this.#outer.state.velocity };
      this.#kept = Object.values(optimizer.state).filter(({ dtype }) => dtype === "f32");
      this.#staging = own(device.stage([values, this.#before, ...this.#kept]));
      this.#mean = new Float32Array([values, ...this.#kept].reduce((sum, { size }) => sum + size, 0));
      this.#outerStep = own(device.record(() => this.#outer.step()));
      this.restart();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  get length(): number {
    return this.#own.length;
  }

  run(steps: number, short: boolean): void {
    this.#own.run(steps, short);
  }

  async meet(): Promise<void> {
    const { size } = this.#values, mean = this.#mean;
    await this.#staging.read((bytes) => {
      const all = new Float32Array(bytes, 0, mean.length + size), share = 1 / this.#communicator.size;
      for (let i = 0; i < size; i++) mean[i] = share * (all[size + i] - all[i]);
      for (let i = size; i < mean.length; i++) mean[i] = share * all[size + i];
    });
    await this.#communicator.allReduce(mean);
    this.#moved.write(mean.subarray(0, size));
    let start = size;
    for (const tensor of this.#kept) {
      tensor.write(mean.subarray(start, start + tensor.size));
      start += tensor.size;
    }
    const { device } = this.#values;
    device.copy(this.#before, this.#values);
    this.#outerStep.replay();
    this.restart();
  }

  restart(): void {
    this.#values.device.copy(this.#values, this.#before);
  }

  async mergeLosses(losses: Float32Array<ArrayBuffer>, short: boolean): Promise<void> {
    const { all, own } = this.#rows;
    for (let i = 0; i < losses.length; i++) {
      const kind = short && i === losses.length - 1 ? 1 : 0, weight = own[kind] / all[kind];
      losses[i] = weight === 0 ? 0 : weight * losses[i]; // nothing was written for no rows
    }
    await this.#communicator.allReduce(losses);
  }

  [Symbol.dispose](): void {
    for (const made of this.#owned) made[Symbol.dispose]();
  }
}

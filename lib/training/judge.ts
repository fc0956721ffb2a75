/**
 * Judges a training by its validation loss, on the GPU: it keeps the best weights, counts epochs without a better loss, lowers
 * the learning rate and ends the training. Epochs go on meanwhile; the CPU reads a few times a second what was decided.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import type { Model } from "../core/model.ts";
import type { Optimizer } from "../core/optimizers.ts";
import { ELEMENT_BYTES, Tensor } from "../core/tensor.ts";
import type { Recording } from "../gpu/recording.ts";
import { countsUnder, NO_LOSS, startOf, verdictOf } from "./judge_counts.ts";
import { checkJudge, type JudgeOptions, type Verdict } from "./judge_options.ts";
import { partsOf } from "./tensor_statistics.ts";
import { ValidationPass } from "./validation_pass.ts";

export type { JudgeOptions, PlateauOptions, Verdict } from "./judge_options.ts";

/** Epochs whose verdicts are kept until they are read. */
const SLOTS = 1_024;

/**
 * Judges the epochs of one training. Give it to a {@linkcode Trainer}, which calls it at the end of each epoch, ends when it
 * says so, and keeps its state. When the training is over, the model has the weights of the best epoch, each member its own.
 *
 * @example
 * ```ts
 * import { Device, Judge, type JudgeOptions, Linear, Model, mse, type PlateauOptions, Sgd } from "@backhand/backhand";
 * import { Tensor, Trainer, type Verdict } from "@backhand/backhand";
 * import { assert, assertAlmostEquals } from "@std/assert";
 * using device = await Device.request({ smallDispatches: true });
 * using model = new Model(device, [new Linear(1, 1)]);
 * using optimizer = new Sgd(model, 0.1);
 * using x = Tensor.from(device, [[-1], [0], [1], [2]]);
 * using y = Tensor.from(device, [[-1], [1], [3], [5]]); // 2 x + 1
 * const validation = { loss: mse, x: Tensor.from(device, [[1.5]]), y: Tensor.from(device, [[4]]) };
 * const plateau: PlateauOptions = { factor: 0.2, drops: 1, goesBack: true };
 * const options: JudgeOptions = { validation, patience: 5, minDelta: 1e-9, plateau };
 * using judge = new Judge(model, optimizer, options);
 * using trainer = new Trainer({ model, loss: mse, optimizer, x, y, batchSize: 2, seed: 1, judge });
 * const epochs = await Array.fromAsync(trainer.epochs(1000, { isAhead: true }));
 * const { best, ages, drops, isOver }: Verdict = epochs.at(-1)!.verdict!;
 * assert(isOver && drops === 1 && epochs.length < 1000);
 * const { "0.weight": [weight], "0.bias": [bias] } = await model.read();
 * assertAlmostEquals((1.5 * weight + bias - 4) ** 2, best[0], 1e-9); // those of the best epoch
 * assert(ages[0] > 5);
 * ```
 */
export class Judge implements Disposable {
  /** The best weights of each member so far, in the layout of the model's `values`; those of the start before the first. */
  readonly best: Tensor;
  /** What it has counted, first the factor of all learning rates: with `best` all that a training continues from. */
  readonly counts: Tensor;
  /** What it was made with. */
  readonly options: JudgeOptions;
  readonly #model: Model;
  readonly #losses: Tensor;
  readonly #history: Tensor;
  readonly #cursor: Tensor;
  readonly #pass: ValidationPass | undefined;
  readonly #decide: Recording;
  readonly #back: Recording;
  readonly #owned: DisposableStack;
  #verdict: Verdict;
  /** Takes back what others of the training keep. */
  #more: Recording | undefined;
  #isSome = false;

  /**
   * Makes room for the best weights.
   *
   * @throws {RangeError} If an option is out of range.
   * @throws {TypeError} If the rows do not fit the model.
   */
  constructor(model: Model, optimizer: Optimizer, options: JudgeOptions = {}) {
    checkJudge(options);
    const { device, members, values } = model;
    this.#model = model;
    this.options = options;
    using stack = new DisposableStack();
    const make = (shape: number[], dtype?: "u32") => stack.use(Tensor.zeros(device, shape, dtype));
    const start = startOf(members);
    this.best = make([...values.shape]);
    device.copy(values, this.best);
    this.counts = make([start.length]);
    this.#losses = make([members]);
    this.#history = make([SLOTS, start.length]);
    this.#cursor = make([1], "u32");
    this.counts.write(start);
    this.#verdict = verdictOf(start, options);
    if (options.validation) this.#pass = stack.use(new ValidationPass(model, options.validation, this.#losses));
    const starts = Object.values(optimizer.state).filter(({ dtype }) => dtype === "f32").map((tensor) => {
      // What has an element for each parameter starts at 0; of all else a copy is kept.
      if (tensor.size === values.size) return { tensor };
      const start = make([...tensor.shape]);
      device.copy(tensor, start);
      return { tensor, start };
    });
    const back = () => {
      this.#goBack(this.best, values);
      this.#recordStarts(starts);
    };
    this.#back = stack.use(device.record(back));
    this.#decide = stack.use(device.record(() => {
      this.#recordDecision();
      if (options.patience) back();
    }));
    this.#owned = stack.move();
  }

  /** Whether it measures rows by itself. */
  get isMeasuring(): boolean {
    return this.#pass !== undefined;
  }

  /** The last verdict that was read. */
  get verdict(): Verdict {
    return this.#verdict;
  }

  /** Whether any member has had a loss that is a number. */
  get hasBest(): boolean {
    return this.#isSome;
  }

  /**
   * How many epochs may be judged until they are read.
   *
   * @internal
   */
  get slots(): number {
    return SLOTS;
  }

  /**
   * Measures the validation rows and judges, after all that is on the queue.
   *
   * @internal {@linkcode Trainer} calls it and what follows, in this order: `begin`, `measureAndJudge` for each epoch,
   * `verdicts`, `take`; `settle` after the end, `resume` after a restart.
   */
  measureAndJudge(): void {
    this.#pass?.run();
    this.#replay(this.#decide);
  }

  /**
   * Takes note of more that begins anew, from 0, where the weights go back.
   *
   * @internal
   */
  alsoClear(tensors: readonly Tensor[]): void {
    if (tensors.length === 0) return;
    const starts = tensors.map((tensor) => ({ tensor }));
    this.#more?.[Symbol.dispose]();
    this.#more = this.#model.device.record(() => this.#recordStarts(starts));
  }

  /**
   * Judges an epoch by losses that were measured elsewhere.
   *
   * @param losses The validation loss of each member.
   * @throws {TypeError} If there are more or fewer.
   */
  async tell(losses: readonly number[]): Promise<Verdict> {
    if (losses.length !== this.#losses.size) {
      throw new TypeError(`Cannot judge ${this.#losses.size} members by ${losses.length} losses`);
    }
    this.begin();
    this.#losses.write(losses);
    this.#replay(this.#decide);
    const [verdict] = this.take(await this.verdicts(1).read() as Float32Array);
    return verdict;
  }

  /**
   * Makes the next verdict the first of those that are read together.
   *
   * @internal
   */
  begin(): void {
    this.#cursor.write(Uint32Array.of(0));
  }

  /**
   * Where the verdicts since then lie, to be read.
   *
   * @internal
   */
  verdicts(count: number): Tensor {
    return this.#history.view(0, [count, this.counts.size]);
  }

  /**
   * Takes in what was read there, up to the end of the training.
   *
   * @internal
   */
  take(numbers: ArrayLike<number>): Verdict[] {
    const verdicts: Verdict[] = [];
    const width = this.counts.size;
    for (let at = 0; at < numbers.length && !this.#verdict.isOver; at += width) {
      this.#note(Array.from({ length: width }, (_, i) => numbers[at + i]));
      verdicts.push(this.#verdict);
    }
    return verdicts;
  }

  /**
   * After the end: undoes what steps have done since.
   *
   * @internal
   */
  settle(): void {
    this.#replay(this.#back);
  }

  /** Gives the model the best weights; the optimizer's state stays. */
  restore(): void {
    if (this.#isSome) this.#model.device.copy(this.best, this.#model.values);
  }

  /**
   * Takes note of counts that were put into place from elsewhere. More patience than then lets an ended training go on; under
   * another plateau the drops of then count by its factor.
   *
   * @internal
   */
  resume(counts: ArrayLike<number>): void {
    const numbers = countsUnder(this.options, counts);
    this.counts.write(numbers);
    this.#isSome = false;
    this.#note(numbers);
  }

  /** Frees what it made; the rows stay. */
  dispose(): void {
    this.#more?.[Symbol.dispose]();
    this.#owned.dispose();
  }

  /** The same as {@linkcode Judge.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #note(numbers: readonly number[]): void {
    this.#verdict = verdictOf(numbers, this.options);
    this.#isSome ||= this.#verdict.best.some(Number.isFinite);
  }

  #recordDecision(): void {
    const { device, values, members } = this.#model;
    const { patience = 0, minDelta = 0, plateau } = this.options;
    const { factor = 1, drops = Infinity, goesBack = false } = plateau ?? { drops: 0 };
    device.run(kernels.judgeEpoch, {
      buffers: [this.counts, this.#losses, this.#history, this.#cursor],
      reals: [patience, Math.min(drops, NO_LOSS), goesBack ? 1 : 0, minDelta, factor],
      invocations: 1,
    });
    const parts = partsOf(values.size);
    device.run(kernels.keepBest, {
      buffers: [this.counts, this.#parameters(), values, this.best],
      sizes: [values.size, parts, members],
      invocations: parts,
    });
  }

  #replay(recording: Recording): void {
    recording.replay();
    this.#more?.replay();
  }

  /** A tensor takes the numbers of another, over and over, where it was decided to go back. */
  #goBack(source: Tensor, target: Tensor): void {
    const parts = partsOf(target.size);
    const buffers = [this.counts, source, target];
    target.device.run(kernels.goBack, { buffers, sizes: [target.size, parts], invocations: parts });
  }

  /** Tensors go back to how they began, by default 0. */
  #recordStarts(starts: readonly { readonly tensor: Tensor; readonly start?: Tensor }[]): void {
    const zero = Tensor.constant(this.#model.device, [0]);
    for (const { tensor, start = zero } of starts) this.#goBack(start, tensor);
  }

  /** Where each parameter starts, and the elements of it that a member has; the last first. */
  #parameters(): Tensor {
    const { device, parameters, values, members } = this.#model;
    const table = parameters.flatMap(({ parameter: { value } }) => {
      return [[(value.byteOffset - values.byteOffset) / ELEMENT_BYTES, value.size / members]];
    });
    return Tensor.constant(device, Uint32Array.from(table.reverse().flat()));
  }
}

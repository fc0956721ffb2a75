/**
 * One training step: gather the rows that a counter on the GPU names, forward, loss, backward, update. {@linkcode OwnSteps}
 * records it once and replays it; the folder group/ has the same for one of several processes that train one model.
 *
 * @module
 */
import { clipByNorm } from "./clipping.ts";
import { advance } from "../core/dropout.ts";
import type { Observer } from "../core/model.ts";
import { StepRates } from "./learning_rates.ts";
import { append, gatherRows } from "./recorded_rows.ts";
import type { Recording } from "../gpu/recording.ts";
import type { RowWindows } from "./row_windows.ts";
import { Tensor } from "../core/tensor.ts";
import type { Batch, TrainerOptions } from "./trainer_options.ts";
import { planWholeStep, runWholeStep } from "./whole_step.ts";

/** The step, and the numbers that it hands to the next one. */
export class TrainingStep implements Disposable {
  /** Loss of each step on the window in place [steps]. */
  readonly losses: Tensor;
  readonly #options: TrainerOptions;
  readonly #windows: RowWindows;
  /** Rows between the start of a step and that of the next. */
  readonly #stride: number;
  /** The number of the next step on the window. */
  readonly #cursor: Tensor;
  readonly #rates: StepRates | undefined;
  /** Its first element multiplies all learning rates. */
  readonly #factor: Tensor;
  /** The factor where there is no judge. */
  readonly #one: Tensor | undefined;

  constructor(options: TrainerOptions, windows: RowWindows, stride: number) {
    const { model: { device }, learningRates, judge, optimizer } = options;
    this.#options = options;
    this.#windows = windows;
    this.#stride = stride;
    this.#cursor = Tensor.zeros(device, [1], "u32");
    this.losses = Tensor.zeros(device, [windows.plan.stepsPerWindow]);
    this.#one = judge ? undefined : Tensor.constant(device, [1]);
    this.#factor = judge?.counts ?? this.#one!;
    const isChanged = learningRates ?? judge?.options.plateau;
    this.#rates = isChanged && new StepRates(this.losses, learningRates ?? (() => optimizer.learningRate));
  }

  /** Makes a step on a window the next one, after all that is on the queue. */
  begin(firstStep: number, steps: number, start: number): void {
    this.#rates?.write(firstStep, steps);
    this.#cursor.write(Uint32Array.of(start));
  }

  /** One step of so many rows: its gradients, then the update by them. In a small network one kernel finds the gradients. */
  run(rows: number): void {
    if (rows === 0) return this.skip();
    const { model, loss, optimizer, plain } = this.#options;
    const { x, y, order } = this.#windows;
    const plan = plain ? undefined : planWholeStep(model, loss, { rows, inputs: x.shape[1], outputs: y.shape[1] });
    if (!plan) return this.update(this.look(rows).loss);
    this.#rates?.take(this.#cursor, this.#factor, optimizer.rate);
    runWholeStep(plan, { x, y, order, cursor: this.#cursor, losses: this.losses, stride: this.#stride });
    this.#updateParameters();
  }

  /** The step up to its gradients: no parameter changes, and the same step comes next. */
  look(rows: number, observe?: Observer): Batch & { readonly loss: Tensor } {
    const { model, loss, plain } = this.#options;
    const { members } = model;
    const batch = { count: rows, cursor: this.#cursor, stride: this.#stride, copies: members };
    const x = gatherRows(this.#windows.x, this.#windows.order, batch);
    const y = gatherRows(this.#windows.y, this.#windows.order, batch);

    const prediction = model.forward(x, { training: true, observe });
    const { loss: lossValue, dPrediction } = plain
      ? { loss: loss.forward(prediction, y), dPrediction: loss.backward(prediction, y, members) }
      : loss.forwardBackward(prediction, y, members);
    observe?.("loss", lossValue);
    observe?.("grad_logits", dPrediction);
    model.backward(dPrediction, { observe });
    return { x, y, loss: lossValue };
  }

  /** The rest of the step: the update by the gradients that are there. The loss is kept, and the next step is the next one. */
  update(loss: Tensor): void {
    this.#rates?.take(this.#cursor, this.#factor, this.#options.optimizer.rate);
    this.#updateParameters();
    append(loss, this.losses, this.#cursor);
  }

  /** A step of other processes, without rows for this one: only the counters of layers move on. */
  skip(): void {
    for (const { counters = {} } of this.#options.model.layers) Object.values(counters).forEach(advance);
  }

  #updateParameters(): void {
    const { model, optimizer, clipNorm } = this.#options;
    if (clipNorm !== undefined) clipByNorm(model.gradients, clipNorm);
    optimizer.step();
  }

  [Symbol.dispose](): void {
    for (const part of [this.#cursor, this.losses, this.#rates, this.#one]) part?.[Symbol.dispose]();
  }
}

/** The steps of a trainer. */
export interface Steps extends Disposable {
  readonly length: number;
  /** State of its own that the training continues from, by name, flat in the layout of the parameters. */
  readonly state: Readonly<Record<string, Tensor>>;
  /** Does some whole steps, then a short one for the rows that are left, if there are any. */
  run(steps: number, short: boolean): Promise<void> | void;
  /** In a group: makes the losses of this process's rows those of all rows, and flags what any process has flagged. */
  merge?(losses: Float32Array<ArrayBuffer>, short: boolean, flags?: Float32Array<ArrayBuffer>): Promise<void>;
}

/** This process's share of a training. */
export interface Share {
  /** How many of a step's rows it sees. */
  rows(count: number): number;
  /** The rows of a window that its steps see, in order. */
  order(order: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer>;
  /** How many steps may run next, and whether it is time to look at the tensors that the training keeps. */
  agree(steps: number, isLookDue: boolean): Promise<{ steps: number; isLookDue: boolean }>;
  /** Records the steps: whole ones, and a short one of the rest of the rows. */
  record(options: TrainerOptions, step: TrainingStep, rest: number): Steps;
}

/** The share of the only process: all of it. */
export const ALL: Share = {
  rows: (count) => count,
  order: (order) => order,
  agree: (steps, isLookDue) => Promise.resolve({ steps, isLookDue }),
  record: (options, step, rest) => new OwnSteps(options, step, [options.batchSize, rest]),
};

/** Steps that a process does by itself. */
export class OwnSteps implements Steps {
  readonly state = {};
  readonly #full: Recording;
  readonly #short: Recording;
  readonly #owned: DisposableStack;

  constructor(
    { model: { device }, plain = false }: TrainerOptions,
    step: TrainingStep,
    rows: readonly [number, number],
  ) {
    using stack = new DisposableStack();
    const record = (count: number) =>
      stack.use(device.record(() => step.run(count), { fuse: !plain, closed: true, plain }));
    this.#full = record(rows[0]);
    this.#short = record(rows[1]);
    this.#owned = stack.move();
  }

  get length(): number {
    return this.#full.length;
  }

  run(steps: number, short: boolean): void {
    this.#full.replay(steps);
    if (short) this.#short.replay();
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

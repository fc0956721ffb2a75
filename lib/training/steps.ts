/**
 * How the steps of a trainer run in one process: recorded once and replayed. The folder group/ has the same for one of several
 * processes that train one model together.
 *
 * @module
 */
import type { Recording } from "../gpu/recording.ts";
import type { Tensor } from "../core/tensor.ts";
import type { TrainerOptions } from "./trainer_options.ts";
import type { TrainingStep } from "./training_step.ts";

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
    const record = (count: number) => stack.use(device.record(() => step.run(count), { fuse: !plain, plain }));
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

/**
 * How the steps of a trainer come about, and the way of one process.
 *
 * @module
 */
import type { Recording } from "../gpu/recording.ts";
import type { Tensor } from "../core/tensor.ts";
import type { TrainerOptions } from "./trainer_options.ts";
import type { TrainingStep } from "./training_step.ts";

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
  /** Makes the losses of a rank's rows those of all rows, in place, and flags those that any rank has. */
  mergeLosses?(losses: Float32Array<ArrayBuffer>, short: boolean, flags?: Float32Array<ArrayBuffer>): Promise<void>;
}

/** Rows of a whole step and of the short one: of all ranks, and this one's own. */
export interface Rows {
  readonly all: readonly [number, number];
  readonly own: readonly [number, number];
}

/** One process's own steps: recorded once and replayed. */
export class OwnSteps implements Steps {
  readonly state = {};
  readonly #full: Recording;
  readonly #rest: Recording | undefined;
  readonly #owned: DisposableStack;

  /** Records them. */
  constructor({ model: { device }, plain }: TrainerOptions, training: TrainingStep, { all, own }: Rows) {
    using stack = new DisposableStack();
    const record = (count: number) => {
      const body = () => count > 0 ? training.runWhole(count) : training.skip();
      return stack.use(device.record(body, { fuse: !plain }));
    };
    this.#full = record(own[0]);
    this.#rest = all[1] > 0 ? record(own[1]) : undefined;
    this.#owned = stack.move();
  }

  get length(): number {
    return this.#full.length;
  }

  run(steps: number, short: boolean): void {
    this.#full.replay(steps);
    if (short) this.#rest?.replay();
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

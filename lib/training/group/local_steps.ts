/**
 * Steps that each rank does by itself, and how the ranks become one after them.
 *
 * @module
 */
import type { Communicator } from "../../ranks/communicator.ts";
import { kernels } from "../../../kernels/mod.ts";
import { elementwise } from "../../core/operation.ts";
import { Nesterov } from "../../core/optimizers.ts";
import type { Group, Rows } from "./group.ts";
import type { Recording } from "../../gpu/recording.ts";
import { scaleInto, type Staging } from "../../gpu/readback.ts";
import { Tensor } from "../../core/tensor.ts";
import type { TrainerOptions } from "../trainer_options.ts";
import { OwnSteps, type Steps, type TrainingStep } from "../training_step.ts";

/**
 * Steps that each rank does by itself. After them the parameters move from where they were one to the mean of what they
 * became, by the outer step; the optimizer's state becomes the mean of the ranks', so that all continue from the same.
 */
export class LocalSteps implements Steps {
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
  readonly #optimizerState: readonly { readonly tensor: Tensor; readonly start: number }[];
  readonly #move: Recording;
  /** Of what they moved by, and of the optimizer's state. */
  readonly #stagings: readonly Staging[];
  /** Moves and state, of which the ranks make the mean. */
  readonly #mean: Float32Array<ArrayBuffer>;
  readonly #owned: DisposableStack;

  constructor(options: TrainerOptions, step: TrainingStep, { communicator, outer = {} }: Group, rows: Rows) {
    const { model: { device, values }, optimizer } = options;
    const { learningRate = 0.7, momentum = 0.9 } = outer;
    this.#communicator = communicator;
    this.#rows = rows;
    this.#values = values;
    using stack = new DisposableStack();
    this.#own = stack.use(new OwnSteps(options, step, rows.own));
    this.#before = stack.use(Tensor.zeros(device, values.shape));
    this.#moved = stack.use(Tensor.zeros(device, values.shape));
    this.#outer = stack.use(new Nesterov({ values, gradients: this.#moved }, learningRate, { momentum }));
    this.state = { outer: this.#outer.state.velocity };
    let end = values.size;
    this.#optimizerState = Object.values(optimizer.state).filter(({ dtype }) => dtype === "f32").map((tensor) => {
      end += tensor.size;
      return { tensor, start: end - tensor.size };
    });
    this.#mean = new Float32Array(end);
    const difference = () => void elementwise(kernels.subtract, [this.#before, values], { out: this.#moved });
    this.#move = stack.use(device.record(difference));
    const staged = [this.#moved, ...this.#optimizerState.map(({ tensor }) => tensor)];
    this.#stagings = staged.map((tensor) => stack.use(device.stage([tensor])));
    this.#outerStep = stack.use(device.record(() => this.#outer.step()));
    this.#owned = stack.move();
  }

  get length(): number {
    return this.#own.length;
  }

  /** What follows on the queue, as the judge's look, finds the ranks one again. */
  async run(steps: number, short: boolean): Promise<void> {
    this.#values.device.copy(this.#values, this.#before); // the ranks are one here
    this.#own.run(steps, short);
    await this.#meet();
  }

  /** Makes the parameters of all ranks one, after the steps. */
  async #meet(): Promise<void> {
    const { size, device } = this.#values;
    const mean = this.#mean;
    const share = 1 / this.#communicator.size;
    this.#move.replay();
    const starts = [0, ...this.#optimizerState.map(({ start }) => start)];
    await Promise.all(
      starts.map((start, i) => this.#stagings[i].read((bytes) => scaleInto(mean, start, bytes, share))),
    );
    await this.#communicator.allReduce(mean);
    device.write(this.#moved, mean.subarray(0, size));
    for (const { tensor, start } of this.#optimizerState) {
      device.write(tensor, mean.subarray(start, start + tensor.size));
    }
    device.copy(this.#before, this.#values);
    this.#outerStep.replay();
  }

  async merge(losses: Float32Array<ArrayBuffer>, short: boolean, flags?: Float32Array<ArrayBuffer>): Promise<void> {
    const { all, own } = this.#rows;
    for (let i = 0; i < losses.length; i++) {
      const kind = short && i === losses.length - 1 ? 1 : 0;
      const weight = own[kind] / all[kind];
      losses[i] = weight === 0 ? 0 : weight * losses[i]; // nothing was written for no rows
    }
    await this.#communicator.allReduce(losses);
    if (flags) await this.#communicator.allReduce(flags, "max"); // or one rank alone would end
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

/**
 * The share of one rank in a training of several: its rows of each batch, and the steps that bring the ranks together.
 *
 * @module
 */
import { checkGroup, type Group, ownOrder, type Rows, shareOf } from "./group.ts";
import { LocalSteps } from "./local_steps.ts";
import { SharedSteps } from "./shared_steps.ts";
import type { TrainerOptions } from "../trainer_options.ts";
import type { Share, Steps, TrainingStep } from "../training_step.ts";

/** A rank's share; every rank of a group makes it with the same options. */
export class RankShare implements Share {
  readonly #group: Group;
  readonly #batchSize: number;

  constructor(group: Group, batchSize: number) {
    checkGroup(group, batchSize);
    this.#group = group;
    this.#batchSize = batchSize;
  }

  rows(count: number): number {
    const [start, end] = shareOf(count, this.#group.communicator);
    return end - start;
  }

  order(order: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
    return ownOrder(order, this.#batchSize, this.#group.communicator);
  }

  async agree(steps: number, isLookDue: boolean): Promise<{ steps: number; isLookDue: boolean }> {
    const { communicator, syncEvery = 1 } = this.#group;
    const agreed = Float64Array.of(steps, isLookDue ? 0 : 1);
    await communicator.allReduce(agreed, "min");
    // Ranks meet after each run of steps, and only there a checkpoint can be written.
    const together = agreed[0] > 0 && syncEvery > 1 ? syncEvery : agreed[0];
    return { steps: together, isLookDue: agreed[1] === 0 }; // a fault has to show on all ranks at once
  }

  record(options: TrainerOptions, step: TrainingStep, rest: number): Steps {
    const rows: Rows = { all: [this.#batchSize, rest], own: [this.rows(this.#batchSize), this.rows(rest)] };
    const { communicator, syncEvery = 1 } = this.#group;
    return syncEvery === 1
      ? new SharedSteps(options, step, communicator, rows)
      : new LocalSteps(options, step, this.#group, rows);
  }
}

/**
 * The steps of a training, of one process or of several.
 *
 * @module
 */
import { ALONE, type Communicator } from "../../ranks/communicator.ts";
import { shareOf } from "./group.ts";
import { LocalSteps } from "./local_steps.ts";
import { OwnSteps, type Rows, type Steps } from "../steps.ts";
import { SharedSteps } from "./shared_steps.ts";
import type { TrainerOptions } from "../trainer_options.ts";
import type { TrainingStep } from "../training_step.ts";

/** Records the steps. */
export function createSteps(options: TrainerOptions, training: TrainingStep, rest: number): Steps {
  const { group, batchSize } = options;
  const communicator = group?.communicator ?? ALONE;
  const rows: Rows = { all: [batchSize, rest], own: [countOf(batchSize, communicator), countOf(rest, communicator)] };
  if (!group) return new OwnSteps(options, training, rows);
  const { syncEvery = 1 } = group;
  if (syncEvery === 1) return new SharedSteps(options, training, communicator, rows);
  return new LocalSteps(options, training, group, rows);
}

function countOf(rows: number, communicator: Communicator): number {
  const [start, end] = shareOf(rows, communicator);
  return end - start;
}

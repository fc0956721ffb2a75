/** Warns once of each thing that makes training slow or useless, and says what to do. */

import { diagnose, type LossHistory } from "../../lib/inspect/diagnosis.ts";
import { examine } from "../../lib/inspect/sample_look.ts";
import type { RowBlock, RowSource } from "../../lib/data/row_source.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import type { Batch } from "../../lib/training/trainer_options.ts";
import type { Training } from "./training.ts";
import type { EpochLine } from "../show/view.ts";

/** Rows of the sample, shared among members: enough to tell a dead unit from one that is seldom active. */
const SAMPLE_ROWS = 1_024;

/** Runs of neighbouring rows in the sample, spread over the table: many tables are sorted, and their first rows alike. */
const SAMPLE_RUNS = 64;

export type Patient = Pick<Training, "dataset" | "model" | "loss" | "trainer" | "judge">;

type Losses = Pick<EpochLine, "epoch" | "trainLoss" | "valLoss">;

/**
 * Examines a run at the ends of epochs 1, 2, 4, 8 ..., which costs a long run next to nothing. The warnings do not depend on
 * the run's speed.
 */
export class TrainingDoctor implements Disposable {
  readonly sample: Batch;
  readonly #patient: Patient;
  readonly #inputs: Float32Array;
  readonly #looks = new Map<number, ReturnType<typeof examine>>();
  readonly #told = new Set<string>();
  #history: LossHistory | undefined;

  private constructor(patient: Patient, { x, y }: RowBlock) {
    const { dataset: { parts: { train } }, model: { device } } = patient;
    const rows = y.length / train.targets;
    this.sample = { x: Tensor.from(device, x, [rows, train.inputs]), y: Tensor.from(device, y, [rows, train.targets]) };
    this.#patient = patient;
    this.#inputs = x;
  }

  static async create(patient: Patient): Promise<TrainingDoctor> {
    const rows = Math.max(SAMPLE_RUNS, Math.floor(SAMPLE_ROWS / patient.model.members));
    return new TrainingDoctor(patient, await sampleOf(patient.dataset.parts.train, rows));
  }

  /**
   * Examines the network as it is now, if the epoch is one of those. Call it when the epoch's last step was put on the queue;
   * {@linkcode warnings} gives the result later.
   */
  look(epoch: number): Promise<unknown> | undefined {
    if (!Number.isInteger(Math.log2(epoch))) return undefined;
    const look = examine(this.#patient.model, this.#patient.loss, this.sample.x, this.sample.y);
    look.catch(() => {}); // warnings() tells of it, if the run comes that far
    this.#looks.set(epoch, look);
    return look;
  }

  /** What is wrong and was not said before. Call it for each epoch, in order. */
  async warnings(line: Losses): Promise<string[]> {
    this.#remember(line);
    const look = this.#looks.get(line.epoch);
    if (!look) return [];
    this.#looks.delete(line.epoch);
    const { inputs: { columns: of }, targets } = this.#patient.dataset.scalers;
    const inputs = { of, rows: this.sample.x.shape[0], columns: of.length, data: this.#inputs };
    const common = { inputs, targets: targets.columns, losses: this.#history };
    const findings = (await look).flatMap((member) => diagnose({ ...member, ...common }));
    const warnings: string[] = [];
    for (const { kind, where, message, fix } of findings) {
      if (this.#told.has(`${kind} ${where}`)) continue;
      this.#told.add(`${kind} ${where}`);
      warnings.push(`warning: epoch ${line.epoch}: ${message}; ${fix}`);
    }
    return warnings;
  }

  [Symbol.dispose](): void {
    this.sample.x.dispose();
    this.sample.y.dispose();
  }

  #remember({ epoch, trainLoss, valLoss }: Losses): void {
    // Where patience ends the training, it also keeps the weights from before rows are learned by heart.
    if (valLoss === null || this.#patient.judge?.options.patience) return;
    const { lowest = Infinity, lowestEpoch = epoch, firstTrain = trainLoss } = this.#history ?? {};
    const best = valLoss < lowest ? { lowest: valLoss, lowestEpoch: epoch } : { lowest, lowestEpoch };
    this.#history = { train: trainLoss, validation: valLoss, ...best, firstTrain };
  }
}

/** So many rows of a source, from its first to its last. */
async function sampleOf(source: RowSource, rows: number): Promise<RowBlock> {
  if (source.rows <= rows) return await source.read(0, source.rows);
  const count = Math.floor(rows / SAMPLE_RUNS);
  const last = source.rows - count;
  const x = new Float32Array(count * SAMPLE_RUNS * source.inputs);
  const y = new Float32Array(count * SAMPLE_RUNS * source.targets);
  for (let run = 0; run < SAMPLE_RUNS; run++) {
    const block = await source.read(Math.floor(run * last / (SAMPLE_RUNS - 1)), count);
    x.set(block.x, run * count * source.inputs);
    y.set(block.y, run * count * source.targets);
  }
  return { x, y };
}

/** Looks after a run: warns, once, of what makes training slow or useless, and says what to do. */

import { diagnose, type FindingKind, type LossHistory } from "../../lib/inspect/diagnosis.ts";
import { examine } from "../../lib/inspect/sample_look.ts";
import type { RowBlock, RowSource } from "../../lib/data/row_source.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import type { Batch } from "../../lib/training/trainer_options.ts";
import type { Training } from "./build.ts";
import type { EpochLine } from "../show/train_report.ts";

/** Rows that are looked at: enough to tell a dead unit from one that is seldom at work, and a step of no weight. */
const SAMPLE_ROWS = 1_024;

/** Runs of rows that they are read in, spread over all: tables are often sorted, and their first rows alike. */
const SAMPLE_RUNS = 64;

/** What the doctor needs of a run. */
export type Patient = Pick<Training, "dataset" | "model" | "loss" | "trainer">;

/** Losses of an epoch. */
type Losses = Pick<EpochLine, "epoch" | "trainLoss" | "valLoss">;

/**
 * Examines a run at the ends of epochs 1, 2, 4, 8 ..., so that a long run hardly notices. Looks and warnings depend on the run
 * alone, not on its speed.
 */
export class TrainingDoctor implements Disposable {
  readonly #patient: Patient;
  readonly #x: Tensor;
  readonly #y: Tensor;
  readonly #inputs: Float32Array;
  readonly #looks = new Map<number, ReturnType<typeof examine>>();
  readonly #told = new Set<string>();
  #history: LossHistory | undefined;

  private constructor(patient: Patient, x: Tensor, y: Tensor, inputs: Float32Array) {
    this.#patient = patient;
    this.#x = x;
    this.#y = y;
    this.#inputs = inputs;
  }

  /** Takes a sample of the training rows. */
  static async create(patient: Patient): Promise<TrainingDoctor> {
    const { dataset: { parts: { train } }, model: { device } } = patient;
    const { x, y } = await sampleOf(train);
    const rows = y.length / train.targets;
    const inputs = Tensor.from(device, x, [rows, train.inputs]);
    return new TrainingDoctor(patient, inputs, Tensor.from(device, y, [rows, train.targets]), x);
  }

  /**
   * Looks at the network as it is at this moment, where the epoch is one to be examined; to be called when the epoch's last
   * step was put on the queue. What it saw is asked for later.
   */
  look(epoch: number): void {
    if (!isExamined(epoch)) return;
    const look = examine(this.#patient.model, this.#patient.loss, this.#x, this.#y);
    look.catch(() => {}); // told in warnings(), where the run comes that far
    this.#looks.set(epoch, look);
  }

  /**
   * What is wrong and was not said before; to be called for each epoch, in order.
   *
   * @throws {DeviceError} If the GPU reported a fault.
   */
  async warnings(line: Losses): Promise<string[]> {
    this.#remember(line);
    const look = this.#looks.get(line.epoch);
    if (!look) return [];
    this.#looks.delete(line.epoch);
    const { features, scalers } = this.#patient.dataset;
    const findings = diagnose({
      ...await look,
      inputs: { names: features, rows: this.#x.shape[0], columns: features.length, data: this.#inputs },
      targets: scalers.targets.columns,
      losses: this.#history,
    });
    const news = findings.filter(({ kind, where }) => !this.#told.has(keyOf(kind, where)));
    for (const { kind, where } of news) this.#told.add(keyOf(kind, where));
    return news.map(({ message, fix }) => `warning: epoch ${line.epoch}: ${message}; ${fix}`);
  }

  /** The rows that are looked at. */
  get sample(): Batch {
    return { x: this.#x, y: this.#y };
  }

  /** Frees the sample. */
  [Symbol.dispose](): void {
    this.#x.dispose();
    this.#y.dispose();
  }

  #remember({ epoch, trainLoss, valLoss }: Losses): void {
    if (valLoss === null) return;
    const { lowest, lowestEpoch, firstTrain } = this.#history ??
      { lowest: Infinity, lowestEpoch: epoch, firstTrain: trainLoss };
    const best = valLoss < lowest ? { lowest: valLoss, lowestEpoch: epoch } : { lowest, lowestEpoch };
    this.#history = { train: trainLoss, validation: valLoss, ...best, firstTrain };
  }
}

/** Rows of a source, from its first to its last. */
async function sampleOf(source: RowSource): Promise<RowBlock> {
  if (source.rows <= SAMPLE_ROWS) return await source.read(0, source.rows);
  const count = SAMPLE_ROWS / SAMPLE_RUNS;
  const last = source.rows - count;
  const x = new Float32Array(SAMPLE_ROWS * source.inputs);
  const y = new Float32Array(SAMPLE_ROWS * source.targets);
  for (let run = 0; run < SAMPLE_RUNS; run++) {
    const block = await source.read(Math.floor(run * last / (SAMPLE_RUNS - 1)), count);
    x.set(block.x, run * count * source.inputs);
    y.set(block.y, run * count * source.targets);
  }
  return { x, y };
}

/** Powers of two. */
function isExamined(epoch: number): boolean {
  return Number.isInteger(Math.log2(epoch));
}

function keyOf(kind: FindingKind, where: string): string {
  return `${kind} ${where}`;
}

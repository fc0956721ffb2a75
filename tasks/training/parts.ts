/** The parts of the dataset as training uses them: on the GPU where all are small, else read from the file as needed. */

import { evaluate, type Evaluation, type EvaluationOptions, Evaluator } from "../../lib/evaluate/evaluation.ts";
import type { Loss } from "../../lib/core/losses.ts";
import type { Model } from "../../lib/core/model.ts";
import { Predictor } from "../../lib/evaluate/predictor.ts";
import type { RowSource } from "../../lib/data/row_source.ts";
import type { Scaler } from "../../lib/data/scaler.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import type { ResidentRows, StreamedRows } from "../../lib/training/trainer_options.ts";
import { type PartName, PARTS } from "../prepare/split.ts";

/**
 * Bytes of all parts up to which they lie on the GPU as a whole. Every device binds twice as much at once; beyond it, what
 * stays in the file keeps memory as it is, and a window is so long in training that nobody waits for the next.
 */
const RESIDENT_BYTES = 64 * 2 ** 20;

/** A part of the dataset that has rows. */
export interface Part {
  readonly name: PartName;
  /** Its rows, as a trainer takes them. */
  readonly rows: ResidentRows | StreamedRows;
  /**
   * Measures the model on it. Where the part lies on the GPU, these are the weights of this moment; else they must stay as
   * they are until it is done.
   */
  readonly evaluate: (loss: Loss, targets: Scaler, options?: EvaluationOptions) => Promise<Evaluation>;
}

/** Puts the parts on the GPU, or leaves them in their file. */
export async function openParts(
  stack: DisposableStack,
  model: Model,
  { parts }: { readonly parts: Readonly<Record<PartName, RowSource>> },
  residentBytes = RESIDENT_BYTES,
): Promise<Part[]> {
  const bytes = Object.values(parts).reduce((sum, part) => sum + bytesOf(part), 0);
  const open = bytes <= residentBytes ? openResident : openStreamed;
  const opened: Part[] = [];
  for (const name of PARTS) {
    const source = parts[name];
    if (source.rows === 0) continue;
    opened.push(await open(name, source, stack.use(new Predictor(model, source.inputs, source.rows)), stack));
  }
  return opened;
}

function bytesOf({ rows, inputs, targets }: RowSource): number {
  return rows * (inputs + targets) * Float32Array.BYTES_PER_ELEMENT;
}

async function openResident(
  name: PartName,
  source: RowSource,
  predictor: Predictor,
  stack: DisposableStack,
): Promise<Part> {
  const { rows, inputs, targets } = source;
  const block = await source.read(0, rows);
  const x = stack.use(Tensor.from(predictor.device, block.x, [rows, inputs]));
  const y = stack.use(Tensor.from(predictor.device, block.y, [rows, targets]));
  return {
    name,
    rows: { x, y },
    evaluate: async (...how) => evaluate(await predictor.predict(x), block.y, ...how),
  };
}

function openStreamed(name: PartName, source: RowSource, predictor: Predictor): Part {
  return {
    name,
    rows: { source },
    evaluate: async (...how) => {
      const evaluator = new Evaluator(...how);
      for await (const { output, y } of predictor.predictBlocks(source)) evaluator.add(output, y);
      return evaluator.result();
    },
  };
}

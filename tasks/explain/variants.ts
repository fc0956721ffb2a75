/** What a model says of many variants of the same rows: many of them go to the GPU together. */

import type { Folds } from "../../lib/base/folds.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { applyRule } from "../../lib/model_file/output_rule.ts";
import { heldOutOutput, type HeldOutRows } from "../../lib/evaluate/out_of_fold.ts";
import { Predictor } from "../../lib/evaluate/predictor.ts";
import type { SavedModel } from "../../lib/model_file/saved_model.ts";
import type { SampledRows } from "../runs/sample_rows.ts";

/** Most values that go to the GPU at a time. */
const MAX_VALUES = 1 << 22;

/** Changes rows [n, inputs] that lie at the start of an array. */
export type Change = (x: Float32Array) => void;

/** How many of some rows may be predicted for so many variants, if a row and variant costs a multiplication per parameter. */
export function affordableRows({ model }: SavedModel, variants: number, budget: number): number {
  const cost = model.parameters.reduce((sum, { parameter }) => sum + parameter.value.size, 0);
  return Math.floor(budget / (cost * Math.max(1, variants)));
}

/**
 * The model's outputs for each variant of some rows.
 *
 * @param saved The model.
 * @param x Scaled rows [n, inputs].
 * @param changes Each makes a variant of its own copy of the rows.
 * @param heldOut Given, only those members are asked of a row that held it out.
 * @returns Outputs [n, targets] of each variant, in order.
 */
export async function* outputsOfVariants(
  { model, description: { features, targets, loss, scalers, output: rule = {} } }: SavedModel,
  x: Float32Array,
  changes: readonly Change[],
  heldOut?: HeldOutRows,
): AsyncGenerator<Float32Array | Float64Array> {
  const rows = x.length / features.length;
  const together = Math.max(1, Math.min(changes.length, Math.floor(MAX_VALUES / x.length)));
  const copies = new Float32Array(together * x.length);
  using predictor = new Predictor(model, features.length, together * rows, loss.kind);
  for (let first = 0; first < changes.length; first += together) {
    const some = changes.slice(first, first + together);
    some.forEach((change, i) => {
      const copy = copies.subarray(i * x.length, (i + 1) * x.length);
      copy.set(x);
      change(copy);
    });
    const used = copies.subarray(0, some.length * x.length);
    using tensor = Tensor.from(model.device, used, [some.length * rows, features.length]);
    const predicted = await predictor.predictEach(tensor);
    const asked = heldOut ? heldOutOutput(predicted.own, heldOut, targets.length, loss.kind) : predicted.output;
    const outputs = applyRule(asked, rule, scalers.targets);
    const size = outputs.length / some.length;
    for (let i = 0; i < some.length; i++) yield outputs.subarray(i * size, (i + 1) * size);
  }
}

/** The model's outputs for a sample of rows as they are; with folds, each of the members that held it out. */
export async function outputsOf(
  saved: SavedModel,
  { x, places }: SampledRows,
  folds?: Folds,
): Promise<Float32Array | Float64Array> {
  const [output] = await Array.fromAsync(outputsOfVariants(saved, x, [() => {}], folds && { folds, rows: places }));
  return output;
}

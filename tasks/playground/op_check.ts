/** The gradient check of one operation: its gradient, and finite differences of the loss in float64. */

import { Matrix, type ReferenceModel } from "../../lib/reference/mod.ts";
import type { Op } from "./ops_walk.ts";

export interface Check {
  /** Its place, row by row. */
  readonly index: number;
  /** The result of the operation on the GPU. */
  readonly backward: number;
  /** `(L(w + h) − L(w − h)) / 2h`. */
  readonly differences: number;
}

/** How far a number is moved: about the cube root of float64's precision, where both kinds of error are small. */
const STEP = 1e-5;
const CHECKED = 8;

export function checkOp(
  { gradientOf, values, shape }: Op,
  model: ReferenceModel,
  x: Float32Array,
  y: Float32Array,
  rows: number,
): Check[] {
  if (!gradientOf) return [];
  const inputs = new Matrix(rows, x.length / rows, x);
  const targets = new Matrix(rows, y.length / rows, y);
  const from = "layer" in gradientOf ? gradientOf.layer : 0;
  const through = (value: Matrix, layers = model.layers) =>
    layers.reduce((value, layer) => layer.forward(value), value);
  // A parameter is moved, or the input of a layer.
  const start = through(inputs, model.layers.slice(0, from));
  const { data } = "parameter" in gradientOf ? model.parameters[gradientOf.parameter] : start;
  const lossAt = (index: number, value: number) => {
    const before = data[index];
    data[index] = value;
    const loss = model.loss.forward(through(start, model.layers.slice(from)), targets);
    data[index] = before;
    return loss;
  };
  if (data.length !== values.length) {
    throw new TypeError(`Cannot check ${values.length} numbers [${shape}] against ${data.length}`);
  }
  const largest = [...values.keys()].sort((a, b) => Math.abs(values[b]) - Math.abs(values[a])).slice(0, CHECKED);
  return largest.sort((a, b) => a - b).map((index) => ({
    index,
    backward: values[index],
    differences: (lossAt(index, data[index] + STEP) - lossAt(index, data[index] - STEP)) / (2 * STEP),
  }));
}

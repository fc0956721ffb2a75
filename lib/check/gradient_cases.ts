/**
 * The networks of the gradient check: each layer and each loss by itself, and whole ones.
 *
 * @module
 */
import {
  ACTIVATIONS,
  Dropout,
  type Layer,
  LeakyReLU,
  Linear,
  multilayerPerceptron,
  ReLU,
  Sigmoid,
  Tanh,
} from "../core/layers.ts";
import {
  bceWithLogits,
  type Loss,
  LOSSES,
  mse,
  softmaxCrossEntropy,
  weightedBceWithLogits,
  weightedSoftmaxCrossEntropy,
} from "../core/losses.ts";
import { operationGradients } from "./operation_cases.ts";
import { tabularGradients } from "./tabular_cases.ts";
import type { EmbeddedColumn } from "../tabular/table_embedding.ts";

/** Rows of a batch: odd, not a multiple of anything. */
export const ROWS = 7;

/** A network to be checked. */
export interface GradientCase {
  /** What it checks. */
  readonly name: string;
  /** Its layers, fresh ones: the check binds them to a model of its own. None checks the loss alone. */
  readonly layers: readonly Layer[];
  /** Its loss. */
  readonly loss: Loss;
  /** Values in a row of the input. */
  readonly inputs: number;
  /** What the values of a row are, where they are not all numbers: there is no gradient of a category's number. */
  readonly columns?: readonly EmbeddedColumn[];
}

/**
 * The cases that `deno task gradcheck` runs: each layer, each loss, and whole networks.
 *
 * @param hiddenSize Widths of the hidden layers of the networks.
 * @returns Fresh layers in each case.
 *
 * @example
 * ```ts
 * import { gradientCases } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * assertEquals(gradientCases([8])[0].name, "Linear");
 * ```
 */
export function gradientCases(hiddenSize: readonly number[]): GradientCase[] {
  const network = () => multilayerPerceptron(3, hiddenSize, 2);
  const inputs = 3;
  const activations = Object.values(ACTIVATIONS).map((make) => make());
  const mixed = multilayerPerceptron(inputs, hiddenSize, 2, { activation: "gelu", dropout: 0.3 });
  return [
    { name: "Linear", layers: [new Linear(inputs, 4)], loss: mse, inputs },
    ...activations.map((layer) => ({ name: layer.kind, layers: [layer], loss: mse, inputs: 5 })),
    { name: "LeakyReLU, steep", layers: [new LeakyReLU({ slope: 0.2 })], loss: mse, inputs: 5 },
    { name: "Dropout", layers: [new Dropout(0.4)], loss: mse, inputs: 5 },
    ...Object.values(LOSSES).map((loss) => ({ name: loss.kind, layers: [], loss, inputs: 4 })),
    { name: "bce, weighted", layers: [], loss: weightedBceWithLogits([0.6, 3]), inputs },
    { name: "softmax, weighted", layers: [], loss: weightedSoftmaxCrossEntropy([0.5, 1, 2, 4]), inputs: 4 },
    ...operationGradients(ROWS),
    ...tabularGradients(),
    { name: "network, mse", layers: network(), loss: mse, inputs },
    { name: "network, bce", layers: network(), loss: bceWithLogits, inputs },
    { name: "network, softmax", layers: multilayerPerceptron(3, hiddenSize, 4), loss: softmaxCrossEntropy, inputs },
    { name: "network, dropout", layers: [new Dropout(0.2), ...mixed], loss: mse, inputs },
    { name: "network, products fused", layers: wideNetwork(), loss: mse, inputs },
  ];
}

/** Products large enough for the schedule to fuse, with each derivative that it knows; the first forward is too small. */
function wideNetwork(): Layer[] {
  return [
    new Linear(3, 41),
    new ReLU(),
    new Linear(41, 37),
    new ReLU(),
    new Linear(37, 31),
    new Sigmoid(),
    new Linear(31, 29),
    new Tanh(),
    new Linear(29, 6),
  ];
}

/**
 * A training step of a small network in two dispatches: one kernel in one workgroup gathers the rows and runs forward, loss
 * and backward, then the optimizer updates. The plain operations are the yardstick, and run wherever this does not fit.
 *
 * @module
 */
import { kernels } from "../kernels/mod.ts";
import { type Layer, Linear, ReLU, Sigmoid } from "./layers.ts";
import { bceWithLogits, type Loss, mse } from "./losses.ts";
import type { Model } from "./model.ts";
import { ELEMENT_BYTES, Tensor } from "./tensor.ts";

/** What the kernel is told, in its own codes. */
const ACTIVATIONS = new Map<unknown, number>([[undefined, 0], [ReLU, 1], [Sigmoid, 2]]);
const LOSSES = new Map<Loss, number>([[mse, 0], [bceWithLogits, 1]]);
/** What the kernel's text has room for. */
const MAX_BLOCKS = 1_008;
const BLOCK_ROWS = 4;
const INVOCATIONS = 64;
/** The software adapter silently ends an invocation after 65,535 loop iterations. */
const MAX_ITERATIONS = 32_768;

/** How a batch is trained in one workgroup. */
export interface WholeStepPlan {
  /** What is trained. */
  readonly model: Model;
  /** The kernel's sizes, but for the stride and the rows of the table. */
  readonly sizes: (stride: number, tableRows: number) => number[];
}

/** What a step takes and leaves. */
export interface WholeStepRows {
  /** Inputs [tableRows, in]. */
  readonly x: Tensor;
  /** Targets [tableRows, out]. */
  readonly y: Tensor;
  /** Row numbers, a `u32` vector; the step takes those from `cursor * stride` on. A number outside the table gives NaN. */
  readonly order: Tensor;
  /** `u32` counter [1] of steps; goes one on. */
  readonly cursor: Tensor;
  /** Rows that the counter's one step stands for. */
  readonly stride: number;
  /** Loss of each step [steps]. */
  readonly losses: Tensor;
}

/** A Linear and the activation behind it. */
interface Stage {
  readonly linear: Linear;
  readonly activation: number;
}

/**
 * Plans the step of a batch, where one workgroup can run it.
 *
 * @param model Its layers must be Linear, each with a ReLU, a Sigmoid or nothing behind it.
 * @param loss `mse` or `bceWithLogits`.
 * @param batch How many rows, and how many values a row of inputs and of targets has.
 * @returns The plan; undefined where the step must be run by the plain operations.
 */
export function planWholeStep(
  model: Model,
  loss: Loss,
  { rows, inputs, outputs }: { rows: number; inputs: number; outputs: number },
): WholeStepPlan | undefined {
  const stages = stagesOf(model.layers), lossCode = LOSSES.get(loss);
  if (!stages || lossCode === undefined) return undefined;
  const widths = [inputs, ...stages.map(({ linear }) => linear.weight.shape[1])];
  if (stages[0].linear.weight.shape[0] !== inputs || widths.at(-1) !== outputs) return undefined;
  const blocks = Math.ceil(rows / BLOCK_ROWS);
  // In the kernel's memory: the input, each layer's output, the targets.
  const places = [...widths, outputs].reduce((places, width) => [...places, places.at(-1)! + width * blocks], [0]);
  if (places.at(-1)! > MAX_BLOCKS || countIterations(widths, blocks) > MAX_ITERATIONS) return undefined;
  const offset = ({ byteOffset }: Tensor): number => (byteOffset - model.values.byteOffset) / ELEMENT_BYTES;
  const table = stages.flatMap(({ linear: { weight, bias }, activation }, i) => [
    ...weight.shape,
    ...[offset(weight.value), offset(bias.value)],
    ...[places[i], places[i + 1], activation],
  ]);
  const sizes = (stride: number, tableRows: number): number[] => [
    ...[rows, stride, tableRows, lossCode, places[widths.length]],
    ...table,
  ];
  return { model, sizes };
}

/**
 * Runs a planned step but for its update: fills the model's gradients, appends the loss and moves the cursor on.
 *
 * @param plan What {@linkcode planWholeStep} gave.
 * @param rows What the step takes and leaves.
 */
export function runWholeStep({ model, sizes }: WholeStepPlan, rows: WholeStepRows): void {
  const { x, y, order, cursor, losses, stride } = rows;
  const { device, values, gradients } = model;
  device.tidy(() => {
    const table = Tensor.from(device, Uint32Array.from(sizes(stride, x.shape[0])));
    const buffers = [table, x, y, order, values, gradients, losses, cursor];
    device.run(kernels.wholeStep, { buffers, invocations: 1 });
  });
}

/** The layers in pairs; undefined where they are others. A class derived from a layer may compute anything. */
function stagesOf(layers: readonly Layer[]): Stage[] | undefined {
  const stages: Stage[] = [];
  for (let i = 0; i < layers.length; i++) {
    const linear = layers[i];
    if (linear.constructor !== Linear) return undefined;
    const next = layers[i + 1]?.constructor;
    const activation = ACTIVATIONS.get(next);
    if (activation) i++;
    stages.push({ linear: linear as Linear, activation: activation ?? 0 });
  }
  return stages.length > 0 ? stages : undefined;
}

/** Loop iterations of the busiest invocation of the kernel, at most. */
function countIterations(widths: readonly number[], blocks: number): number {
  const turns = (tasks: number): number => Math.ceil(tasks / INVOCATIONS);
  let count = 5 * turns((widths[0] + widths.at(-1)!) * blocks) + turns(widths.at(-1)! * blocks) + INVOCATIONS;
  for (let i = 1; i < widths.length; i++) {
    const [inputs, outputs] = [widths[i - 1], widths[i]];
    count += 2 + turns(outputs * blocks) * (1 + inputs) + turns((inputs + 1) * outputs) * (1 + blocks);
    if (i > 1) count += turns(inputs * blocks) * (1 + outputs);
  }
  return count;
}

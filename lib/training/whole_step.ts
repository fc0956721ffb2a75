/**
 * The step of a small network in two dispatches: one kernel, in one workgroup, gathers the rows and runs forward, loss and
 * backward; then the optimizer updates. The operations of core are its yardstick; they run, fused, where it does not fit.
 *
 * @module
 */
import { type Kernel, kernels, wholeStepOfTexels } from "../../kernels/mod.ts";
import { type Layer, Linear, ReLU, Sigmoid } from "../core/layers.ts";
import { bceWithLogits, type Loss, mse, softmaxCrossEntropy } from "../core/losses.ts";
import { productsFor } from "../gpu/adapter.ts";
import type { Device } from "../gpu/device.ts";
import { MEMORY_SIZE } from "../gpu/pipeline.ts";
import type { Model } from "../core/model.ts";
import { sizeOf } from "../base/shape.ts";
import { ELEMENT_BYTES, Tensor } from "../core/tensor.ts";
import type { GatherOptions } from "./recorded_rows.ts";
import type { Batch } from "./trainer_options.ts";

/** The kernel's codes; activation 0 is none. */
const ACTIVATIONS = [undefined, ReLU, Sigmoid];
const LOSSES: readonly Loss[] = [mse, bceWithLogits, softmaxCrossEntropy];
/** What the kernel's text has room for. */
const MAX_LAYERS = 4;
const BLOCK_ROWS = 4;

/** A form of the kernel, and how large a step it takes. */
interface Form {
  /** By the number of layers less one. */
  readonly kernels: readonly Kernel[];
  /**
   * Weights times rows above which the plain operations, fused, are faster. It also keeps each invocation far below the 65,535
   * loop iterations at which the software adapter ends it.
   */
  readonly products: number;
  /** Blocks of four rows that its memory has room for, next to so many weights. */
  blocks(weights: number): number;
}

/** One workgroup is a small part of a hardware GPU: an estimate from latencies. The blocks are those of the kernel's text. */
const hardware: Form = {
  kernels: Array(MAX_LAYERS).fill(kernels.wholeStep),
  products: 32_768,
  blocks: () => 1_008,
};

/**
 * The software adapter computes 8 invocations as one; each 8 more cost a switch at every barrier. For one number of layers the
 * kernel compiles in half the time. A step took 0.6 to 0.8 times the CPU time of fused operations at 86,000 products, 0.8 to
 * 1.1 times at 330,000: measured on two cores of an AMD EPYC, under Mesa 22.3.6 and 25.0.7.
 */
const software: Form = {
  kernels: Array.from({ length: MAX_LAYERS }, (_, i) => {
    return { ...wholeStepOfTexels, constants: { INVOCATIONS: 8, LAYERS: i + 1 } };
  }),
  products: 131_072,
  blocks: (weights) => Math.floor((MEMORY_SIZE[0] * MEMORY_SIZE[1] - weights) / BLOCK_ROWS),
};

/** The kind of the adapter decides, not the form of products that `train` may have measured. */
function formFor({ info }: Device): Form {
  return productsFor(info) === "blocks" ? software : hardware;
}

/** The kernel for so many Linear in the form that suits the device. */
export function wholeStepKernel(device: Device, layers: number): Kernel {
  return formFor(device).kernels[layers - 1];
}

/** How one workgroup runs the step of a batch. */
export interface WholeStepPlan {
  readonly model: Model;
  /** In the form that suits the device. */
  readonly kernel: Kernel;
  readonly rows: number;
  /** The rest of the kernel's table: loss, places of the targets and after them, layers. */
  readonly table: readonly number[];
}

/** What a step takes and leaves: inputs and targets of all rows, and as {@linkcode gatherRows} picks from them; the losses. */
interface StepData extends Batch, Required<Pick<GatherOptions, "cursor" | "stride">> {
  readonly order: Tensor;
  /** Loss of each step [steps]. */
  readonly losses: Tensor;
}

/** A Linear, and the code of the activation after it. */
type Stage = { readonly linear: Linear; readonly activation: number };

/** Plans the step of a batch of so many rows, where one workgroup can run it and that pays. */
export function planWholeStep(
  model: Model,
  loss: Loss,
  batch: Readonly<Record<"rows" | "inputs" | "outputs", number>>,
): WholeStepPlan | undefined {
  const { rows, inputs, outputs } = batch;
  const { device } = model;
  const stages = stagesOf(model.layers);
  const lossCode = LOSSES.indexOf(loss);
  if (!stages || stages.length > MAX_LAYERS || lossCode < 0) return undefined;
  const widths = [stages[0].linear.weight.shape[0], ...stages.map(({ linear }) => linear.weight.shape[1])];
  if (widths[0] !== inputs || widths.at(-1) !== outputs) return undefined;
  // In the kernel's memory, one after the other: the inputs, the output of each layer, the targets.
  const blocks = Math.ceil(rows / BLOCK_ROWS);
  const places = [0];
  for (const width of [...widths, outputs]) places.push(places.at(-1)! + width * blocks);
  const weights = stages.reduce((sum, { linear }) => sum + sizeOf(linear.weight.shape), 0);
  const form = formFor(device);
  if (places.at(-1)! > form.blocks(model.values.size) || weights * rows > form.products) return undefined;

  const offset = ({ byteOffset }: Tensor): number => (byteOffset - model.values.byteOffset) / ELEMENT_BYTES;
  const layers = stages.flatMap(({ linear: { weight, bias }, activation }, i) => [
    ...weight.shape,
    offset(weight.value),
    offset(bias.value),
    places[i],
    places[i + 1],
    activation,
  ]);
  return {
    model,
    kernel: form.kernels[stages.length - 1],
    rows,
    table: [lossCode, ...places.slice(-2), ...layers],
  };
}

/**
 * Runs a planned step but for its update: fills the model's gradients, appends the loss, moves the cursor on. A row number
 * outside the table gives NaN.
 */
export function runWholeStep({ model, kernel, rows, table }: WholeStepPlan, data: StepData): void {
  const { device, values, gradients } = model;
  const { x, y, order, cursor, stride, losses } = data;
  device.tidy(() => {
    const plan = Tensor.constant(device, Uint32Array.of(rows, stride, x.shape[0], ...table));
    device.run(kernel, { buffers: [plan, x, y, order, values, gradients, losses, cursor], invocations: 1 });
  });
}

/** The layers as the kernel has them; undefined where it does not know one. */
function stagesOf(layers: readonly Layer[]): Stage[] | undefined {
  const stages: Stage[] = [];
  for (let i = 0; i < layers.length; i++) {
    const linear = layers[i];
    const next = layers[i + 1];
    if (!computesAs(linear, Linear) || (linear as Linear).members > 1) return undefined;
    const activation = ACTIVATIONS.findIndex((kind) => kind && next && computesAs(next, kind));
    if (activation > 0) i++;
    stages.push({ linear: linear as Linear, activation: Math.max(0, activation) });
  }
  return stages.length > 0 ? stages : undefined;
}

/** Whether a layer computes what its class does: one derived from it, or changed by hand, may compute anything. */
function computesAs(layer: Layer, { prototype }: { readonly prototype: Layer }): boolean {
  return layer.forward === prototype.forward && layer.backward === prototype.backward;
}

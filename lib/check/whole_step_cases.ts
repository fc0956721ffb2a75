/**
 * The self-test of the kernel that runs a whole step: its gradients and its loss against the oracle's.
 *
 * @module
 */
import type { Kernel } from "../../kernels/mod.ts";
import type { Device } from "../gpu/device.ts";
import { type Layer, Linear, ReLU, Sigmoid } from "../core/layers.ts";
import { bceWithLogits, type Loss, mse, softmaxCrossEntropy } from "../core/losses.ts";
import { Model } from "../core/model.ts";
import { Random } from "../base/random.ts";
import { Matrix, ReferenceModel } from "../reference/mod.ts";
import { type IsUsed, type KernelCase, matrix, upload } from "./op_cases.ts";
import { ELEMENT_BYTES, Tensor } from "../core/tensor.ts";
import { planWholeStep, runWholeStep, wholeStepKernel } from "../training/whole_step.ts";

/** A step on rows 5, 6, 1, 4 and 0 of seven. */
const ORDER = Uint32Array.of(3, 2, 5, 6, 1, 4, 0);
/** More rows than four to each invocation. */
const LONG_ORDER = Uint32Array.from({ length: 263 }, (_, i) => (i * 5) % 263);
/** Rows of the order that the step leaves out, at its start. */
const STRIDE = 2;

/** Every loss and activation, on networks of one to four Linear: each number of them is a kernel of its own. */
export function wholeStepCases(device: Device, isUsed: IsUsed = () => true): KernelCase[] {
  const stepCases = (layers: () => Layer[], loss: Loss, options?: StepOptions): KernelCase[] => {
    const kernel = wholeStepKernel(device, layers().filter((layer) => layer instanceof Linear).length);
    return isUsed(kernel) ? casesOf(device, kernel, layers, loss, options) : [];
  };
  const losses = [mse, bceWithLogits, softmaxCrossEntropy];
  const deep = [1, 2, 3, 4].flatMap((count) =>
    losses.flatMap((loss) => stepCases(() => Array.from({ length: count }, mixedLayers).flat(), loss))
  );
  return [
    ...deep,
    ...stepCases(() => [new Linear(3, 5), new ReLU(), new Linear(5, 2)], mse),
    ...stepCases(() => [new Linear(3, 2), new Sigmoid(), new Linear(2, 9), new Linear(9, 3)], bceWithLogits),
    ...stepCases(
      () => [new Linear(3, 2), new Linear(2, 2), new Linear(2, 3), new ReLU(), new Linear(3, 4), new Sigmoid()],
      softmaxCrossEntropy,
    ),
    ...stepCases(() => [new Linear(3, 3)], mse, { order: LONG_ORDER }),
    ...stepCases(() => [new Linear(3, 4)], softmaxCrossEntropy, { order: LONG_ORDER }),
    // Logits of which only the differences from the largest may be taken to a power.
    ...stepCases(() => [new Linear(3, 4)], softmaxCrossEntropy, { weight: 100, bias: -1_000 }),
    ...stepCases(() => [new Linear(3, 4)], softmaxCrossEntropy, { spoilt: true }),
  ];
}

/** A Linear, and in turn no activation, Sigmoid and ReLU. */
function mixedLayers(_: unknown, i: number): Layer[] {
  const linear = new Linear(3, 3);
  return [[linear], [linear, new Sigmoid()], [linear, new ReLU()]][i % 3];
}

interface StepOptions {
  readonly order?: Uint32Array<ArrayBuffer>;
  readonly weight?: number;
  readonly bias?: number;
  /** A parameter is NaN. */
  readonly spoilt?: boolean;
}

function casesOf(
  device: Device,
  kernel: Kernel,
  layers: () => Layer[],
  loss: Loss,
  { order: rowNumbers = ORDER, weight = 1, bias = 0, spoilt = false }: StepOptions = {},
): KernelCase[] {
  const stream = new Random(7, "self-test");
  const described = layers();
  const rows = rowNumbers.length - STRIDE;
  const twin = new ReferenceModel(described.map((layer) => layer.reference()), loss.reference);
  for (const { data, rows } of twin.parameters) {
    const start = rows === 1 ? bias : 0; // biases are rows
    data.forEach((_, i) => data[i] = Math.fround(start + weight * stream.normal()));
  }
  if (spoilt) twin.parameters.at(-1)!.data[0] = NaN;
  const outputs = described.reduce((width, layer) => layer.outputSize(width), 3);
  const x = matrix(rowNumbers.length, 3, stream);
  const y = matrix(rowNumbers.length, outputs, stream).map((v) => Math.fround(Math.abs(v) % 1));
  const { loss: expectedLoss } = twin.backward(picked(x, rowNumbers), picked(y, rowNumbers));

  const run = (pick: (model: Model, losses: Tensor) => Tensor): Tensor => {
    const model = new Model(device, layers());
    const names = model.parameters.map(({ name }) => name);
    model.load(Object.fromEntries(names.map((name, i) => [name, Float32Array.from(twin.parameters[i].data)])));
    const plan = planWholeStep(model, loss, { rows, inputs: 3, outputs })!;
    const order = Tensor.from(device, rowNumbers);
    const cursor = Tensor.from(device, Uint32Array.of(1));
    const losses = Tensor.zeros(device, [3]);
    runWholeStep(plan, { x: upload(device, x), y: upload(device, y), order, cursor, stride: STRIDE, losses });
    return pick(model, losses);
  };
  const step = device.limits.minStorageBufferOffsetAlignment / ELEMENT_BYTES;
  const gradients = twin.gradients.flatMap(({ data }) => [...data, ...Array(-data.length & (step - 1)).fill(0)]);
  const on = (what: string) =>
    `${what} of ${described.map(({ kind }) => kind).join(", ")} and ${loss.kind}, ${rows} rows${
      spoilt ? ", one logit NaN" : ""
    }`;
  return [
    { kernel, on: on("gradients"), run: () => run(({ gradients }) => gradients), expected: gradients },
    { kernel, on: on("loss"), run: () => run((_, losses) => losses), expected: [0, expectedLoss, 0] },
  ];
}

/** The rows that the step takes. */
function picked({ columns, data }: Matrix, order: Uint32Array): Matrix {
  const at = (i: number) => order[STRIDE + Math.floor(i / columns)] * columns + i % columns;
  return new Matrix(order.length - STRIDE, columns).map((_, i) => data[at(i)]);
}

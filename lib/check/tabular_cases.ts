/**
 * The self-test and the gradient checks of the layer between a table's columns and a network, and of layers of several members.
 *
 * @module
 */
import { type Kernel, kernels } from "../../kernels/mod.ts";
import * as ops from "../arithmetic/ops.ts";
import type { Random } from "../base/random.ts";
import type { Layer } from "../core/layer.ts";
import { Linear, ReLU, Sigmoid } from "../core/layers.ts";
import { mse } from "../core/losses.ts";
import { Tensor } from "../core/tensor.ts";
import type { Device } from "../gpu/device.ts";
import { Matrix, type ReferenceDropout } from "../reference/mod.ts";
import { ColumnDropout } from "../tabular/column_dropout.ts";
import {
  BINS,
  type EmbeddedColumn,
  NUMERIC_EMBEDDINGS,
  TableEmbedding,
  type TableEmbeddingOptions,
} from "../tabular/table_embedding.ts";
import { type KernelCase, matrix, random, upload } from "./op_cases.ts";

/** Edges such that the numbers of a check fall below all, above all and between; two of them agree. */
const EDGES = Array.from({ length: BINS + 1 }, (_, k) => (k === 6 ? 0 : (k - 7) / 8) + 2 ** -8);

/** Numbers around names of each kind: one-hot and trained rows, those without a share and those with the mix of all. */
const COLUMNS: readonly EmbeddedColumn[] = [
  { kind: "number", edges: EDGES },
  { kind: "names", names: 3, shares: [0.5, 0.25, 0.25] },
  { kind: "names", names: 9, width: 26, shares: [0.5, 0.125, 0, 0, 0, 0.25, 0.125, 0, 0] },
  { kind: "names", names: 2 },
  { kind: "number", edges: EDGES.map((edge) => 2 * edge) },
  { kind: "names", names: 4, width: 26 },
];

/** Values of a column in a row, of names in turn, the mix of all last. */
function drawColumn(column: EmbeddedColumn, row: number, stream: Random): number {
  if (column.kind === "number") return Math.fround(stream.normal());
  return row % (column.names + (column.shares ? 1 : 0));
}

/** Draws rows for columns. */
export function drawRows(columns: readonly EmbeddedColumn[], rows: number, stream: Random): Matrix {
  const values = Array.from({ length: rows }, (_, row) => columns.map((column) => drawColumn(column, row, stream)));
  return new Matrix(rows, columns.length, values.flat());
}

/** Sums over more rows than a dispatch takes. */
class PartedEmbedding extends TableEmbedding {
  protected override readonly maxLoop = 7;
}

/**
 * The layer's kernels for columns of one kind, each with what it writes. A case runs no more than its kernel needs: all that it
 * runs is compiled before a training's first step.
 */
function embeddingCases(device: Device, options: TableEmbeddingOptions, Layer = TableEmbedding): KernelCase[] {
  const { columns, numbers, members = 1 } = options;
  const stream = random();
  const x = drawRows(columns, 17 * members, stream);
  const twin = new Layer(options).reference();
  twin.parameters.forEach((parameter, i) => {
    twin.parameters[i] = parameter.map(() => Math.fround(stream.normal()));
  });
  const expected = twin.forward(x);
  const dOut = matrix(expected.rows, expected.columns, stream);
  const dX = twin.backward(dOut);
  const run = (result: (layer: TableEmbedding, out: Tensor) => Tensor): Tensor => {
    const layer = new Layer(options);
    layer.parameters.forEach((parameter, i) => {
      parameter.bind(upload(device, twin.parameters[i]), Tensor.full(device, parameter.shape, NaN));
    });
    layer.place(device);
    return result(layer, layer.forward(upload(device, x)));
  };
  const isOfNames = columns[0].kind === "names";
  const on = `${members} times ${isOfNames ? "names" : numbers}`;
  const forward = (kernel: Kernel): KernelCase => ({
    kernel,
    on,
    run: () => run((_layer, out) => out),
    expected: expected.data,
  });
  const gradient = (kernel: Kernel, i: number): KernelCase => ({
    kernel,
    on: `gradient of ${on}`,
    run: () =>
      run((layer) => {
        layer.backward(upload(device, dOut), false);
        return layer.parameters[i].grad;
      }),
    expected: twin.gradients[i].data,
  });
  const gradientOfX = (kernel: Kernel): KernelCase => ({
    kernel,
    on: `gradient of x of ${on}`,
    run: () => run((layer) => layer.backward(upload(device, dOut), true)!),
    expected: dX.data,
  });
  const { waves, wavesBackward, wavesInputBackward, bins, binsBackward, names, namesBackward } = kernels;
  if (isOfNames) return [forward(names), gradient(namesBackward, 0)];
  if (numbers !== "pbld") return [forward(bins), gradientOfX(binsBackward)];
  return [forward(waves), gradient(wavesBackward, 0), gradient(wavesBackward, 1), gradientOfX(wavesInputBackward)];
}

/** Products and biases of several members: each with its own rows. */
function memberCases(device: Device): KernelCase[] {
  const members = 3;
  const stream = random();
  const layer = () => new Linear(5, 6, { members });
  const twin = layer().reference();
  twin.parameters.forEach((parameter, i) => {
    twin.parameters[i] = parameter.map(() => Math.fround(stream.normal()));
  });
  const x = matrix(members * 7, 5, stream);
  const expected = twin.forward(x);
  const dOut = matrix(expected.rows, expected.columns, stream);
  const dX = twin.backward(dOut);
  const [weight, bias] = twin.parameters;
  const groups = members;
  const on = `${members} times [7, 5] · [5, 6]`;
  const flat = (given: Matrix) => upload(device, given).reshape([given.data.length]);
  return [
    {
      kernel: kernels.matmul,
      on: `${on}, transposed`,
      run: () => ops.matmul(upload(device, x), upload(device, dOut), { transposeA: true, groups }),
      expected: twin.gradients[0].data,
    },
    {
      kernel: kernels.matmul,
      on: `${on}, b transposed`,
      run: () => ops.matmul(upload(device, dOut), upload(device, weight), { transposeB: true, groups }),
      expected: dX.data,
    },
    {
      kernel: kernels.addBias,
      on: `${on} and bias`,
      run: () => {
        const product = ops.matmul(upload(device, x), upload(device, weight), { groups });
        return ops.addBias(product, flat(bias), { groups });
      },
      expected: expected.data,
    },
    {
      kernel: kernels.sum,
      on: `gradient of the biases of ${on}`,
      run: () => ops.addBiasBackward(upload(device, dOut), { groups }),
      expected: twin.gradients[1].data,
    },
  ];
}

/** Columns that are dropped as a whole, by the first mask of a sequence. */
function columnDropoutCase(device: Device): KernelCase {
  const x = matrix(13, 6, random());
  const layer = new ColumnDropout(0.3, { widths: [3, 1, 2] });
  layer.place(device, 0)[Symbol.dispose]();
  const twin = layer.reference() as ReferenceDropout;
  twin.step = 1;
  return {
    kernel: kernels.columnDropout,
    on: "[13, 6] of 3 columns",
    run: () => {
      layer.place(device, 0);
      return layer.forward(upload(device, x), true);
    },
    expected: twin.forward(x).data,
  };
}

/** Each embedding, of one network and of several, and what works on members. */
export function tabularCases(device: Device): KernelCase[] {
  const { number, names } = Object.groupBy(COLUMNS, ({ kind }) => kind) as Record<string, EmbeddedColumn[]>;
  return [
    ...NUMERIC_EMBEDDINGS.flatMap((numbers) => embeddingCases(device, { columns: number, numbers })),
    ...embeddingCases(device, { columns: names }),
    ...embeddingCases(device, { columns: number, numbers: "pbld", members: 4 }, PartedEmbedding),
    ...embeddingCases(device, { columns: names, members: 4 }, PartedEmbedding),
    ...memberCases(device),
    columnDropoutCase(device),
  ];
}

/** Gradient cases: each embedding with names of each kind, and networks of several members. */
export function tabularGradients() {
  const inputs = COLUMNS.length;
  const embeddings = NUMERIC_EMBEDDINGS.flatMap((numbers) =>
    [1, 3].map((members) => ({
      name: `TableEmbedding, ${numbers}, ${members} at once`,
      layers: [new TableEmbedding({ columns: COLUMNS, numbers, members })] as Layer[],
      loss: mse,
      inputs,
      columns: COLUMNS,
    }))
  );
  const members = 3;
  const first = new TableEmbedding({ columns: COLUMNS, numbers: "pbld", members });
  const network: Layer[] = [
    first,
    new Linear(first.outputs, 41, { members }),
    new ReLU(),
    new Linear(41, 19, { members }),
    new Sigmoid(),
    new Linear(19, 2, { members }),
  ];
  return [
    ...embeddings,
    { name: "ColumnDropout", layers: [new ColumnDropout(0.4, { widths: [3, 2] })] as Layer[], loss: mse, inputs: 5 },
    { name: "Linear, 3 at once", layers: [new Linear(3, 4, { members })] as Layer[], loss: mse, inputs: 3 },
    { name: "network, 3 at once", layers: network, loss: mse, inputs, columns: COLUMNS },
  ];
}

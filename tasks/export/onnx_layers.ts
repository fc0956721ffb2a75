/**
 * The network of a model in a graph. Members are side by side: values are [members, N, width], weights [members, ...]. Of a
 * single member the first dimension is left out.
 */

import type { ExportedColumn, ExportedLayer } from "./exported_layers.ts";
import type { OnnxGraph } from "./onnx_format.ts";

type Linear = Extract<ExportedLayer, { kind: "Linear" }>;
type Waves = Extract<ExportedColumn, { kind: "waves" }>;
type Bins = Extract<ExportedColumn, { kind: "bins" }>;
type Names = Extract<ExportedColumn, { kind: "one-hot" }>;
type Rows = Extract<ExportedColumn, { kind: "rows" }>;

/** A column: its place in a row, the place of its first value in the result, and what it is in each member. */
interface Placed<Column> {
  place: number;
  start: number;
  own: readonly Column[];
}

/** A slope beyond all values, and yet a float32. */
const STEEP = 3e38;

/** What the members put out for rows [N, columns]. */
export function addNetwork(graph: OnnxGraph, x: string, members: readonly (readonly ExportedLayer[])[]): string {
  return members[0].reduce((x, _, i) => addLayer(graph, x, members.map((layers) => layers[i])), x);
}

/** Numbers along the last dimension. */
export function row(graph: OnnxGraph, values: Float32Array | Float64Array): string {
  return graph.constant([1, values.length], values);
}

function addLayer(graph: OnnxGraph, x: string, own: readonly ExportedLayer[]): string {
  const [layer] = own;
  switch (layer.kind) {
    case "Columns":
      return addColumns(graph, x, (own as typeof layer[]).map(({ columns }) => columns));
    case "Linear": {
      const linears = own as Linear[];
      const weight = stack(graph, [layer.inputs, layer.outputs], linears.map(({ weight }) => weight));
      const bias = stack(graph, [1, layer.outputs], linears.map(({ bias }) => bias));
      return graph.add("Add", [graph.add("MatMul", [x, weight]), bias]);
    }
    case "ReLU":
      return graph.add("Relu", [x]);
    case "LeakyReLU":
      return graph.add("LeakyRelu", [x], { alpha: { f: layer.slope } });
    case "GELU":
      return graph.add("Gelu", [x], { approximate: { s: "tanh" } });
    case "Sigmoid":
    case "Tanh":
      return graph.add(layer.kind, [x]);
    case "Dropout":
    case "ColumnDropout":
      return x;
  }
}

/** The values of all columns: kind by kind, then in their order. */
function addColumns(graph: OnnxGraph, x: string, members: readonly (readonly ExportedColumn[])[]): string {
  let width = 0;
  const columns = members[0].map((column, place): Placed<ExportedColumn> => {
    const start = width;
    width += valuesOf(column);
    return { place, start, own: members.map((columns) => columns[place]) };
  });
  const ofKind = <Kind extends ExportedColumn["kind"]>(...kinds: Kind[]) =>
    columns.filter(({ own: [{ kind }] }) => kinds.includes(kind as Kind)) as Placed<
      Extract<ExportedColumn, { kind: Kind }>
    >[];
  const order: number[] = [];
  /** The values of columns, of each those between two numbers; nothing if there are no such columns. */
  const add = <Column extends ExportedColumn>(
    columns: Placed<Column>[],
    build: (graph: OnnxGraph, x: string, columns: Placed<Column>[]) => string,
    from = 0,
    to = Infinity,
  ): string[] => {
    if (columns.length === 0) return [];
    for (const { start, own: [column] } of columns) {
      for (let i = from; i < Math.min(to, valuesOf(column)); i++) order.push(start + i);
    }
    return [build(graph, x, columns)];
  };
  const shared = [
    ...add(ofKind("number", "waves"), addNumbers, 0, 1),
    ...add(ofKind("bins"), addBins),
    ...add(ofKind("one-hot"), addOneHot),
  ];
  const blocks = shared.length > 0 ? [expand(graph, concat(graph, shared), members.length)] : [];
  blocks.push(...add(ofKind("waves"), addMixes, 1), ...add(ofKind("rows"), addRows));
  return reorder(graph, concat(graph, blocks), order, width);
}

function valuesOf(column: ExportedColumn): number {
  switch (column.kind) {
    case "number":
      return 1;
    case "waves":
      return 4;
    case "bins":
      return column.edges.length - 1;
    case "one-hot":
      return column.names;
    case "rows":
      return column.width;
  }
}

/** The numbers themselves. */
function addNumbers(graph: OnnxGraph, x: string, columns: Placed<ExportedColumn>[]): string {
  return pick(graph, x, columns.map(({ place }) => place));
}

/** For each bin a value between `least` and `most`, which grows by `slope` from its lower edge. */
function addBins(graph: OnnxGraph, x: string, columns: Placed<Bins>[]): string {
  const bins = columns.flatMap(({ place, own: [{ edges }] }) =>
    [...edges.slice(1)].map((edge, k) => {
      const low = edges[k];
      const width = edge - low;
      // A bin of no width is 1 from its edge on.
      if (width === 0) return { place, low, slope: STEEP, base: 1, least: 0, most: 1 };
      const least = k === 0 ? -3 : 0;
      const most = k === edges.length - 2 ? 4 : 1;
      return { place, low, slope: Math.min(STEEP, 1 / width), base: 0, least, most };
    })
  );
  const constant = (name: Exclude<keyof typeof bins[number], "place">) =>
    row(graph, Float32Array.from(bins, (bin) => bin[name]));
  const far = graph.add("Sub", [pick(graph, x, bins.map(({ place }) => place)), constant("low")]);
  const value = graph.add("Add", [graph.add("Mul", [far, constant("slope")]), constant("base")]);
  return graph.add("Max", [graph.add("Min", [value, constant("most")]), constant("least")]);
}

/** 1 for the name whose number the column holds; for names not in training their mix. */
function addOneHot(graph: OnnxGraph, x: string, columns: Placed<Names>[]): string {
  const values = columns.flatMap(({ place, own: [{ names, unseen }] }) =>
    Array.from({ length: names }, (_, name) => ({ place, name, names, share: unseen?.[name] ?? 0 }))
  );
  const constant = (name: "name" | "names" | "share") => row(graph, Float32Array.from(values, (value) => value[name]));
  const codes = pick(graph, x, values.map(({ place }) => place));
  const oneHot = graph.cast(graph.add("Equal", [codes, constant("name")]), "float");
  if (columns.every(({ own: [{ unseen }] }) => !unseen)) return oneHot;
  return graph.add("Where", [graph.add("Equal", [codes, constant("names")]), constant("share"), oneHot]);
}

/** Three mixes of the waves of each number. */
function addMixes(graph: OnnxGraph, x: string, columns: Placed<Waves>[]): string {
  const count = columns.length;
  const members = columns[0].own.length;
  const own = (dims: number[], of: (wave: Waves) => Float32Array) =>
    stack(
      graph,
      [count, ...dims],
      columns[0].own.map((_, member) => Float32Array.from(columns.flatMap(({ own }) => [...of(own[member])]))),
    );
  const frequency = own(
    [1, 16],
    ({ waves }) => waves.filter((_, i) => i % 2 === 0).map((value) => 2 * Math.PI * value),
  );
  const phase = own([1, 16], ({ waves }) => waves.filter((_, i) => i % 2 === 1));
  const mix = own([16, 3], ({ mix }) => mix.subarray(0, 48));
  const bias = own([1, 3], ({ mix }) => mix.subarray(48));
  // Number by number: [numbers, N, 1].
  const turned = graph.add("Transpose", [pick(graph, x, columns.map(({ place }) => place))]);
  const numbers = reshape(graph, turned, [count, -1, 1]);
  const angle = graph.add("Add", [graph.add("Mul", [numbers, frequency]), phase]);
  const mixes = graph.add("Add", [graph.add("MatMul", [graph.add("Cos", [angle]), mix]), bias]);
  const perm = members === 1 ? [1, 0, 2] : [0, 2, 1, 3];
  return reshape(graph, graph.add("Transpose", [mixes], { perm: { ints: perm } }), lead(members, [-1, count * 3]));
}

/** The trained rows of names. */
function addRows(graph: OnnxGraph, x: string, columns: Placed<Rows>[]): string {
  const members = columns[0].own.length;
  const [{ own: [{ width }] }] = columns;
  const tables = columns[0].own.map((_, member) =>
    Float32Array.from(columns.flatMap(({ own }) => [...own[member].table]))
  );
  const table = stack(graph, [tables[0].length / width, width], tables);
  let first = 0;
  const firsts = BigInt64Array.from(columns, ({ own: [{ table }] }) => {
    const own = BigInt(first);
    first += table.length / width;
    return own;
  });
  const codes = graph.cast(pick(graph, x, columns.map(({ place }) => place)), "int64");
  const places = graph.add("Add", [codes, graph.constant([1, firsts.length], firsts)]);
  const rows = graph.add("Gather", [table, places], { axis: { i: members === 1 ? 0 : 1 } });
  return reshape(graph, rows, lead(members, [-1, columns.length * width]));
}

/** Some columns of rows, in the order of the list. */
function pick(graph: OnnxGraph, x: string, places: readonly number[]): string {
  const list = BigInt64Array.from(places, BigInt);
  return graph.add("Gather", [x, graph.constant([list.length], list)], { axis: { i: -1 } });
}

/** The columns of rows whose column i belongs at `order[i]`, each where it belongs. */
export function reorder(graph: OnnxGraph, x: string, order: readonly number[], width: number): string {
  if (order.every((to, from) => to === from)) return x;
  const places = new Array<number>(width);
  order.forEach((to, from) => places[to] = from);
  return pick(graph, x, places);
}

/** Columns next to each other. */
export function concat(graph: OnnxGraph, blocks: readonly string[]): string {
  return blocks.length === 1 ? blocks[0] : graph.add("Concat", blocks, { axis: { i: -1 } });
}

/** The same rows for all members. */
function expand(graph: OnnxGraph, x: string, members: number): string {
  return members === 1 ? x : graph.add("Expand", [x, graph.constant([3], BigInt64Array.of(BigInt(members), 1n, 1n))]);
}

function reshape(graph: OnnxGraph, x: string, dims: readonly number[]): string {
  return graph.add("Reshape", [x, graph.constant([dims.length], BigInt64Array.from(dims, BigInt))]);
}

/** The members' weights, one after the other. */
function stack(graph: OnnxGraph, dims: readonly number[], own: readonly Float32Array[]): string {
  const all = new Float32Array(own.length * own[0].length);
  own.forEach((values, member) => all.set(values, member * values.length));
  return graph.constant(lead(own.length, dims), all);
}

function lead(members: number, dims: readonly number[]): number[] {
  return members === 1 ? [...dims] : [members, ...dims];
}

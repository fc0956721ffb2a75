/** The layers of a model's file, member by member: each member as a network of its own. */

import { type Layer, Linear } from "../../lib/core/layers.ts";
import { showJson } from "../../lib/base/printable.ts";
import type { StoredTensors } from "../../lib/safetensors/reader.ts";
import { MIXES, TableEmbedding, WAVES } from "../../lib/tabular/table_embedding.ts";

type Numbers = Float32Array<ArrayBuffer>;

/** What becomes of a column of a row: a number, or the number of a category. */
export type ExportedColumn =
  /** The number itself. */
  | { kind: "number" }
  /** The number, and three mixes of waves of it. `waves` [16, 2]: frequency and phase. `mix` [17, 3]: its last row is the bias. */
  | { kind: "waves"; waves: Numbers; mix: Numbers }
  /** A value for each bin between edges. */
  | { kind: "bins"; edges: Numbers }
  /** A value for each name, 1 for its own. `unseen` is there for the number `names`: names that training did not see. */
  | { kind: "one-hot"; names: number; unseen?: readonly number[] }
  /** A row [width] for each name; the last is that of names that training did not see. */
  | { kind: "rows"; width: number; table: Numbers };

/** A layer with its weights. A Linear is y = x · weight + bias, its weight [inputs, outputs]; GELU is the one by tanh. */
export type ExportedLayer =
  | { kind: "Columns"; columns: readonly ExportedColumn[] }
  | { kind: "Linear"; inputs: number; outputs: number; weight: Numbers; bias: Numbers }
  | { kind: "ReLU" | "Sigmoid" | "Tanh" | "GELU" }
  | { kind: "LeakyReLU"; slope: number }
  | { kind: "Dropout"; rate: number }
  /** Drops all values of a column together; `widths` says how many each column has. */
  | { kind: "ColumnDropout"; rate: number; widths: readonly number[] };

/** Gives the member's part of a parameter of a layer. */
type Read = (name: string) => Numbers;

/** The layers of each member, from layers with the weights of all. */
export function membersOf(layers: readonly Layer[], tensors: StoredTensors["tensors"]): ExportedLayer[][] {
  const members = Math.max(1, ...layers.map((layer) => layer.members ?? 1));
  return Array.from({ length: members }, (_, member) =>
    layers.map((layer, i) => {
      const read = (name: string) => {
        const { data } = tensors.get(`${i}.${name}`)!;
        const size = data.length / members;
        return data.subarray(member * size, (member + 1) * size);
      };
      return describeLayer(layer, i, read);
    }));
}

function describeLayer(layer: Layer, i: number, read: Read): ExportedLayer {
  if (layer instanceof TableEmbedding) return { kind: "Columns", columns: describeColumns(layer, read) };
  if (layer instanceof Linear) {
    const { inputs, weight: { shape } } = layer;
    return { kind: "Linear", inputs, outputs: shape[1], weight: read("weight"), bias: read("bias") };
  }
  const { kind, settings = {} } = layer;
  switch (kind) {
    case "ReLU":
    case "Sigmoid":
    case "Tanh":
    case "GELU":
      return { kind };
    case "LeakyReLU":
      return { kind, slope: settings.slope as number };
    case "Dropout":
      return { kind, rate: settings.rate as number };
    case "ColumnDropout":
      return { kind, rate: settings.rate as number, widths: settings.widths as readonly number[] };
    default:
      throw new SyntaxError(`layer ${i} cannot be exported: it is of the kind ${showJson(kind)}`);
  }
}

function describeColumns({ settings: { columns, numbers } }: TableEmbedding, read: Read): ExportedColumn[] {
  const part = (name: string, at: number, size: number) => read(name).subarray(at * size, (at + 1) * size);
  let number = 0;
  let row = 0;
  return columns.map((column) => {
    if (column.kind === "number") {
      if (numbers === "none") return { kind: "number" };
      if (numbers === "piecewise") return { kind: "bins", edges: Float32Array.from(column.edges!) };
      const at = number++;
      return { kind: "waves", waves: part("waves", at, WAVES * 2), mix: part("mix", at, (WAVES + 1) * MIXES) };
    }
    const { names, width, shares } = column;
    if (!width) return { kind: "one-hot", names, unseen: shares };
    const table = read("table").subarray(row * width, (row + names) * width);
    row += names;
    return { kind: "rows", width, table: shares ? withMix(table, width, shares) : table };
  });
}

/** The rows of names, and the mix of all by their shares. */
function withMix(table: Numbers, width: number, shares: readonly number[]): Numbers {
  const all = new Float32Array(table.length + width);
  all.set(table);
  for (let k = 0; k < width; k++) {
    all[table.length + k] = shares.reduce((sum, share, name) => sum + share * table[name * width + k], 0);
  }
  return all;
}

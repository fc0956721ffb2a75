/**
 * Layers as model files describe them: by kind and settings, in order.
 *
 * @module
 */
import { parseBoundedJson } from "../safetensors/bounded_json.ts";
import { ACTIVATIONS, Dropout, type Layer, Linear } from "../core/layers.ts";
import { showJson } from "../base/printable.ts";
import { formatShape } from "../base/shape.ts";
import { ColumnDropout } from "../tabular/column_dropout.ts";
import {
  type EmbeddedColumn,
  NUMERIC_EMBEDDINGS,
  type NumericEmbedding,
  TableEmbedding,
} from "../tabular/table_embedding.ts";

/** Most layers of a file; each may take a buffer of the device. */
const MAX_LAYERS = 10_000;

/** Most categories of a column, and most values of a trained row. */
const MAX_WIDTH = 2 ** 24;

/** The layers that a file speaks of, as it speaks of them. */
export function parseLayers(
  metadata: Readonly<Record<string, string>>,
): { kind: unknown; [setting: string]: unknown }[] {
  const described = parseBoundedJson(metadata.layers ?? "null");
  if (!Array.isArray(described)) throw new SyntaxError("its layers are no list");
  if (described.length > MAX_LAYERS) {
    throw new SyntaxError(`it has ${described.length} layers, allowed are ${MAX_LAYERS}`);
  }
  // A layer is its kind, or an object of kind and settings where it has any.
  return described.map((given) =>
    typeof given === "string" ? { kind: given } : { kind: undefined, ...(Array.isArray(given) ? {} : given) }
  );
}

/** Layers from what a file says of them; their tensors hold the parameters of so many members. */
export function buildLayers(
  described: ReturnType<typeof parseLayers>,
  shapes: ReadonlyMap<string, readonly number[]>,
  members: number = 1,
): Layer[] {
  const layers = described.map(({ kind, ...settings }, i): Layer => {
    if (kind === "TableEmbedding") return buildEmbedding(`layer ${i}`, settings, members);
    if (kind === "ColumnDropout") return buildColumnDropout(`layer ${i}`, settings);
    if (kind !== "Linear") return buildUnweighted(`layer ${i}`, kind, settings);
    const shape = shapes.get(`${i}.weight`);
    if (shape?.length !== 2) {
      throw new TypeError(`${i}.weight is ${shape ? formatShape(shape) : "missing"}, need [in, out]`);
    }
    const inputs = shape[0] / members;
    if (Number.isInteger(inputs)) return new Linear(inputs, shape[1], { members });
    throw new TypeError(`${i}.weight is ${formatShape(shape)}, need [in, out] of ${members} members`);
  });
  if (members === 1 || layers.some((layer) => layer.members === members)) return layers;
  throw new TypeError(`it has ${members} members, but no layer with weights`);
}

/** The layer of a table's columns, from what a file says of it. Sizes are checked against those of its tensors later. */
export function buildEmbedding(
  name: string,
  { columns, numbers, ...others }: Readonly<Record<string, unknown>>,
  members: number,
): TableEmbedding {
  const [odd] = Object.keys(others);
  if (odd !== undefined) throw new SyntaxError(`${name} has the unknown setting ${showJson(odd)}`);
  if (!Array.isArray(columns)) throw new SyntaxError(`${name}: its columns are ${showJson(columns)}, need a list`);
  if (!NUMERIC_EMBEDDINGS.includes(numbers as NumericEmbedding)) {
    throw new SyntaxError(`${name}: its numbers are ${showJson(numbers)}, need ${NUMERIC_EMBEDDINGS.join(", ")}`);
  }
  const parsed = columns.map((column, i) => parseColumn(`${name}, column ${i}`, column));
  try {
    return new TableEmbedding({ columns: parsed, numbers: numbers as NumericEmbedding, members });
  } catch (error) {
    throw new SyntaxError(`${name}: ${(error as Error).message}`, { cause: error });
  }
}

/** Dropout of whole columns, from what a file says of it. */
export function buildColumnDropout(
  name: string,
  { rate, seed, widths, ...others }: Readonly<Record<string, unknown>>,
): ColumnDropout {
  const isList = Array.isArray(widths) && widths.every((width) => Number.isInteger(width) && width <= MAX_WIDTH);
  if (typeof rate !== "number" || typeof seed !== "number" || !isList || Object.keys(others).length > 0) {
    throw new SyntaxError(`${name} is no ColumnDropout: need a rate, a seed and the widths of the columns`);
  }
  try {
    return new ColumnDropout(rate, { widths, seed });
  } catch (error) {
    throw new SyntaxError(`${name}: ${(error as Error).message}`, { cause: error });
  }
}

function parseColumn(name: string, value: unknown): EmbeddedColumn {
  const { kind, edges, names, width, shares, ...others } = Object(value) as Record<string, unknown>;
  const isNumbers = (list: unknown) => Array.isArray(list) && list.every((item) => typeof item === "number");
  const isList = (list: unknown) => list === undefined || isNumbers(list);
  const isSize = (size: unknown) => Number.isSafeInteger(size) && size as number >= 1 && size as number <= MAX_WIDTH;
  const isNone = (...values: unknown[]) => values.every((item) => item === undefined);
  if (kind === "number" && isList(edges) && isNone(names, width, shares, ...Object.values(others))) {
    return edges === undefined ? { kind } : { kind, edges: edges as number[] };
  }
  const isWidth = width === undefined || isSize(width);
  if (kind === "names" && isSize(names) && isWidth && isList(shares) && isNone(edges, ...Object.values(others))) {
    return {
      kind,
      names: names as number,
      ...(width === undefined ? {} : { width: width as number }),
      ...(shares === undefined ? {} : { shares: shares as number[] }),
    };
  }
  throw new SyntaxError(`${name} is ${showJson(value)}, need a number with edges or none, or names with their count`);
}

/** A layer without weights, from what a file says of it. */
export function buildUnweighted(name: string, kind: unknown, settings: Readonly<Record<string, unknown>>): Layer {
  const odd = Object.keys(settings).find((key) => typeof settings[key] !== "number");
  if (odd !== undefined) {
    throw new SyntaxError(`${name}: its ${showJson(odd)} is ${showJson(settings[odd])}, need a number`);
  }
  try {
    const layer = typeof kind === "string" && buildPlainLayer(kind, settings as Readonly<Record<string, number>>);
    if (layer) return layer;
  } catch (error) {
    throw new SyntaxError(`${name}: ${(error as Error).message}`, { cause: error });
  }
  throw new SyntaxError(`${name} is of the unknown kind ${showJson(kind)}`);
}

/**
 * A layer without parameters, from its kind and settings as a file has them; undefined where there is no such kind.
 *
 * @throws {RangeError} If the settings are not such as the layer takes.
 */
function buildPlainLayer(kind: string, settings: Readonly<Record<string, number>>): Layer | undefined {
  if (kind === "Dropout") return new Dropout(settings.rate, { seed: settings.seed ?? NaN });
  const make = Object.values(ACTIVATIONS).find((make) => make().kind === kind);
  const missing = Object.keys(make?.().settings ?? {}).find((name) => settings[name] === undefined);
  if (missing !== undefined) throw new RangeError(`Cannot make a ${kind} without ${missing}`);
  return make?.(settings);
}

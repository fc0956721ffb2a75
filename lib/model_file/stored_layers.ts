/**
 * Layers as model files describe them: by kind and settings, in order.
 *
 * @module
 */
import { parseBoundedJson } from "../safetensors/bounded_json.ts";
import { ACTIVATIONS, Dropout, type Layer, Linear } from "../core/layers.ts";
import { showJson } from "../base/printable.ts";
import { formatShape } from "../base/shape.ts";
import { buildColumnDropout, buildEmbedding } from "./stored_columns.ts";

/** Most layers of a file; each may take a buffer of the device. */
const MAX_LAYERS = 10_000;

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

/** A layer without weights, from what a file says of it. */
function buildUnweighted(name: string, kind: unknown, settings: Readonly<Record<string, unknown>>): Layer {
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

/**
 * Layers as model files describe them: by kind and settings, in order.
 *
 * @module
 */
import { parseBoundedJson } from "../safetensors/bounded_json.ts";
import { buildPlainLayer, type Layer, Linear } from "../core/layers.ts";
import { showJson } from "../base/printable.ts";
import { formatShape } from "../base/shape.ts";

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

/** Layers from what a file says of them. */
export function buildLayers(
  described: ReturnType<typeof parseLayers>,
  shapes: ReadonlyMap<string, readonly number[]>,
): Layer[] {
  return described.map(({ kind, ...settings }, i) => {
    if (kind !== "Linear") return buildUnweighted(`layer ${i}`, kind, settings);
    const shape = shapes.get(`${i}.weight`);
    if (shape?.length !== 2) {
      throw new TypeError(`${i}.weight is ${shape ? formatShape(shape) : "missing"}, need [in, out]`);
    }
    return new Linear(shape[0], shape[1]);
  });
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

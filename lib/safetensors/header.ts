/**
 * The JSON header of a safetensors file, checked as strictly as the reference implementation does.
 *
 * @module
 */

import { endOfText, parseBoundedJson } from "./bounded_json.ts";
import { DataError } from "../base/errors.ts";
import { printable, shorten, showJson } from "../base/printable.ts";

/** Most values of a header: seventy thousand tensors. Each may take a kilobyte of memory. */
const MAX_HEADER_VALUES = 500_000;

/** One tensor as the header describes it. */
export interface TensorEntry {
  /** The tensor's name. */
  name: string;
  /** Its shape. */
  shape: number[];
  /** First byte, counted from the end of the header. */
  begin: number;
  /** The byte behind its last. */
  end: number;
}

/**
 * Reads a header.
 *
 * @throws {DataError} If it breaks a rule of the format, or a tensor is not F32.
 */
export function parseHeader(
  path: string,
  bytes: Uint8Array,
  dataBytes: number,
): { entries: TensorEntry[]; metadata: Record<string, string> } {
  const refuse = (problem: string, cause?: unknown) => new DataError(problem, { file: path }, { cause });
  let text: string;
  let json: unknown;
  let repeated: string | undefined;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    json = parseBoundedJson(text, { maxValues: MAX_HEADER_VALUES, reviver: keepOddNumbers });
    repeated = repeatedKey(text);
  } catch (error) {
    const why = error instanceof SyntaxError && error.message.startsWith("JSON ") ? ` (${error.message})` : "";
    throw refuse(`its header is not JSON in UTF-8${why}: not a safetensors file`, error);
  }
  if (!text.startsWith("{") || !isObject(json)) throw refuse("its header is not a JSON object");
  if (repeated !== undefined) throw refuse(`its header names ${showName(repeated)} twice`);

  const { __metadata__: metadata = {}, ...tensors } = json;
  if (!isObject(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw refuse("its metadata holds something other than texts");
  }
  const halved = [...Object.keys(tensors), ...Object.entries(metadata).flat() as string[]]
    .find((text) => !text.isWellFormed());
  if (halved !== undefined) {
    throw refuse(`its header holds half a character, in ${showJson(halved)}`);
  }
  const entries = Object.entries(tensors).map(([name, entry]) => parseEntry(name, entry, refuse));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const entry of entries) {
    if (entry.begin !== end) {
      throw refuse(`tensor ${showName(entry.name)} begins at byte ${entry.begin}, expected ${end}`);
    }
    end = entry.end;
  }
  if (end !== dataBytes) throw refuse(`its tensors take ${end} bytes and ${dataBytes} are there`);
  return { entries, metadata: metadata as Record<string, string> };
}

function parseEntry(name: string, value: unknown, refuse: (problem: string) => DataError): TensorEntry {
  const entry = isObject(value) ? value : {};
  const { dtype, shape, data_offsets: offsets } = entry;
  const shown = `tensor ${showName(name)}`;
  if (dtype !== "F32") throw refuse(`${shown} has type ${showJson(dtype)}: only F32 is read`);
  if (!isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) {
    throw refuse(`${shown} has shape ${showJson(shape)} and data_offsets ${showJson(offsets)}`);
  }
  const [begin, end] = offsets;
  const length = shape.reduce((product, size) => product * size, 4);
  if (!hasSafeProducts(shape)) throw refuse(`${shown} has shape [${shape.join(", ")}]: too large to be counted`);
  if (end - begin !== length) {
    throw refuse(`${shown} has ${end - begin} bytes, its shape [${shape.join(", ")}] needs ${length}`);
  }
  return { name, shape, begin, end };
}

/** Whether no product of leading sizes is beyond exact numbers: a 0 behind them would hide it. */
function hasSafeProducts(shape: readonly number[]): boolean {
  let bytes = 4;
  return shape.every((size) => Number.isSafeInteger(bytes *= size));
}

/** A number such as 1.0, 1e3 or -0: no size, and no text. */
class OddNumber {
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  toJSON(): string {
    return this.#source;
  }
}

/** Leaves odd numbers as they stand in the text: JSON.parse alone makes whole ones of them. */
function keepOddNumbers(_key: string, value: unknown, { source }: { source?: string } = {}): unknown {
  return typeof value === "number" && !/^(0|-?[1-9]\d*)$/.test(source ?? "") ? new OddNumber(`${source}`) : value;
}

/** A key that one object of the text holds twice; JSON.parse would silently take the last. */
function repeatedKey(text: string): string | undefined {
  const open: Set<string>[] = [];
  const marks = /["{}]/g;
  const colon = /\s*:/y;
  for (let mark = marks.exec(text); mark !== null; mark = marks.exec(text)) {
    if (mark[0] === "{") open.push(new Set());
    else if (mark[0] === "}") open.pop();
    else {
      colon.lastIndex = marks.lastIndex = endOfText(text, mark.index);
      if (!colon.test(text)) continue;
      const key = JSON.parse(text.slice(mark.index, marks.lastIndex));
      if (open.at(-1)!.has(key)) return key;
      open.at(-1)!.add(key);
    }
  }
}

function showName(name: string): string {
  return printable(shorten(name));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof OddNumber);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

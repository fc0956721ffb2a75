/**
 * A second reader of safetensors, for tests: written from the format's description, slow and plain, on a JSON parser of its
 * own. What it says of a file the library must say too.
 */

import { isUtf8 } from "node:buffer";
import { Refusal } from "./fuzz_cases.ts";

/** What a file holds. */
export interface PlainFile {
  tensors: Map<string, { shape: number[]; data: Float32Array }>;
  metadata: Map<string, string>;
}

/** JSON: objects are maps, numbers are left as they stand in the text. */
type Json = string | boolean | null | Json[] | Map<string, Json> | PlainNumber;

class PlainNumber {
  constructor(readonly text: string) {}
}

/** Nesting that is read. */
const MAX_DEPTH = 100;

export function readPlain(bytes: Uint8Array): PlainFile {
  if (bytes.length < 8) throw new Refusal("no length");
  const long = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (long > 100_000_000n || 8n + long > BigInt(bytes.length)) throw new Refusal("too long");
  const header = bytes.subarray(8, 8 + Number(long));
  const data = bytes.slice(8 + Number(long));
  if (!isUtf8(header)) throw new Refusal("no UTF-8");
  const json = new PlainJson(new TextDecoder("utf-8", { ignoreBOM: true }).decode(header)).parse();
  const metadata = new Map<string, string>();
  const entries: [string, number[], number, number][] = [];
  for (const [name, value] of json) {
    if (!(value instanceof Map)) throw new Refusal("no object");
    if (!name.isWellFormed()) throw new Refusal("half a character");
    if (name !== "__metadata__") entries.push([name, ...entryOf(value)]);
    else for (const [key, text] of value) metadata.set(wellFormed(key), wellFormed(text));
  }
  entries.sort((a, b) => a[2] - b[2] || a[3] - b[3]);
  const tensors: PlainFile["tensors"] = new Map();
  let place = 0;
  for (const [name, shape, begin, end] of entries) {
    if (begin !== place) throw new Refusal("a hole");
    place = end;
    if (end <= data.length) tensors.set(name, { shape, data: new Float32Array(data.slice(begin, end).buffer) });
  }
  if (place !== data.length) throw new Refusal("another length");
  return { tensors, metadata };
}

function wellFormed(value: Json): string {
  if (typeof value === "string" && value.isWellFormed()) return value;
  throw new Refusal("no text");
}

function entryOf(fields: Map<string, Json>): [shape: number[], begin: number, end: number] {
  if (fields.get("dtype") !== "F32") throw new Refusal("another type");
  const shape = sizes(fields.get("shape"));
  const offsets = sizes(fields.get("data_offsets"));
  if (offsets.length !== 2) throw new Refusal("no offsets");
  let bytes = 4n;
  for (const size of shape) {
    bytes *= BigInt(size);
    if (bytes > BigInt(Number.MAX_SAFE_INTEGER)) throw new Refusal("overflow");
  }
  const [begin, end] = offsets;
  if (BigInt(end) - BigInt(begin) !== bytes) throw new Refusal("another length");
  return [shape, begin, end];
}

function sizes(value: Json | undefined): number[] {
  if (!Array.isArray(value)) throw new Refusal("no list");
  return value.map((size) => {
    const isWhole = size instanceof PlainNumber && /^(0|[1-9][0-9]{0,15})$/.test(size.text);
    if (!isWhole || BigInt(size.text) > BigInt(Number.MAX_SAFE_INTEGER)) throw new Refusal("no size");
    return Number(size.text);
  });
}

/** JSON (RFC 8259), character by character; an object at its start, and no key twice. */
class PlainJson {
  #at = 0;
  constructor(readonly text: string) {}

  parse(): Map<string, Json> {
    if (this.text[0] !== "{") throw new Refusal("no object");
    const value = this.#value(1) as Map<string, Json>;
    this.#space();
    if (this.#at < this.text.length) throw new Refusal("more behind the end");
    return value;
  }

  #value(depth: number): Json {
    if (depth > MAX_DEPTH + 1) throw new Refusal("too deep");
    this.#space();
    const mark = this.text[this.#at];
    if (mark === "{") return this.#object(depth);
    if (mark === "[") return this.#list(depth);
    if (mark === '"') return this.#string();
    const [word] = /^(true|false|null|-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?)/.exec(
      this.text.slice(this.#at, this.#at + 2000),
    ) ?? [""];
    if (word === "") throw new Refusal("no value");
    this.#at += word.length;
    return word === "true" ? true : word === "false" ? false : word === "null" ? null : new PlainNumber(word);
  }

  #object(depth: number): Map<string, Json> {
    const fields = new Map<string, Json>();
    this.#each("}", () => {
      this.#space();
      const key = this.#string();
      if (fields.has(key)) throw new Refusal("twice");
      this.#expect(":");
      fields.set(key, this.#value(depth + 1));
    });
    return fields;
  }

  #list(depth: number): Json[] {
    const values: Json[] = [];
    this.#each("]", () => values.push(this.#value(depth + 1)));
    return values;
  }

  #each(end: string, read: () => void): void {
    this.#at++;
    for (let isFirst = true; !this.#takes(end); isFirst = false) {
      if (!isFirst) this.#expect(",");
      read();
    }
  }

  #string(): string {
    if (this.text[this.#at++] !== '"') throw new Refusal("no text");
    let value = "";
    for (let mark = this.text[this.#at++]; mark !== '"'; mark = this.text[this.#at++]) {
      if (mark === undefined || mark < " ") throw new Refusal("a text without an end");
      value += mark === "\\" ? this.#escape() : mark;
    }
    return value;
  }

  #escape(): string {
    const mark = this.text[this.#at++];
    const place = mark === undefined ? -1 : '"\\/bfnrt'.indexOf(mark);
    if (place >= 0) return '"\\/\b\f\n\r\t'[place];
    const code = this.text.slice(this.#at, this.#at + 4);
    if (mark !== "u" || !/^[0-9a-fA-F]{4}$/.test(code)) throw new Refusal("no escape");
    this.#at += 4;
    return String.fromCharCode(parseInt(code, 16));
  }

  #space(): void {
    while (" \t\n\r".includes(this.text[this.#at] ?? "x")) this.#at++;
  }

  #takes(mark: string): boolean {
    this.#space();
    if (this.text[this.#at] !== mark) return false;
    this.#at++;
    return true;
  }

  #expect(mark: string): void {
    if (!this.#takes(mark)) throw new Refusal(`no ${mark}`);
  }
}

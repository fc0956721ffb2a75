/**
 * What a model's file says of it besides weights and layers: texts in the metadata of safetensors, most of them JSON. Files
 * may hold anything, so all of it is checked.
 *
 * @module
 */
import { parseBoundedJson } from "../safetensors/bounded_json.ts";
import { csvPaths } from "../data/csv_files.ts";
import { openFile } from "../base/files.ts";
import { shorten, showJson } from "../base/printable.ts";
import { MAX_SEED } from "../base/random.ts";
import { Scaler } from "../data/scaler.ts";
import { type OutputRule, parseOutputRule } from "./output_rule.ts";
import { encodedNames, nameRows, type Table, type Target } from "../data/table.ts";
import { TargetEncoder, type TargetForm } from "../data/table_encoder.ts";
import { parseTable } from "../data/table_json.ts";
import { parseTableNotes, type TableNotes } from "../data/table_notes.ts";
import { VERSION } from "../base/version.ts";

/** The file that a model was trained on, or the folder of files. */
export interface DataSource {
  /** Its name, without the folder that it is in. */
  readonly name: string;
  /** SHA-256 of its bytes, 64 hexadecimal digits; of a folder as {@linkcode dataSource} defines it. */
  readonly sha256: string;
}

/** What a model was written with. */
export interface Versions {
  /** Of this library. */
  readonly backhand: string;
  /** Of Deno; "none" where a browser wrote it. */
  readonly deno: string;
  /** System and processor, such as x86_64-unknown-linux-gnu, or what the browser calls itself. */
  readonly platform: string;
}

/** What a model predicts, from what, and where it came from. */
export interface ModelMetadata {
  /** The columns, their categories, what stands in for missing cells, and the target with its classes. */
  readonly table: Table;
  /** Names of the network's inputs: those of `encodedNames(table.inputs)`. */
  readonly features: readonly string[];
  /** Names of the network's outputs: the target's columns; under softmax cross-entropy its classes. */
  readonly targets: readonly string[];
  /** The scalers of both. */
  readonly scalers: { readonly inputs: Scaler; readonly targets: Scaler };
  /** The settings it was trained with, for people to read. */
  readonly settings: Readonly<Record<string, string>>;
  /** The seed it was trained with. */
  readonly seed?: number;
  /** Mean of each of `targets` over the training rows, in raw units: for classes their shares. The trivial prediction. */
  readonly baseline?: readonly number[];
  /** What is done to the network's outputs. */
  readonly output?: OutputRule;
  /** The data it was trained on. */
  readonly source?: DataSource;
  /** What was made of its table, for people: what was left out, filled in, merged or guessed. */
  readonly notes?: TableNotes;
  /** What it was written with; known of a model from a file. */
  readonly versions?: Versions;
}

/**
 * Name and SHA-256 of a file, read in constant memory. Of a folder, whose files are a table, it is the SHA-256 of a
 * line for each of them, in order: the file's own SHA-256, two spaces, its name.
 *
 * @param path The file, or the folder.
 * @throws {Deno.errors.NotFound} If there is no such file, or the folder has none.
 *
 * @example
 * ```ts
 * import { dataSource } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * await Deno.mkdir("data", { recursive: true });
 * await Deno.writeTextFile("data/abc.csv", "abc");
 * const { name, sha256 } = await dataSource("data/abc.csv");
 * assertEquals([name, sha256.slice(0, 16)], ["abc.csv", "ba7816bf8f01cfea"]);
 * await Deno.remove("data/abc.csv");
 * ```
 */
export async function dataSource(path: string): Promise<DataSource> {
  // Not at the top: a browser has neither, and no files.
  const [{ createHash }, { basename, resolve }] = await Promise.all([import("node:crypto"), import("node:path")]);
  const buffer = new Uint8Array(1 << 20);
  const paths = await csvPaths(path);
  const isOne = paths[0] === path;
  const lines = createHash("sha256");
  for (const path of paths) {
    using file = await openFile(path);
    const hash = createHash("sha256");
    for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
      hash.update(buffer.subarray(0, count));
    }
    const sha256 = hash.digest("hex");
    if (isOne) return { name: basename(path), sha256 };
    lines.update(`${sha256}  ${basename(path)}\n`);
  }
  return { name: basename(resolve(path)), sha256: lines.digest("hex") };
}

/** How a network puts out a target. */
export function targetForm(target: Target, loss: string): TargetForm {
  if (target.kind === "numeric") return "values";
  if (loss === "softmax") return "one-hot";
  if (loss === "bce" && target.classes.length === 2) return "binary";
  throw new TypeError(`${target.classes.length} classes under the loss ${loss}: need softmax, or bce for two classes`);
}

/** Names of the outputs of a network that predicts a target, as {@linkcode targetForm} has them. */
export function outputNames(target: Target, loss: string): string[] {
  return new TargetEncoder(target, targetForm(target, loss)).names;
}

/** The metadata as texts, where its names are those of table and scalers. */
export function formatMetadata(model: ModelMetadata, loss: string): Record<string, string> {
  checkNames(model, loss);
  const { table, scalers, settings, seed, baseline, output, source, notes } = model;
  if (baseline) checkBaseline(baseline, model.targets, loss);
  const texts = { table, scaler: scalers, settings, seed, baseline, output, source, notes, versions: ownVersions() };
  const given = Object.entries(texts).filter(([_, value]) => value !== undefined);
  return { loss, ...Object.fromEntries(given.map(([name, value]) => [name, JSON.stringify(value)])) };
}

/** Those of this process, or of the browser. */
function ownVersions(): Versions {
  if (!globalThis.Deno) return { backhand: VERSION, deno: "none", platform: navigator.userAgent };
  return { backhand: VERSION, deno: Deno.version.deno, platform: Deno.build.target };
}

/** Reads what {@linkcode formatMetadata} gave; what does not fit is a SyntaxError, TypeError or RangeError. */
export function parseMetadata(metadata: Readonly<Record<string, string>>): ModelMetadata {
  const optional = <T>(name: string, parse: (value: unknown) => T): T | undefined =>
    Object.hasOwn(metadata, name) ? parse(parseJson(metadata, name)) : undefined;
  const scaler = fieldsOf("scaler", parseJson(metadata, "scaler"));
  const scalers = { inputs: Scaler.fromJSON(scaler.inputs), targets: Scaler.fromJSON(scaler.targets) };
  const table = parseTable(parseJson(metadata, "table"));
  const loss = metadata.loss;
  const features = encodedNames(table.inputs);
  const targets = outputNames(table.target, loss);
  const model: ModelMetadata = {
    table,
    features,
    targets,
    scalers,
    settings: textsOf("settings", parseJson(metadata, "settings")),
    seed: optional("seed", parseSeed),
    baseline: optional("baseline", (value) => checkBaseline(value, targets, loss)),
    output: optional("output", (value) => parseOutputRule(value, { target: table.target, loss })),
    source: optional("source", parseSource),
    notes: optional("notes", parseTableNotes),
    versions: parseVersions(parseJson(metadata, "versions")),
  };
  checkNames(model, loss);
  return model;
}

function parseJson(metadata: Readonly<Record<string, string>>, name: string): unknown {
  if (!Object.hasOwn(metadata, name)) throw new SyntaxError(`its ${name} is missing`);
  try {
    return parseBoundedJson(metadata[name]);
  } catch (error) {
    throw new SyntaxError(`its ${name} is no JSON, or too much of it`, { cause: error });
  }
}

function fieldsOf(what: string, value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new SyntaxError(`its ${what} is no object`);
}

function textsOf(what: string, value: unknown): Record<string, string> {
  const fields = fieldsOf(what, value);
  const odd = Object.keys(fields).find((key) => typeof fields[key] !== "string");
  if (odd === undefined) return fields as Record<string, string>;
  throw new SyntaxError(`${showJson(odd)} of its ${what} is ${showJson(fields[odd])}, need a text`);
}

function parseSeed(value: unknown): number {
  if (Number.isInteger(value) && value as number >= 0 && value as number <= MAX_SEED) return value as number;
  throw new SyntaxError(`its seed is ${showJson(value)}, need a whole number from 0 to ${MAX_SEED}`);
}

function parseSource(value: unknown): DataSource {
  const { name, sha256 } = textsOf("source", value);
  if (name !== undefined && /^[0-9a-f]{64}$/.test(sha256 ?? "")) return { name, sha256 };
  throw new SyntaxError("its source has no name or no SHA-256");
}

function parseVersions(value: unknown): Versions {
  const { backhand, deno, platform } = textsOf("versions", value);
  if (backhand !== undefined && deno !== undefined && platform !== undefined) return { backhand, deno, platform };
  throw new SyntaxError("its versions are not those of backhand, deno and platform");
}

/** Means of the targets; those of classes are shares of the rows. */
function checkBaseline(value: unknown, targets: readonly string[], loss: string): number[] {
  const isShare = loss === "bce" || loss === "softmax";
  const isGood = (mean: unknown) => Number.isFinite(mean) && !(isShare && (mean as number < 0 || mean as number > 1));
  const isList = Array.isArray(value) && value.length === targets.length && value.every(isGood);
  if (isList && (loss !== "softmax" || Math.abs(value.reduce((sum, share) => sum + share, 0) - 1) < 1e-6)) return value;
  const need = `${targets.length} ${isShare ? "shares from 0 to 1" : "finite numbers"}`;
  throw new SyntaxError(`its baseline is ${showJson(value)}, need ${need}${loss === "softmax" ? " of sum 1" : ""}`);
}

function checkNames({ table, features, targets, scalers }: ModelMetadata, loss: string): void {
  const inputs = encodedNames(table.inputs);
  const outputs = outputNames(table.target, loss);
  const cases: [what: string, found: readonly string[], expected: readonly string[]][] = [
    ["features", features, inputs],
    ["input scaler", scalers.inputs.columns.map(({ name }) => name), inputs],
    ["targets", targets, outputs],
    ["target scaler", scalers.targets.columns.map(({ name }) => name), outputs],
  ];
  for (const [what, found, expected] of cases) {
    if (found.length === expected.length && found.every((name, i) => name === expected[i])) continue;
    throw new TypeError(`its table has the columns ${listOf(expected)}, its ${what} ${listOf(found)}`);
  }
  const places = scalers.inputs.columns.values();
  for (const column of table.inputs) {
    const [own] = encodedNames([column]).map(() => places.next().value!);
    if (column.kind !== "categorical" || own.names === nameRows(column)) continue;
    const found = `its scaler knows ${own.names ?? "none"}`;
    throw new TypeError(`its input ${showJson(column.name)} has ${nameRows(column)} names, ${found}`);
  }
}

function listOf(names: readonly string[]): string {
  const shown = JSON.stringify(names.slice(0, 20).map((name) => shorten(name)));
  return names.length > 20 ? `${shown} and ${names.length - 20} more` : shown;
}

/** The forms in which rows to predict from are given, as network inputs. */

import { CellError, parseNumber } from "../../lib/data/cells.ts";
import { type RecordBlock, recordBlocks } from "../../lib/data/csv_records.ts";
import type { TextBlock } from "../../lib/data/csv_text.ts";
import { jsonHint, repetition } from "../../lib/data/json_records.ts";
import { targetNames } from "../../lib/data/table_json.ts";
import { DataError } from "../../lib/base/errors.ts";
import { printable, showName, visible } from "../../lib/base/printable.ts";
import { type Row, RowEncoder } from "../../lib/model_file/load_model.ts";
import type { ModelDescription } from "../../lib/model_file/saved_model.ts";
import { fileRecords } from "../runs/saved_run.ts";
import { ConfigError } from "../settings/config.ts";
import { COLUMNS } from "../settings/readers.ts";
import { jsonLines, parseExactly, parseJson } from "./json_lines.ts";
import { recordTexts } from "./stdin_text.ts";

/** Rows as they were given and as the network takes them. */
export interface Block {
  /** Of each row the cells that a CSV answer repeats; none for a JSON answer. */
  readonly cells: readonly (readonly string[])[];
  /** Of each row what a JSON answer repeats; none if nothing is kept. */
  readonly kept: readonly Readonly<Record<string, unknown>>[];
  /** Network inputs [rows, features] in raw units. */
  readonly inputs: Float64Array;
}

/** Makes network inputs of rows, for one model. */
export class Rows {
  /** Columns that the answer repeats before the predictions: those to keep; in CSV the inputs, too. */
  readonly kept: readonly string[];
  readonly #description: ModelDescription;
  readonly #inputs: readonly string[];
  readonly #encoder: RowEncoder;
  /** All names that are no surprise in a row. */
  readonly #known: ReadonlySet<string>;

  /** Takes the model, and the columns to keep. */
  constructor(description: ModelDescription, kept: readonly string[]) {
    this.kept = kept;
    this.#description = description;
    this.#inputs = description.table.inputs.map(({ name }) => name);
    this.#encoder = new RowEncoder(description.table, kept);
    this.#known = new Set([...this.#inputs, ...kept, ...targetNames(description.table.target)]);
  }

  /** Names of the model's input columns. */
  get inputs(): readonly string[] {
    return this.#inputs;
  }

  /** Columns of a CSV answer before the predictions. An input that is to be kept is there once, among the kept ones. */
  get columns(): readonly string[] {
    return [...this.kept, ...this.#inputs.filter((name) => !this.kept.includes(name))];
  }

  /** Names that training did not see, among the rows so far. */
  get unseen() {
    return this.#encoder.encoder.unseen;
  }

  /** A row of the command line: of words such as `age=3`. */
  ofWords(words: readonly string[]): Block {
    const faults: string[] = [];
    const row: Record<string, string> = {};
    for (const word of words) {
      // A column's own name may hold the sign.
      const names = this.columns.filter((name) => word.startsWith(`${name}=`));
      const name = names.reduce((long, name) => name.length > long.length ? name : long, word.split("=", 1)[0]);
      if (!isPair(word)) faults.push(`${JSON.stringify(word)} is no cell: write column=cell, as for the others`);
      else if (Object.hasOwn(row, name)) faults.push(`column ${JSON.stringify(name)} is there twice`);
      else row[name] = word.slice(name.length + 1);
    }
    if (faults.length > 0) throw new ConfigError(faults);
    const inputs = this.#encodeAsked(row);
    return { cells: [this.columns.map((name) => row[name].trim())], kept: [], inputs };
  }

  /** A row of the command line: in JSON. */
  ofJson(text: string): Block {
    const inputs = this.#encodeAsked(rowOf(text) as Row);
    return { cells: [], kept: [this.#keptOf(text)], inputs };
  }

  /** The numbers of the command line as rows, each in the order of FEATURES, else in that of the inputs. */
  ofNumbers(numbers: readonly string[]): Block {
    const { table, settings } = this.#description;
    const named = COLUMNS.parse(settings.FEATURES ?? "") ?? [];
    const rank = (name: string) => named.includes(name) ? named.indexOf(name) : named.length;
    const order = [...this.#inputs.keys()].sort((a, b) => rank(this.#inputs[a]) - rank(this.#inputs[b]));
    const names = order.map((place) => this.#inputs[place]);
    const width = names.length;
    if (table.inputs.some(({ kind }) => kind !== "numeric") || this.kept.some((name) => !names.includes(name))) {
      const why = this.kept.length > 0 ? "numbers alone have no columns to keep" : "the columns are not all numbers";
      const words = [...new Set([...this.kept, ...names])].map((name) => `${name}=...`);
      throw new ConfigError([`${why}: write ${words.join(" ")}`]);
    }
    const faults: string[] = [];
    const values = numbers.map((text) => {
      try {
        return parseNumber(text);
      } catch (error) {
        faults.push((error as Error).message);
        return NaN;
      }
    });
    if (numbers.length % width !== 0) {
      faults.push(`a row has ${width} numbers (${names.join(", ")}), found ${numbers.length} in all`);
    }
    if (faults.length > 0) throw new ConfigError(faults);
    const inputs = new Float64Array(values.length);
    values.forEach((value, i) => inputs[i - i % width + order[i % width]] = value);
    const cells: string[][] = [];
    for (let at = 0; at < inputs.length; at += width) {
      const row = new Map(this.#inputs.map((name, i) => [name, `${inputs[at + i]}`]));
      cells.push(this.columns.map((name) => row.get(name)!));
    }
    return { cells, kept: [], inputs };
  }

  /** The rows of a file, or of CSV on stdin. */
  async *ofFile(source: string | AsyncIterable<TextBlock>): AsyncGenerator<Block> {
    const { encoder } = this.#encoder;
    const width = encoder.names.length;
    const count = this.#inputs.length;
    const wanted = [...this.#inputs, ...this.kept];
    const shown = this.columns.map((name) => wanted.indexOf(name, this.kept.includes(name) ? count : 0));
    const tellFirst = ({ file, columns }: RecordBlock) =>
      tellUnused(typeof source === "string" ? source : file, this.#unusedOf(columns));
    const onNote = (note: string) => console.error(printable(`note: stdin: ${note}`));
    const from = typeof source === "string"
      ? source
      : recordBlocks("stdin", recordTexts(source), { columns: wanted, onNote });
    for await (const records of fileRecords(from, wanted, tellFirst)) {
      const inputs = new Float64Array(records.length * width);
      records.forEach(({ cells, placed }, i) => {
        try {
          encoder.encode(this.kept.length === 0 ? cells : cells.slice(0, count), inputs, i * width);
        } catch (error) {
          throw placed(error);
        }
      });
      const cells = records.map(({ cells }) => shown.map((at) => at < count ? cells[at].trim() : cells[at]));
      yield { cells, kept: [], inputs };
    }
  }

  /**
   * The rows of JSON lines on stdin. As in a file, a key that a row lacks is a missing cell, and others than those of the model
   * are not looked at; of either, the first row says so. The rows before a bad one are given first.
   */
  async *ofJsonLines(blocks: AsyncIterable<TextBlock>): AsyncGenerator<Block> {
    const { columns } = this;
    let unused: readonly string[] = [];
    let lacking: readonly string[] = [];
    for await (const lines of jsonLines(blocks)) {
      const inputs: number[] = [];
      const kept: Record<string, unknown>[] = [];
      let fault: DataError | undefined;
      for (const { value, text, line } of lines) {
        try {
          const cells = cellsOf(value);
          // Before the row is used: a name that is written wrong explains why it cannot be.
          if (unused.length === 0) {
            unused = this.#unusedOf([...cells.keys()]);
            tellUnused("stdin", unused);
          }
          if (lacking.length === 0 && isObject(value)) {
            lacking = columns.filter((name) => !cells.has(name));
            tellLacking(line, lacking);
          }
          for (const number of this.#encoder.encodeRow(this.#rowOf(cells, value))) inputs.push(number);
          kept.push(this.#keptOf(text));
        } catch (error) {
          if (!(error instanceof CellError || error instanceof TypeError)) throw error;
          fault = new DataError(error.message, { file: "stdin", line }, { cause: error });
          break;
        }
      }
      if (inputs.length > 0) yield { cells: [], kept, inputs: Float64Array.from(inputs) };
      if (fault) throw fault;
    }
  }

  /** A row with all columns that the model takes, and no others; what is no object stays what it is. */
  #rowOf(cells: ReadonlyMap<string, unknown>, value: unknown): Row {
    if (!isObject(value)) return value as Row;
    return Object.fromEntries(this.columns.map((name) => [name, cells.get(name) ?? null])) as Row;
  }

  /** What the answer to a row of JSON repeats. */
  #keptOf(text: string): Record<string, unknown> {
    if (this.kept.length === 0) return {};
    const cells = cellsOf(parseExactly(text));
    return Object.fromEntries(this.kept.map((name) => [name, cells.get(name) ?? null]));
  }

  /** Columns that the model does not take, and that are neither kept nor the target. */
  #unusedOf(columns: readonly string[]): string[] {
    return columns.filter((name) => !this.#known.has(name));
  }

  #encodeAsked(row: Row): Float64Array {
    try {
      return this.#encoder.encodeRow(row);
    } catch (error) {
      if (!(error instanceof CellError || error instanceof TypeError)) throw error;
      throw new ConfigError([`the row cannot be used: ${error.message}`]);
    }
  }
}

function tellUnused(name: string, columns: readonly string[]): void {
  if (columns.length === 0) return;
  console.error(visible(`note: ${name} has columns that the model does not take: ${columns.join(", ")}`));
}

function tellLacking(line: number, columns: readonly string[]): void {
  if (columns.length === 0) return;
  const names = columns.map(showName).join(", ");
  console.error(`note: stdin:${line} has no ${names}: a cell that a row lacks counts as missing`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The values of an object by their keys without spaces around them, as the columns of files are; none if it is no object.
 *
 * @throws {TypeError} If a key is there twice.
 */
function cellsOf(value: unknown): Map<string, unknown> {
  const cells = new Map<string, unknown>();
  for (const [key, cell] of isObject(value) ? Object.entries(value) : []) {
    const name = key.trim();
    if (cells.has(name)) throw new TypeError(repetition(name));
    cells.set(name, cell);
  }
  return cells;
}

function rowOf(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof TypeError) throw new ConfigError([`--row is ${text}: ${error.message}`]);
    if (!(error instanceof SyntaxError)) throw error;
    throw new ConfigError([`--row is ${text}: allowed is JSON by column, such as '{"x": 3}'${jsonHint(text)}`]);
  }
}

/** Whether a word of the command line is a cell by its column. */
export function isPair(word: string): boolean {
  return word.includes("=");
}

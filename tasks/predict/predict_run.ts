/** Predictions of a trained run, in raw units or classes. */

import { stringify } from "@std/csv";
import { CellError, parseNumber } from "../../lib/data/cells.ts";
import { Device } from "../../lib/gpu/device.ts";
import { DataError } from "../../lib/base/errors.ts";
import { writeFully } from "../../lib/base/files.ts";
import {
  type ClassPrediction,
  type Prediction,
  type Row,
  RowEncoder,
  toPredictions,
} from "../../lib/model_file/load_model.ts";
import { printable } from "../../lib/base/printable.ts";
import type { SavedModel } from "../../lib/model_file/saved_model.ts";
import { TableEncoder } from "../../lib/data/table_encoder.ts";
import { targetNames } from "../../lib/data/table_json.ts";
import { ConfigError, type TaskConfig } from "../settings/config.ts";
import { type JsonLine, jsonLines } from "./json_lines.ts";
import { checkOutput } from "./check_output.ts";
import { fileRecords, loadRun } from "../runs/saved_run.ts";
import { fromUsersFolder, writeAside } from "../settings/users_files.ts";

/** Takes text of the answers. */
type Sink = (text: string) => Promise<void>;

/** Rows as they were given and as the network takes them. */
interface Block {
  /** Cells of the input columns of each row; none if answers do not repeat them. */
  cells: string[][];
  /** Network inputs [rows, features] in raw units. */
  inputs: Float64Array;
}

/** The rows to predict from, and whether they are answered in JSON. */
interface Question {
  blocks: (model: SavedModel) => Iterable<Block> | AsyncIterable<Block>;
  isJson: boolean;
}

export async function main(config: TaskConfig): Promise<void> {
  const input = config.input === undefined || config.input === "-" ? config.input : fromUsersFolder(config.input);
  const output = config.output === undefined ? undefined : fromUsersFolder(config.output);
  const question = await questionOf(config, input);
  if (input !== undefined && output !== undefined) await checkOutput(["--input", input], ["--output", output]);
  using device = await Device.request({ smallDispatches: input === undefined || input === "-" });
  using model = await loadRun(device, config.runName);
  if (output === undefined) {
    const isTerminal = Deno.stdout.isTerminal();
    const encoder = new TextEncoder();
    await predictAll(model, question, (text) => writeFully(Deno.stdout, encoder.encode(forStdout(text, isTerminal))));
  } else {
    const rows = await writeAside(output, (sink) => predictAll(model, question, sink));
    console.log(`wrote ${output}: ${rows} predictions`);
  }
}

/** Answers as they are printed: a file gets the names as they are, but a terminal would obey control characters in them. */
export function forStdout(text: string, isTerminal: boolean): string {
  return isTerminal ? printable(text, "\r\n") : text;
}

/** The one thing that the command line names to predict from; if there is none, stdin. */
async function questionOf({ words, extras: { ROW: row } }: TaskConfig, input?: string): Promise<Question> {
  const given = [
    ...(words.length === 0 ? [] : [`there are ${words.some(isPair) ? "cells" : "numbers"} (${words.join(" ")})`]),
    ...(input === undefined ? [] : [`--input ${input}`]),
    ...(row === undefined ? [] : ["--row"]),
  ];
  if (given.length > 1) throw new ConfigError([`${given.join(" and ")}: give one of them`]);
  if (row !== undefined) return { blocks: (model) => [rowOf(parseRow(row), model)], isJson: true };
  if (words.some(isPair)) return { blocks: (model) => [rowOf(pairsOf(words, model), model)], isJson: false };
  if (words.length > 0) return { blocks: (model) => [rowsOf(words, model)], isJson: false };
  if (input !== undefined && input !== "-") return { blocks: (model) => rowsIn(input, model), isJson: false };
  if (input === "-" || !Deno.stdin.isTerminal()) {
    const lines = jsonLines("stdin", Deno.stdin.readable);
    const first = await lines.next();
    if (!first.done) return { blocks: (model) => rowsFrom(first.value, lines, model), isJson: true };
  }
  const ways = "give numbers or column=cell on the command line, --row, --input file.csv, or JSON lines on stdin";
  throw new ConfigError([`nothing to predict from: ${ways}`]);
}

/** Whether a word of the command line is a cell by its column. */
function isPair(word: string): boolean {
  return word.includes("=");
}

function pairsOf(words: readonly string[], { description: { table: { inputs } } }: SavedModel): Row {
  const faults: string[] = [];
  const row: Record<string, string> = {};
  for (const word of words) {
    // A column's own name may hold the sign.
    const names = inputs.map(({ name }) => name).filter((name) => word.startsWith(`${name}=`));
    const name = names.reduce((long, name) => name.length > long.length ? name : long, word.split("=", 1)[0]);
    if (!isPair(word)) faults.push(`${JSON.stringify(word)} is no cell: write column=cell, as for the others`);
    else if (Object.hasOwn(row, name)) faults.push(`column ${JSON.stringify(name)} is there twice`);
    else row[name] = word.slice(name.length + 1);
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return row;
}

function parseRow(text: string): Row {
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigError([`--row is ${text}: allowed is JSON by column, such as '{"x": 3}'`]);
  }
}

/** A row of the command line. */
function rowOf(row: Row, { description: { table } }: SavedModel): Block {
  try {
    const inputs = new RowEncoder(table).encodeRow(row);
    return { cells: [table.inputs.map(({ name }) => `${row[name] ?? ""}`.trim())], inputs };
  } catch (error) {
    if (!(error instanceof CellError || error instanceof TypeError)) throw error;
    throw new ConfigError([`the row cannot be used: ${error.message}`]);
  }
}

/** The numbers of the command line as rows. */
function rowsOf(numbers: readonly string[], { description: { table } }: SavedModel): Block {
  const names = table.inputs.map(({ name }) => name);
  const width = names.length;
  if (table.inputs.some(({ kind }) => kind !== "numeric")) {
    throw new ConfigError([`the columns are not all numbers: write ${names.map((name) => `${name}=...`).join(" ")}`]);
  }
  const faults: string[] = [];
  const values = Float64Array.from(numbers, (text) => {
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
  const cells: string[][] = [];
  for (let at = 0; at < values.length; at += width) cells.push(Array.from(values.subarray(at, at + width), String));
  return { cells, inputs: values };
}

async function* rowsIn(path: string, { description: { table } }: SavedModel): AsyncGenerator<Block> {
  const encoder = new TableEncoder(table);
  const width = encoder.names.length;
  const wanted = table.inputs.map(({ name }) => name);
  const known = new Set([...wanted, ...targetNames(table.target)]);
  const tellUnused = (columns: readonly string[]) => {
    const unused = columns.filter((name) => !known.has(name));
    if (unused.length > 0) {
      console.error(printable(`note: ${path} has columns that the model does not take: ${unused.join(", ")}`));
    }
  };
  for await (const records of fileRecords(path, wanted, tellUnused)) {
    const inputs = new Float64Array(records.length * width);
    records.forEach(({ cells, placed }, i) => {
      try {
        encoder.encode(cells, inputs, i * width);
      } catch (error) {
        throw placed(error);
      }
    });
    yield { cells: records.map(({ cells }) => cells.map((cell) => cell.trim())), inputs };
  }
}

async function* rowsFrom(
  first: JsonLine[],
  others: AsyncIterable<JsonLine[]>,
  { description: { table } }: SavedModel,
): AsyncGenerator<Block> {
  const encoder = new RowEncoder(table);
  const encode = function* (lines: JsonLine[]): Generator<Block> {
    const inputs: number[] = [];
    let fault: DataError | undefined;
    for (const { value, line } of lines) {
      try {
        for (const number of encoder.encodeRow(value as Row)) inputs.push(number);
      } catch (error) {
        if (!(error instanceof CellError || error instanceof TypeError)) throw error;
        fault = new DataError(error.message, { file: "stdin", line }, { cause: error });
        break;
      }
    }
    if (inputs.length > 0) yield { cells: [], inputs: Float64Array.from(inputs) };
    if (fault) throw fault;
  };
  yield* encode(first);
  for await (const lines of others) yield* encode(lines);
}

/** Writes a line per row: in CSV its inputs and predictions, after a header. Returns the number of rows. */
async function predictAll(model: SavedModel, { blocks, isJson }: Question, sink: Sink): Promise<number> {
  const { description } = model;
  const { table: { inputs }, targets } = description;
  let rows = 0;
  let header = [[...inputs.map(({ name }) => name), ...answerNames(model)]];
  for await (const block of blocks(model)) {
    const answers = toPredictions(await model.predict(block.inputs, rows + 1), description);
    if (isJson) {
      const lines = answers.map((answer) => {
        const object = typeof answer === "number" ? { [targets[0]]: answer } : answer;
        return `${printable(JSON.stringify(object, (_, value) => rounded(value)))}\n`;
      });
      await sink(lines.join(""));
    } else {
      const lines = answers.map((answer, i) => [...block.cells[i], ...cellsOf(answer, model).map(rounded)]);
      await sink(stringify([...header, ...lines]));
    }
    header = [];
    rows += answers.length;
  }
  return rows;
}

/** A number without more digits than float32 carries; anything else as it is. */
function rounded<T>(value: T): T | number {
  return typeof value === "number" ? +value.toPrecision(7) : value;
}

/** Names of the columns of answers. */
function answerNames({ description: { table: { target } } }: SavedModel): string[] {
  if (target.kind === "numeric") return target.names.map((name) => `predicted_${name}`);
  return [`predicted_${target.name}`, ...target.classes.map((name) => `probability_${name}`)];
}

/** An answer as cells, in the order of the names: an object puts names that are whole numbers first. */
function cellsOf(answer: Prediction, { description: { table: { target } } }: SavedModel): (string | number)[] {
  if (typeof answer === "number") return [answer];
  if (target.kind === "numeric") return target.names.map((name) => (answer as Record<string, number>)[name]);
  const { class: predicted, probabilities } = answer as ClassPrediction;
  return [predicted, ...target.classes.map((name) => probabilities[name])];
}

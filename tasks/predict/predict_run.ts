/** Predictions of a trained run, in raw units or classes. */

import { writeFully } from "../../lib/base/files.ts";
import { printable } from "../../lib/base/printable.ts";
import type { TextBlock } from "../../lib/data/csv_text.ts";
import { utf8Pieces } from "../../lib/formats/byte_source.ts";
import type { Intervals } from "../../lib/model_file/intervals.ts";
import type { ModelDescription, SavedModel } from "../../lib/model_file/saved_model.ts";
import { checkOutput } from "../runs/outputs.ts";
import { loadRun } from "../runs/saved_run.ts";
import { askedThreshold } from "../runs/threshold.ts";
import { requestMeasured } from "../settings/adapters.ts";
import { ConfigError, type TaskConfig } from "../settings/config.ts";
import { COLUMNS } from "../settings/readers.ts";
import { fromUsersFolder, streamAt, tellWritten, writeAside } from "../settings/users_files.ts";
import { Answers } from "../runs/answers.ts";
import { type Block, isPair, Rows } from "./rows.ts";
import { firstRecords, isCsv, lineBlocks } from "./stdin_text.ts";
import { intervalsOf } from "./intervals.ts";
import { tellUnseen } from "./unseen.ts";

/** Takes text of the answers. */
type Sink = (text: string) => Promise<void>;

/** The rows to predict from, and whether they are answered in JSON. */
interface Question {
  blocks: Iterable<Block> | AsyncIterable<Block>;
  isJson: boolean;
}

/** Where rows come from, for messages, and the question once the model is known. */
interface Asked {
  source: string;
  question: (rows: Rows) => Question;
}

export async function main(config: TaskConfig): Promise<void> {
  const input = config.input === undefined || config.input === "-" ? config.input : fromUsersFolder(config.input);
  const named = fromUsersFolder(config.output);
  const output = named !== undefined && streamAt(named) === Deno.stdout ? undefined : named;
  const asked = await askedOf(config, input);
  if (output !== undefined) {
    const reads = input === undefined ? undefined : ["--input", input] as const;
    await checkOutput(config.runName, ["--output", output], { reads });
  }
  using device = await requestMeasured({ smallDispatches: input === undefined || input === "-" });
  using model = await loadRun(device, config.runName);
  const intervals = intervalsOf(model, config.extras.INTERVAL);
  const rows = new Rows(model.description, COLUMNS.parse(config.extras.KEEP ?? "") ?? []);
  const threshold = await askedThreshold(config.extras.THRESHOLD, config.runName, model, config.given.THRESHOLD);
  const description = { ...model.description, output: { ...model.description.output, threshold } };
  if (output === undefined) {
    const isTerminal = Deno.stdout.isTerminal();
    const encoder = new TextEncoder();
    const sink: Sink = (text) => writeFully(Deno.stdout, encoder.encode(forStdout(text, isTerminal)));
    await predictAll(model, description, intervals, rows, asked, sink);
  } else {
    const answer = (sink: Sink) => predictAll(model, description, intervals, rows, asked, sink);
    const count = await writeAside(output, answer);
    tellWritten(output, `wrote ${output}: ${count} predictions`);
  }
}

/** Answers as they are printed: a file gets the names as they are, but a terminal would obey control characters in them. */
export function forStdout(text: string, isTerminal: boolean): string {
  return isTerminal ? printable(text, "\r\n") : text;
}

/** The one thing that the command line names to predict from; if there is none, stdin. */
async function askedOf({ words, extras: { ROW: row } }: TaskConfig, input?: string): Promise<Asked> {
  const given = [
    ...(words.length === 0 ? [] : [`there are ${words.some(isPair) ? "cells" : "numbers"} (${words.join(" ")})`]),
    ...(input === undefined ? [] : [`--input ${input}`]),
    ...(row === undefined ? [] : ["--row"]),
  ];
  if (given.length > 1) throw new ConfigError([`${given.join(" and ")}: give one of them`]);
  const source = "the command line";
  if (row !== undefined) return { source, question: (rows) => ({ blocks: [rows.ofJson(row)], isJson: true }) };
  if (words.length > 0) {
    const block = (rows: Rows) => words.some(isPair) ? rows.ofWords(words) : rows.ofNumbers(words);
    return { source, question: (rows) => ({ blocks: [block(rows)], isJson: false }) };
  }
  if (input !== undefined && input !== "-") {
    return { source: input, question: (rows) => ({ blocks: rows.ofFile(input), isJson: false }) };
  }
  const ways = "give numbers or column=cell on the command line, --row, --input file.csv, or rows on stdin: " +
    "JSON lines, or CSV with a header";
  if (input !== "-" && Deno.stdin.isTerminal()) throw new ConfigError([`nothing to predict from: ${ways}`]);
  const pieces = utf8Pieces(Deno.stdin.readable, "stdin", "name the file with --input");
  const blocks = lineBlocks("stdin", pieces);
  const first = await firstRecords(blocks);
  if (!first) throw new ConfigError([`nothing to predict from: stdin is empty; ${ways}`]);
  const all = chained(first, blocks);
  const question = (rows: Rows): Question =>
    isCsv(first, rows.inputs)
      ? { blocks: rows.ofFile(all), isJson: false }
      : { blocks: rows.ofJsonLines(all), isJson: true };
  return { source: "stdin", question };
}

async function* chained(first: TextBlock, others: AsyncIterable<TextBlock>): AsyncGenerator<TextBlock> {
  yield first;
  yield* others;
}

/** Writes a line per row, and says which names training did not see. Returns the number of rows. */
async function predictAll(
  model: SavedModel,
  description: ModelDescription,
  intervals: Intervals | undefined,
  rows: Rows,
  { source, question }: Asked,
  sink: Sink,
): Promise<number> {
  const { blocks, isJson } = question(rows);
  const answers = new Answers(description, isJson ? rows.kept : rows.columns, isJson, intervals);
  let count = 0;
  try {
    for await (const block of blocks) {
      const answered = await model.predictEach(block.inputs, count + 1);
      await sink(answers.write(block, answered));
      count += answered.predicted.length / model.description.targets.length;
    }
  } finally {
    // Also if a row cannot be used, where those before it are answered.
    if (count > 0) tellUnseen(source, rows.unseen);
  }
  return count;
}

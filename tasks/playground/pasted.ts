/** A CSV text that was pasted, as rows to train on. */

import { CellError } from "../../lib/data/cells.ts";
import { parseRecords } from "../../lib/data/csv_parse.ts";
import { DataError } from "../../lib/base/errors.ts";
import { targetForm } from "../../lib/model_file/metadata.ts";
import { encodedNames, type Table, type Target } from "../../lib/data/table.ts";
import { TableEncoder, TargetEncoder } from "../../lib/data/table_encoder.ts";
import { ColumnProfile } from "../../lib/data/table_profile.ts";
import { CategoricalFit, NumericFit, TargetFit } from "../prepare/table_fit.ts";
import type { LossName, Rows } from "./datasets.ts";

const NAME = "the pasted CSV";

/** The most rows: the page draws them all. */
const MAX_ROWS = 20_000;

/** The most classes: each has an output and a colour. */
const MAX_CLASSES = 8;

/** The rows of a text, and what was left out. */
interface Pasted {
  readonly rows: Rows;
  /** Useless columns, each with the reason. */
  readonly leftOut: readonly string[];
}

interface Cells {
  readonly columns: readonly string[];
  readonly records: readonly (readonly string[])[];
  readonly lineOf: (row: number) => number;
}

export async function columnsOf(text: string): Promise<readonly string[]> {
  return await read(text).then(({ columns }) => columns, () => []);
}

/**
 * Reads a text. A column of numbers is used as it is, any other as categories. A target of numbers with more than two values
 * is predicted as a number, any other as classes.
 *
 * @throws {DataError} If it is not CSV, too long, or has nothing to learn from.
 */
export async function parsePasted(text: string, target?: string): Promise<Pasted> {
  const cells = await read(text);
  const { columns, records } = cells;
  const at = target === undefined ? columns.length - 1 : columns.indexOf(target);
  if (at === -1) throw new DataError(`there is no column ${JSON.stringify(target)}`, { file: NAME });
  if (records.length < 5) {
    throw new DataError(`${records.length} rows are too few: at least 5 are needed`, { file: NAME });
  }
  const profiles = columns.map((name, place) => profileOf(name, records, place));
  const kept = profiles.map((profile, place) => ({ ...lookOf(profile), place })).filter(({ place }) => place !== at);
  const used = kept.filter(({ reason }) => reason === undefined);
  if (used.length === 0) throw new DataError("no column is left to predict from", { file: NAME });
  const output = asData(() => targetOf(profiles[at], records, at), columns[at]);
  const fits = used.map(({ place, look }) => {
    const fit = look === "numeric"
      ? new NumericFit(columns[place], "mean", 0)
      : new CategoricalFit(columns[place], "mean");
    for (const record of records) fit.add(record[place]);
    return fit.result().column;
  });
  const table: Table = { inputs: fits, target: output.target, missing: "mean" };
  const places = used.map(({ place }) => place);
  return {
    rows: { table, loss: output.loss, ...encode(cells, table, output.loss, places, at) },
    leftOut: kept.filter(({ reason }) => reason !== undefined).map(({ place, reason }) =>
      `${columns[place]} (${reason})`
    ),
  };
}

async function read(text: string): Promise<Cells> {
  const records: (readonly string[])[] = [];
  let columns: readonly string[] = [];
  let lineOf = (_row: number) => 0;
  for await (const block of parseRecords(text.replace(/^\ufeff/, ""), { name: NAME })) {
    columns = block.columns;
    lineOf = block.lineOf;
    records.push(...block.records);
    if (records.length > MAX_ROWS) {
      const advice = `at most ${MAX_ROWS} are possible here; \`deno task train --data\` takes any number`;
      throw new DataError(`${records.length} rows, ${advice}`, { file: NAME });
    }
  }
  if (columns.length < 2) {
    throw new DataError("one column: need at least two, inputs and a target", { file: NAME });
  }
  return { columns, records, lineOf };
}

function profileOf(name: string, records: Cells["records"], place: number): ColumnProfile {
  const profile = new ColumnProfile(name);
  records.forEach((record, row) => profile.add(record[place], row));
  return profile;
}

function lookOf({ look }: ColumnProfile): { look: string; reason?: string } {
  if (look === "constant") return { look, reason: "only one value" };
  if (look === "identifier") return { look, reason: "it identifies the rows" };
  return look === "mixed" ? { look, reason: "numbers and texts mixed" } : { look };
}

/** Numbers with more than two values are predicted as numbers, all else as classes. */
function targetOf(
  profile: ColumnProfile,
  records: Cells["records"],
  place: number,
): { target: Target; loss: LossName } {
  const isNumber = profile.texts === 0 && (profile.values?.length ?? Infinity) > 2;
  const fit = new TargetFit([profile.name], isNumber ? "numeric" : "classes");
  for (const record of records) if (!isNumber || record[place].trim() !== "") fit.add([record[place]]);
  const { target } = fit.result();
  if (target.kind === "numeric") return { target, loss: "mse" };
  if (target.classes.length > MAX_CLASSES) {
    throw new RangeError(`${target.classes.length} classes, at most ${MAX_CLASSES} are possible here`);
  }
  return { target, loss: target.classes.length === 2 ? "bce" : "softmax" };
}

function encode(
  { records, lineOf }: Cells,
  table: Table,
  loss: LossName,
  places: readonly number[],
  target: number,
): Pick<Rows, "x" | "y" | "isOneHot"> {
  const inputs = new TableEncoder(table);
  const outputs = new TargetEncoder(table.target, targetForm(table.target, loss));
  const x = new Float64Array(records.length * inputs.names.length);
  const y = new Float64Array(records.length * outputs.names.length);
  records.forEach((record, row) => {
    try {
      inputs.encode(places.map((place) => record[place]), x, row * inputs.names.length);
      outputs.encode([record[target]], y, row * outputs.names.length);
    } catch (error) {
      if (!(error instanceof CellError)) throw error;
      throw new DataError(error.problem, { file: NAME, line: lineOf(row), column: error.column }, { cause: error });
    }
  });
  const isOneHot = table.inputs.flatMap((column) => encodedNames([column]).map(() => column.kind === "categorical"));
  return { x, y, isOneHot };
}

function asData<T>(work: () => T, column: string): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new DataError(error.message, { file: NAME, column }, { cause: error });
  }
}

/** A CSV text that was pasted, as rows to train on. */

import { CellError, MISSING_TEXTS, showCell } from "../../lib/data/cells.ts";
import { parseRecords } from "../../lib/data/csv_parse.ts";
import { DataError } from "../../lib/base/errors.ts";
import { targetForm } from "../../lib/model_file/metadata.ts";
import { visible } from "../../lib/base/printable.ts";
import { type InputColumn, nameRows, type Table, type Target } from "../../lib/data/table.ts";
import { targetNames } from "../../lib/data/table_json.ts";
import type { TableNotes } from "../../lib/data/table_notes.ts";
import { TableEncoder, TargetEncoder } from "../../lib/data/table_encoder.ts";
import type { ColumnLook } from "../../lib/data/column_kinds.ts";
import { ColumnProfile } from "../../lib/data/table_profile.ts";
import { fitOf, type FitSettings } from "../prepare/table_fit.ts";
import { TargetFit } from "../prepare/target_fit.ts";
import type { LossName, Rows } from "./datasets.ts";

const NAME = "the pasted CSV";

/** The most rows: the page draws them all. */
const MAX_ROWS = 20_000;

/** The most classes: each has an output and a colour. */
const MAX_CLASSES = 8;

/** How columns are fitted: missing cells are filled, rare names share an input. */
const FITTING: FitSettings = { missing: "mean", missingTexts: [...MISSING_TEXTS], maxCategories: 100, seed: 0 };

interface Cells {
  readonly columns: readonly string[];
  readonly records: readonly (readonly string[])[];
  readonly lineOf: (row: number) => number;
}

/** Looks of a target that may be numbers or classes: a person has to say. */
const UNCLEAR: readonly ColumnLook[] = ["mixed", "placeholders"];

/** A column, and why it is of no use if it is not. */
interface Look {
  readonly place: number;
  readonly profile: ColumnProfile;
  readonly reason?: string;
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
export async function parsePasted(text: string, target?: string): Promise<Rows> {
  const cells = await read(text);
  const { columns, records } = cells;
  const at = target === undefined ? columns.length - 1 : columns.indexOf(target);
  if (at === -1) throw new DataError(`there is no column ${JSON.stringify(target)}`, { file: NAME });
  if (records.length < 5) {
    throw new DataError(`${records.length} rows are too few: at least 5 are needed`, { file: NAME });
  }
  const looks = columns.map((name, place) => ({ place, ...lookOf(profileOf(name, records, place)) }));
  const used = looks.filter(({ place, reason }) => place !== at && reason === undefined);
  if (used.length === 0) throw new DataError("no column is left to predict from", { file: NAME });
  if (UNCLEAR.includes(looks[at].profile.look)) {
    throw new DataError(looks[at].reason!, { file: NAME, column: columns[at] });
  }
  const { target: output, loss } = asData(() => targetOf(looks[at].profile, records, at), columns[at]);
  const fitted = used.map(({ profile: { name, look }, place }) => {
    const fit = fitOf({ name, kind: look === "numeric" ? "numeric" : "categorical" }, FITTING);
    for (const record of records) fit.add(record[place]);
    return fit.result();
  });
  const inputs = fitted.map(({ column }) => column);
  const table: Table = { inputs, target: output, missing: "mean" };
  const { x, y } = encode(cells, table, loss, used.map(({ place }) => place), at);
  return {
    ...expand(table, x),
    y,
    loss,
    notes: { columns: notesOf(looks, table), notes: fitted.flatMap(({ notes }) => notes) },
  };
}

/** What each column is taken as. */
function notesOf(looks: readonly Look[], { inputs, target }: Table): TableNotes["columns"] {
  const taken = new Map(inputs.map((column) => [column.name, column]));
  return looks.map(({ profile: { name, missing, range, values = [] }, reason }) => {
    const column = taken.get(name);
    const isTarget = targetNames(target).includes(name);
    if (!column && !isTarget) return { name, as: "left out", holds: reason!, missing };
    const as = column?.kind ?? (target.kind === "numeric" ? "target" : "classes");
    const isNumber = as === "numeric" || as === "target";
    return { name, as, holds: isNumber ? `${range.min} to ${range.max}` : values.slice(0, 6).join(", "), missing };
  });
}

/** What to know of a table, as sentences. */
export function notesText({ columns, notes }: TableNotes): string {
  const leftOut = columns.filter(({ as }) => as === "left out").map(({ name, holds }) => `${name} (${holds})`);
  return [...leftOut.length > 0 ? [`Left out: ${leftOut.join(", ")}`] : [], ...notes]
    .map((text) => `${visible(text)}.`).join(" ");
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

function lookOf(profile: ColumnProfile): Omit<Look, "place"> {
  const { look, missing, placeholders } = profile;
  const such = (text: string | undefined) => text === undefined ? "" : `, such as ${showCell(text)}`;
  const reasons: Partial<Record<ColumnLook, string>> = {
    constant: missing > 0 ? "only one value, or missing" : "only one value",
    identifier: "it identifies the rows",
    prose: "its texts are too long or too many",
    placeholders: `its numbers have placeholders among them${such(placeholders.keys().next().value)}`,
    date: "dates: only `deno task train` takes them",
    "other dates": "dates: only `deno task train` takes them",
    mixed: `numbers and other texts${such(profile.firstBut("number")?.text)}`,
  };
  return { profile, reason: reasons[look] };
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
): Pick<Rows, "x" | "y"> {
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
  return { x, y };
}

/** The plain network of this page takes a number for each category, 1 for the row's own: columns of numbers, as all others. */
function expand(table: Table, encoded: Float64Array): Pick<Rows, "table" | "x" | "isOneHot"> {
  const widths = table.inputs.map((column) => column.kind === "categorical" ? nameRows(column) : 1);
  const width = widths.reduce((sum, one) => sum + one, 0);
  const rows = encoded.length / widths.length;
  const x = new Float64Array(rows * width);
  for (let row = 0; row < rows; row++) {
    let place = row * width;
    table.inputs.forEach(({ kind }, i) => {
      const value = encoded[row * widths.length + i];
      if (kind === "categorical") x[place + value] = 1;
      else x[place] = value;
      place += widths[i];
    });
  }
  const inputs = table.inputs.flatMap((column): InputColumn[] => {
    if (column.kind !== "categorical") return [column];
    const names = [...column.categories, "(other)"].slice(0, nameRows(column));
    return names.map((name) => ({ kind: "numeric", name: `${column.name}=${name}` }));
  });
  const isOneHot = table.inputs.flatMap(({ kind }, i) => new Array<boolean>(widths[i]).fill(kind === "categorical"));
  return { table: { ...table, inputs }, x, isOneHot };
}

function asData<T>(work: () => T, column: string): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new DataError(error.message, { file: NAME, column }, { cause: error });
  }
}

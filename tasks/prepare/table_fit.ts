/** What is learned from the training rows of a table's inputs: fill values, categories and statistics. */

import { isMissing } from "../../lib/data/cells.ts";
import { DATE_PARTS, formatDate } from "../../lib/data/dates.ts";
import { shorten } from "../../lib/base/printable.ts";
import { type ColumnStatistics, isSame, QUANTILE_PARTS, RunningStatistics } from "../../lib/data/statistics.ts";
import type { CategoricalColumn, DateColumn, InputColumn } from "../../lib/data/table.ts";
import { encodedNames, MISSING_CATEGORY, nameRows } from "../../lib/data/table.ts";
import { encodeDate, numberReader, TableEncoder } from "../../lib/data/table_encoder.ts";
import type { Config } from "../settings/settings.ts";
import { formatNear } from "../show/text_table.ts";
import { filledCells, FillValue, isFilling } from "./fill_value.ts";
import { countOf, type NameCount, NameCounts } from "./name_counts.ts";
import type { PlannedInput } from "./table_plan.ts";
import { ValueSample } from "./value_sample.ts";

/** Names beyond the most frequent that are kept, so that predicting can tell them from names never seen. */
const MAX_OTHERS = 65_536;

/** Sines and cosines that differ by less are of the same time: days hold times to some 1e-11 of a day. */
const SAME_ANGLE = 1e-9;

/** The settings that a fit depends on. */
export type FitSettings = Pick<Config, "missing" | "missingTexts" | "maxCategories" | "seed">;

/** A fitted column. */
interface FittedColumn {
  column: InputColumn;
  /** Of the numbers that it is encoded as; none if no training row has a value. */
  statistics: ColumnStatistics[];
  /** What all training rows hold, if that is the same: the column says nothing. */
  constant?: string;
  /** What was filled in or merged, a sentence each. */
  notes: string[];
}

/** Gathers one column, cell by cell. */
export interface ColumnFit {
  /** Adds the cell of a training row. */
  add(cell: string): void;
  /** Adds the cell of a validation or test row. Nothing is learned from it, but what becomes of it is told. */
  addOther(cell: string): void;
  result(): FittedColumn;
}

/** The fit of an input column; of its values at most `sampleSize` are kept. */
export function fitOf(input: PlannedInput, settings: FitSettings, sampleSize?: number): ColumnFit {
  const { name, kind } = input;
  if (kind === "categorical") return new CategoricalFit(name, settings);
  const fill = new FillValue(settings.missing, new ValueSample(name, settings.seed, sampleSize));
  return kind === "numeric" ? new NumericFit(name, settings, fill) : new DateFit(input, settings, fill);
}

/** A column of numbers. Its statistics are those of the filled column. */
class NumericFit implements ColumnFit {
  readonly #name: string;
  readonly #read: (cell: string) => number;
  readonly #fill: FillValue;
  readonly #statistics: RunningStatistics;

  constructor(name: string, { missingTexts }: FitSettings, fill: FillValue) {
    this.#name = name;
    this.#read = numberReader(missingTexts);
    this.#fill = fill;
    this.#statistics = new RunningStatistics([name]);
  }

  add(cell: string): void {
    const value = this.#read(cell);
    if (Number.isNaN(value)) { // it is missing: texts were refused before
      this.#fill.missingRows++;
      return;
    }
    this.#statistics.add([value]);
    this.#fill.add(value);
  }

  addOther(cell: string): void {
    if (Number.isNaN(this.#read(cell))) this.#fill.missingOthers++;
  }

  result(): FittedColumn {
    const column = { kind: "numeric", name: this.#name } as const;
    const { count } = this.#statistics;
    const missing = this.#fill.missingRows;
    if (count === 0) return { column, statistics: [], constant: constantText([], count, missing), notes: [] };
    const [statistics] = this.#statistics.result();
    const { min, max, mean } = statistics;
    const constant = isSame(statistics) ? constantText([...new Set([`${min}`, `${max}`])], count, missing) : undefined;
    const fill = this.#fill.result(mean);
    return {
      column: fill === undefined ? column : { ...column, fill },
      statistics: [this.#fill.filled(statistics, count, fill)],
      constant,
      notes: fill === undefined ? [] : this.#fill.note(this.#name, formatNear(fill, max - min)),
    };
  }
}

/** A column of dates. */
class DateFit implements ColumnFit {
  /** With all parts, in days since 1970. */
  readonly #column: DateColumn;
  readonly #encoder: TableEncoder;
  readonly #missingTexts: readonly string[];
  readonly #fill: FillValue;
  readonly #statistics: RunningStatistics;
  readonly #values: Float64Array;

  constructor({ name, format }: PlannedInput, { missingTexts }: FitSettings, fill: FillValue) {
    const written = format === undefined ? {} : { format };
    this.#column = { kind: "date", name, ...written, origin: 0, parts: DATE_PARTS };
    this.#encoder = new TableEncoder({ inputs: [this.#column], missingTexts });
    this.#missingTexts = missingTexts;
    this.#fill = fill;
    this.#statistics = new RunningStatistics(this.#encoder.names);
    this.#values = new Float64Array(this.#encoder.names.length);
  }

  add(cell: string): void {
    if (isMissing(cell, this.#missingTexts)) {
      this.#fill.missingRows++;
      return;
    }
    this.#encoder.encode([cell], this.#values, 0);
    this.#statistics.add(this.#values);
    this.#fill.add(this.#values[0]);
  }

  addOther(cell: string): void {
    if (isMissing(cell, this.#missingTexts)) this.#fill.missingOthers++;
  }

  result(): FittedColumn {
    const { name } = this.#column;
    const { count } = this.#statistics;
    const missing = this.#fill.missingRows;
    if (count === 0) {
      return { column: this.#column, statistics: [], constant: constantText([], count, missing), notes: [] };
    }
    const byName = new Map(this.#statistics.result().map((statistics) => [statistics.name, statistics]));
    const days = byName.get(`${name} (days)`)!;
    const origin = days.mean;
    const parts = DATE_PARTS.filter((part) =>
      part === "year"
        ? !isSame(byName.get(`${name} (year)`)!)
        : ["sin", "cos"].some((side) => !isSameAngle(byName.get(`${name} (${part} ${side})`)!))
    );
    // Dates without a time are filled with one.
    const middle = this.#fill.result(origin);
    const fill = middle === undefined || parts.includes("hour") ? middle : Math.round(middle);
    const column: DateColumn = { ...this.#column, origin, parts, ...(fill === undefined ? {} : { fill }) };
    const names = encodedNames([column]);
    const numbers = new Float64Array(names.length);
    const statistics = names.map((encoded, i): ColumnStatistics => {
      const found = byName.get(encoded)!;
      // A sine of months 0 and 6 is 0 but for rounding, which scaling must not blow up.
      if (found !== days && isSameAngle(found)) return unscaledStatistics(encoded);
      const shifted = { ...days, min: days.min - origin, max: days.max - origin, mean: 0 };
      const encode = (value: number) => {
        encodeDate(column, value, numbers, 0);
        return numbers[i];
      };
      const own = found === days ? shifted : found;
      // Else the quartiles of equal times would differ by rounding.
      const rounded = (value: number) =>
        Math.min(own.max, Math.max(own.min, Math.round(encode(value) / SAME_ANGLE) * SAME_ANGLE));
      return this.#fill.filled(own, count, fill === undefined ? undefined : encode(fill), rounded);
    });
    return {
      column,
      statistics,
      constant: isSame(days) ? constantText([formatDate(days.min)], count, missing) : undefined,
      notes: fill === undefined ? [] : this.#fill.note(name, formatDate(fill)),
    };
  }
}

/** A column of categories: the most frequent names have a number each. */
class CategoricalFit implements ColumnFit {
  readonly #name: string;
  readonly #settings: FitSettings;
  readonly #names = new NameCounts();
  #missingRows = 0;
  #missingOthers = 0;

  constructor(name: string, settings: FitSettings) {
    this.#name = name;
    this.#settings = settings;
  }

  add(cell: string): void {
    if (!isMissing(cell, this.#settings.missingTexts)) {
      this.#names.add(cell.trim());
      return;
    }
    this.#missingRows++;
    if (this.#settings.missing === "category") this.#names.add(MISSING_CATEGORY);
  }

  addOther(cell: string): void {
    if (!isMissing(cell, this.#settings.missingTexts)) {
      this.#names.addOther(cell.trim());
      return;
    }
    this.#missingOthers++;
    if (this.#settings.missing === "category") this.#names.addOther(MISSING_CATEGORY);
  }

  result(): FittedColumn {
    const { missing, maxCategories } = this.#settings;
    const names = this.#names.sorted();
    // The sort is stable: names of the same count stay in order.
    const byCount = names.toSorted((a, b) => b.rows - a.rows);
    const frequent = new Set(byCount.slice(0, maxCategories));
    const categories = names.filter((name) => frequent.has(name));
    const others = byCount.slice(maxCategories, maxCategories + MAX_OTHERS).map(({ text }) => text);
    // Missing cells are filled with the most frequent name, and count as it.
    const filledRows = missing === "mean" || missing === "median" ? this.#missingRows : 0;
    const total = names.reduce((sum, { rows }) => sum + rows, filledRows);
    const shares = categories.map((name) => (name.rows + (name === byCount[0] ? filledRows : 0)) / total);
    const fill = missing === "category" ? MISSING_CATEGORY : byCount[0]?.text;
    const column: CategoricalColumn = {
      kind: "categorical",
      name: this.#name,
      categories: categories.map(({ text }) => text),
      ...(others.length > 0 ? { others } : { shares }),
      ...(isFilling(missing) && fill !== undefined ? { fill } : {}),
    };
    return {
      column,
      statistics: names.length === 0 ? [] : [codeStatistics(column)],
      constant: this.#constant(names.map(({ text }) => text), total - filledRows),
      notes: this.#notes(names, fill),
    };
  }

  #constant(names: readonly string[], rows: number): string | undefined {
    if (names.length > 1) return undefined;
    const isEmpty = names.length === 0 || names[0] === MISSING_CATEGORY;
    return isEmpty ? constantText([], 0, this.#missingRows) : constantText(names, rows, this.#missingRows);
  }

  #notes(found: readonly NameCount[], fill: string | undefined): string[] {
    const { missing, maxCategories } = this.#settings;
    const name = this.#name;
    const filled = this.#missingRows + this.#missingOthers;
    const names = `${name}: of the ${found.length.toLocaleString("en-US")} names in training rows`;
    const frequent = maxCategories === 1 ? "the most frequent is" : `each of the ${maxCategories} most frequent is`;
    const many = `${names} ${frequent} a category, the others share one (--max-categories)`;
    const isTaken = found.some(({ text, rows }) => text === MISSING_CATEGORY && rows > this.#missingRows);
    const how = missing === "category"
      ? isTaken ? `taken as ${fill}, which other cells hold, too` : `a category of their own, ${fill}`
      : `filled with the most frequent name, ${shorten(fill ?? "")}`;
    return [
      ...(found.length > maxCategories ? [many] : []),
      ...(filled > 0 && isFilling(missing) ? [`${filledCells(name, filled)} ${how}`] : []),
      ...this.#names.mergedNote(name),
      ...this.#names.unseenNote(name),
    ];
  }
}

function isSameAngle({ min, max }: ColumnStatistics): boolean {
  return max - min < SAME_ANGLE;
}

/** Statistics under which no linear scaling method changes a column, and robust scaling none near 0 much. */
function unscaledStatistics(name: string): ColumnStatistics {
  return { name, min: 0, max: 1, mean: 0, deviation: 1, quantiles: new Array(QUANTILE_PARTS + 1).fill(0) };
}

/** Statistics of a column of category numbers: mean and deviation of such numbers would say nothing. */
function codeStatistics(column: CategoricalColumn): ColumnStatistics {
  const names = nameRows(column);
  return { name: column.name, min: 0, max: names - 1, mean: 0, deviation: 1, names };
}

/** What all training rows hold. */
function constantText(values: readonly string[], rows: number, missing: number): string {
  const total = countOf(rows + missing, "training row");
  const all = rows + missing === 1 ? "the only training row" : `all ${total}`;
  if (values.length === 0) return `missing in ${all}`;
  const shown = values.map((value) => shorten(value)).join(" to ");
  const where = missing === 0 ? all : `${rows.toLocaleString("en-US")} of ${total}, missing in the others`;
  return `${shown} in ${where}${values.length > 1 ? ": the same but for rounding" : ""}`;
}

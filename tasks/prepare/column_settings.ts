/** Settings that name columns: whether there are such columns, and whether one is asked for two things. */

import { closest } from "fastest-levenshtein";
import { headerHint } from "../../lib/data/csv_records.ts";
import { ConfigError, type TaskConfig } from "../settings/config.ts";
import { flagOf } from "../settings/settings.ts";
import type { Config, Key } from "../settings/settings.ts";
import { plain, showName, visible } from "../../lib/base/printable.ts";
import { pointTo } from "../settings/faults.ts";
import type { TableLook } from "./table_look.ts";
import { flagFor, listNames } from "./typed_names.ts";

/** The settings, and where they were set, if that is known. */
export type Asked = Config & Partial<Pick<TaskConfig, "given">>;

/** Pairs of settings that may not name the same column. */
const CLASHES = [
  ["TARGET", "FEATURES"],
  ["TARGET", "IGNORE"],
  ["TARGET", "DATES"],
  ["FEATURES", "IGNORE"],
  ["CATEGORICAL", "IGNORE"],
  ["CATEGORICAL", "DATES"],
  ["DATES", "IGNORE"],
  ["TIME_COLUMN", "TARGET"],
] as const;

/**
 * Refuses names that are no columns, and columns that are asked for two things.
 *
 * @throws {ConfigError} With all that is wrong.
 */
export function checkNames(config: Asked, { profiles, separator }: Pick<TableLook, "profiles" | "separator">): void {
  const { target, features, ignore, categorical, dates, timeColumn, given = {} } = config;
  const columns = [...profiles.keys()];
  const faults: string[] = [];
  const hint = headerHint(columns, separator);
  if (target.length === 0) {
    faults.push(`TARGET is not given: say which of the columns is predicted; there are ${listNames(columns)}`);
  }
  const asked = {
    TARGET: target,
    FEATURES: features,
    IGNORE: ignore,
    CATEGORICAL: categorical,
    DATES: dates.map(({ name }) => name),
    TIME_COLUMN: timeColumn === "" ? [] : [timeColumn],
  };
  for (const [key, names] of Object.entries(asked) as [keyof typeof asked, string[]][]) {
    const unknown = names.filter((name) => !columns.includes(name));
    const cut = columnCut(unknown, columns);
    if (cut !== undefined) {
      const said = `${pointTo(key, given[key])} names ${unknown.map(showName).join(" and ")}`;
      faults.push(`${said}: the column ${showName(cut)} has a comma and is quoted: ${flagFor(flagOf(key), cut)}`);
    }
    for (const name of cut === undefined ? unknown : []) {
      const near = columns.length > 1 || plain(columns[0]) === name ? meant(name, columns, key) : "";
      const said = `${pointTo(key, given[key])} names ${showName(name)}, which is no column`;
      faults.push(`${said}: ${near}there are ${listNames(columns)}${hint}`);
    }
  }
  for (const [key, other] of CLASHES) {
    for (const name of asked[key].filter((name) => asked[other].includes(name))) {
      const both = `${pointTo(key, given[key])} and ${pointTo(other, given[other])}`;
      faults.push(`${both} both name ${showName(name)}: take it out of one`);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
}

/** The column whose name was taken for several, as it holds commas. */
function columnCut(names: readonly string[], columns: readonly string[]): string | undefined {
  return columns.find((column) => {
    const pieces = column.split(",").map((piece) => piece.trim());
    return pieces.length > 1 && pieces.length === names.length && pieces.every((piece, i) => piece === names[i]);
  });
}

/** Asks whether a column is meant: one that holds the name, else the one of fewest changes, both in any case. */
function meant(name: string, columns: readonly string[], key: Key): string {
  const lower = columns.map((column) => plain(column).toLowerCase());
  const wanted = plain(name).toLowerCase();
  const holding = lower.filter((column) => column.includes(wanted));
  const column = columns[lower.indexOf(closest(wanted, holding.length > 0 ? holding : lower))];
  // What cannot be seen cannot be typed as it is shown.
  const how = column === visible(column) ? "" : `, which is typed ${flagFor(flagOf(key), column)}`;
  return `did you mean ${showName(column)}${how}? `;
}

/** What is wrong with a column that holds something that it cannot be taken as. */

import { DataError } from "../../lib/base/errors.ts";
import { cellFault, showCell } from "../../lib/data/cells.ts";
import { placesOfRows } from "../../lib/data/csv_records.ts";
import { writtenNumber } from "../../lib/data/odd_cells.ts";
import { dateFault } from "../../lib/data/cell_faults.ts";
import type { ColumnProfile } from "../../lib/data/table_profile.ts";
import type { Config } from "../settings/settings.ts";
import type { TableLook } from "./table_look.ts";
import { flagFor, shellWord } from "./typed_names.ts";

type Settings = Pick<Config, "dates" | "missingTexts">;

/** An infinite number. */
const INFINITE = /inf|∞/i;

/** The cell that shows what is wrong, and what can be done. */
interface Fault {
  row: number;
  /** What is wrong, and what mends it. */
  problem: string;
}

/**
 * Why a column cannot be taken as numbers or dates, with the first cell that shows it and what to do.
 *
 * @param ways What to say where its cells are right as they are: flags.
 */
export async function columnFault(
  profile: ColumnProfile,
  config: Settings,
  look: TableLook,
  ...ways: string[]
): Promise<DataError> {
  const { row, problem } = faultOf(profile, config, look);
  const [place] = await placesOfRows(look.path, [row]);
  return new DataError(`${problem}, or say ${ways.join(" or ")}`, { ...place, column: profile.name });
}

function faultOf(profile: ColumnProfile, config: Settings, look: TableLook): Fault {
  const { name, look: found } = profile;
  const dates = config.dates.find((column) => column.name === name);
  if (found === "placeholders" || profile.count("placeholder") === profile.texts) {
    return placeholderFault(profile, look);
  }
  if (found === "other dates") return dateFormatFault(profile);
  if (profile.isMostlyDates) {
    const { text, row } = profile.firstBut("date")!;
    const problem = dates
      ? `${dateFault(text, dates.format)}; correct it`
      : `${showCell(text)} is no date${countOf(profile.count("date"))}: correct it${missingHint(profile)}`;
    return { row, problem };
  }
  const { text, row } = profile.firstBut("number")!;
  const written = writtenNumber(text);
  const problem = `${cellFault(text)}${countOf(profile.numbers)}`;
  if (!written) return { row, problem: `${problem}: correct it${missingHint(profile)}` };
  if (INFINITE.test(text)) {
    const texts = profile.namesOf("written").filter((name) => INFINITE.test(name));
    const flag = missingTextsFlag(texts.length > 0 ? texts : [text]);
    return { row, problem: `${problem}: give a finite number, or if it means that a value is missing, say ${flag}` };
  }
  const isTime = written.has === "the form of a time";
  const others = otherUnits(profile, written.has);
  const mend = others.length > 0
    ? `others have ${others.join(", ")}: write all as numbers of the same`
    : isTime
    ? "write it as one number, such as minutes"
    : written.plain === undefined
    ? "write it with a point before decimals, without other signs"
    : `write it as ${written.plain}`;
  return { row, problem: `${problem}. It has ${written.has}${others.length > 0 ? ", " : ": "}${mend}` };
}

/** Units and currencies of a column's numbers, besides one of them. */
function otherUnits(profile: ColumnProfile, one: string): string[] {
  const isUnit = (has: string) => /^a (?:unit|currency): /.test(has);
  if (!isUnit(one)) return [];
  const all = profile.namesOf("written", "unit").map((text) => writtenNumber(text)?.has ?? "");
  return [...new Set(all)].filter((has) => isUnit(has) && has !== one).map((has) => has.replace(/^.*: /, ""));
}

/** What to say where a few texts come again and again among numbers or dates. */
function missingHint(profile: ColumnProfile): string {
  const kinds = profile.isMostlyDates ? ["text", "no date"] as const : ["text"] as const;
  const texts = profile.namesOf(...kinds);
  const count = kinds.reduce((sum, kind) => sum + profile.count(kind), 0);
  const isRepeated = texts.length <= 3 && count > texts.length;
  return isRepeated ? `, or if it means that a value is missing, say ${missingTextsFlag(texts)}` : "";
}

/** How many cells of the column are what one of them is not. */
function countOf(count: number): string {
  if (count === 0) return "";
  return count === 1 ? ", and 1 cell of the column is" : `, and ${count} cells of the column are`;
}

function placeholderFault(profile: ColumnProfile, look: TableLook): Fault {
  const holds = profile.isMostlyDates ? ["date", profile.count("date")] as const : ["number", profile.numbers] as const;
  const others = [...profile.placeholders].map(([text, count]) => `${count} ${showCell(text)}`).join(", ");
  const problem = `the column holds ${holds[1]} ${holds[0]}${
    holds[1] === 1 ? "" : "s"
  }, and in place of others ${others}`;
  // The columns of a table that need it are mended at once, and what is missing now stays so.
  const profiles = [...look.profiles.values()].filter((other) => other === profile || other.look === "placeholders");
  const texts = new Set(profiles.flatMap(({ placeholders }) => [...placeholders.keys()]));
  for (const { missingFound } of look.profiles.values()) missingFound.forEach((text) => texts.add(text));
  const flag = missingTextsFlag([...texts]);
  return {
    row: profile.first.placeholder!.row,
    problem: `${problem}: if they mean that a value is missing, say ${flag}`,
  };
}

/** The flag that says which texts mean missing. */
export function missingTextsFlag(texts: readonly string[]): string {
  const list = texts.map((text) => /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text).join(",");
  const word = shellWord(list);
  return `--missing-texts ${word === list ? `"${list}"` : word}`;
}

function dateFormatFault(profile: ColumnProfile): Fault {
  const { name, first, dateFormats = [] } = profile;
  const { text, row } = first["other date"]!;
  const problem = `the column holds dates such as ${text}`;
  if (dateFormats.length === 0) {
    const flag = flagFor("--dates", name, "%d.%m.%Y");
    return { row, problem: `${problem}, and no one format fits all: write them alike, and say how: such as ${flag}` };
  }
  const flags = dateFormats.map((format) => flagFor("--dates", name, format));
  const choice = flags.length > 1 ? " (the cells do not show which)" : "";
  return { row, problem: `${problem}: say how they are written: ${flags.join(" or ")}${choice}` };
}

/** What else to know of the columns of a table: where a guess is likely wrong. */

import { numberOf, showCell } from "../../lib/data/cells.ts";
import { dateReader, formatDate } from "../../lib/data/dates.ts";
import { isPlaceholder } from "../../lib/data/odd_cells.ts";
import { plain } from "../../lib/base/printable.ts";
import { nameKey } from "../../lib/data/names.ts";
import type { ColumnProfile } from "../../lib/data/table_profile.ts";
import type { ColumnNote } from "../../lib/data/table_notes.ts";
import type { Config } from "../settings/settings.ts";
import { missingTextsFlag } from "./column_faults.ts";
import type { TableLook } from "./table_look.ts";
import { flagFor, listNames } from "./typed_names.ts";

/** Most different numbers of a target that may be classes. */
const FEW_CLASSES = 10;

/** Different values up to which one far from the others says nothing. */
const FEW_OTHERS = 5;

/** Days from which on a date is far from others: ten years. */
const FAR_DAYS = 3653;

/** Notes on the columns that are used, in the order of the header. */
export function notesOf(config: Config, look: TableLook, columns: readonly ColumnNote[]): string[] {
  return columns.flatMap(({ name, as }) => {
    const profile = look.profiles.get(name)!;
    const shown = listNames([name]);
    const notes = as === "target"
      ? [...classHint(profile, config), ...codeHints(profile, false), ...farNotes(profile, config, look)]
      : as === "numeric"
      ? [...dayHint(profile), ...codeHints(profile, true), ...farNotes(profile, config, look)]
      : as === "date"
      ? [...zoneNote(profile), ...farNotes(profile, config, look)]
      : as === "categorical" || as === "classes"
      ? nameNotes(profile, look, areNamesAsked(name, config))
      : name === config.timeColumn
      ? zoneNote(profile)
      : config.ignore.includes(name) || (config.features.length > 0 && !config.features.includes(name))
      ? []
      : profile.look === "identifier" && profile.texts > 0
      ? [...numberNote(profile, "left out"), ...noDateNote(profile), ...unreadDates(profile)]
      : loneValueHint(profile, config);
    return notes.map((note) => `${shown}: ${note}`);
  });
}

/** Few whole numbers as a target are more likely classes. */
function classHint(profile: ColumnProfile, { task, loss, target }: Config): string[] {
  const { range: { min, max }, values = [], numbers } = profile;
  if (task !== "auto" || loss !== "auto" || target.length > 1) return [];
  const isFrom = (first: number) => min === first && values.length === max - min + 1 && values.length <= FEW_CLASSES;
  const isFew = isFrom(0) || isFrom(1) || (min === -1 && max === 1 && values.length === 2);
  if (!isFew || numbers < 2 * values.length) return [];
  return [
    `it holds only ${values.join(", ")} and is predicted as a number; if they are classes, say --task classification`,
  ];
}

/** Numbers that look like names. */
function codeHints({ name, zeroLed, overlong }: ColumnProfile, isInput: boolean): string[] {
  const way = `; if they are names, say ${isInput ? flagFor("--categorical", name) : "--task classification"}`;
  const cellsLike = ({ count, first }: typeof zeroLed) => `${cells(count)} such as ${first}`;
  return [
    ...(zeroLed.count > 0 ? [`${cellsLike(zeroLed)} with zeros in front, which numbers lose${way}`] : []),
    ...(overlong.count > 0
      ? [`${cellsLike(overlong)} with more than 15 digits, of which numbers lose the last${way}`]
      : []),
  ];
}

/** Numbers such as 20260131, each of them a day. */
function dayHint({ name, range: { min, max }, values, first }: ColumnProfile): string[] {
  const isDay = (text: string) => /^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$/.test(text);
  const sample = values ?? [`${min}`, `${max}`, first.number!.text];
  if (!sample.every(isDay)) return [];
  return [`numbers such as ${first.number!.text}; if they are days, say ${flagFor("--dates", name, "%Y%m%d")}`];
}

/** A value that is far from all others, as -999 among temperatures is, may stand for none. */
function farNotes(profile: ColumnProfile, { dates }: Config, look: TableLook): string[] {
  const areDates = profile.texts > 0;
  const shown = (value: number) => areDates ? formatDate(value) : `${value}`;
  const readOf = areDates ? dateReader(dates.find(({ name }) => name === profile.name)?.format) : numberOf;
  const names = profile.namesOf(areDates ? "date" : "number");
  const far = (areDates ? profile.days : profile.range).far.filter(({ value, count, from, to }) =>
    areDates ? Math.max(from - value, value - to) > FAR_DAYS : count > 1
  );
  if ((profile.different ?? Infinity) <= FEW_OTHERS) return [];
  return far.map(({ value, text = shown(value), from, to }) => {
    const spellings = names.filter((name) => readOf(name) === value);
    const texts = spellings.length > 0 ? spellings : [text];
    // What is missing is so in all columns.
    const way = areDates || !look.profiles.values().some((other) => other !== profile && holds(other, value))
      ? `say ${missingTextsFlag([...new Set([...texts, ...missingTextsOf(look)])])}`
      : "leave these cells blank, as other columns hold it, too";
    const lie = texts.length === 1 ? "lies" : "lie";
    const others = `${shown(from)} to ${shown(to)}`;
    return `${texts.join(" and ")} ${lie} far from all others, ${others}; if it means missing, ${way}`;
  });
}

/** Whether a column holds a number, as far as is known, and not far from its others. */
function holds({ range, values }: ColumnProfile, number: number): boolean {
  if (range.far.some(({ value, count }) => value === number && count > 1)) return false;
  return values ? values.some((text) => numberOf(text) === number) : range.min <= number && number <= range.max;
}

/** Texts that hold a year and a day are dates to a person, if not to this program. */
function unreadDates({ name, first }: ColumnProfile): string[] {
  const text = first.text?.text ?? "";
  if (!/(?<!\d)(?:19|20)\d\d(?!\d)/.test(text) || !/(?<!\d)(?:0?[1-9]|[12]\d|3[01])(?!\d)/.test(text)) return [];
  const flag = flagFor("--dates", name, "%d.%m.%Y %H:%M");
  return [
    `if texts such as ${showCell(text)} are dates, write them as 2026-01-31 or 2026-01-31T12:00, or as ${flag} says`,
  ];
}

/** Dates with and without a zone. */
function zoneNote({ zones }: ColumnProfile): string[] {
  if (zones.with === undefined || zones.without === undefined) return [];
  return [
    `dates such as ${zones.without} have no zone, while others do, such as ${zones.with}: those without are taken as UTC`,
  ];
}

/** A column of one value that is missing in some rows: which rows may say something. */
function loneValueHint(profile: ColumnProfile, { missing }: Config): string[] {
  const { name, look, texts, missing: gone } = profile;
  if (look !== "constant" || gone === 0 || profile.different !== 1) return [];
  const flags = [
    ...(texts > 0 && profile.count("date") === 0 ? [] : [flagFor("--categorical", name)]),
    ...(missing === "category" ? [] : ["--missing category"]),
  ];
  return [`to predict from whether it is missing, say ${flags.join(" ")}`];
}

/** Whether somebody said that a column holds names. */
function areNamesAsked(name: string, { categorical, task, loss, target }: Config): boolean {
  const areClasses = task === "classification" || loss === "softmax" || loss === "bce";
  return categorical.includes(name) || (areClasses && target.includes(name));
}

function missingTextsOf({ profiles }: TableLook): string[] {
  return [...profiles.values()].flatMap(({ missingFound }) => [...missingFound]);
}

function nameNotes(profile: ColumnProfile, look: TableLook, areAsked: boolean): string[] {
  const { placeholders } = profile;
  const notes: string[] = [];
  const alike = firstAlike(profile.values ?? []);
  if (alike) {
    notes.push(
      `${alike.map((text) => escaped(text)).join(" and ")} differ only in ${differenceOf(alike)}, and are two names`,
    );
  }
  const odd = [...placeholders].filter(([text]) => isPlaceholder(text, false));
  if (odd.length > 0) {
    const found = odd.map(([text, count]) => `${showCell(text)} in ${cells(count)}`).join(", ");
    const flag = missingTextsFlag([...new Set([...odd.map(([text]) => text), ...missingTextsOf(look)])]);
    notes.push(`${found}: taken as a name; if it means missing, say ${flag}`);
  }
  return areAsked ? notes : [...notes, ...numberNote(profile), ...noDateNote(profile)];
}

/** Numbers and dates among names. */
function numberNote(profile: ColumnProfile, become = "taken as names"): string[] {
  const { numbers, texts, first } = profile;
  const written = profile.count("written");
  const dates = profile.count("date") + profile.count("other date");
  const some = numbers + written + dates;
  if (some === 0 || profile.count("text") === 0) return [];
  const like = (text: string | undefined) => text === undefined ? "" : ` such as ${showCell(text)}`;
  const kinds = [
    ...(numbers > 0 ? ["numbers"] : []),
    ...(written > 0 ? [`numbers written otherwise${like((first.written ?? first.unit)?.text)}`] : []),
    ...(dates > 0 ? [`dates${like((first.date ?? first["other date"])?.text)}`] : []),
  ];
  const text = showCell((first.text ?? first.unit ?? first["no date"])?.text ?? "");
  const hold = some === 1 ? "holds" : "hold";
  return [
    `${cells(some)} of ${numbers + texts} ${hold} ${kinds.join(" or ")}, ${become} because of ${text} and the like`,
  ];
}

/** Days and times that there are not, in a column that is not taken as dates. */
function noDateNote({ first }: ColumnProfile): string[] {
  const { "no date": cell } = first;
  if (!cell) return [];
  return [
    `cells such as ${showCell(cell.text)} look like dates, but there is no such day or time; if they are, correct them`,
  ];
}

/** The first two names that differ only in case, spaces, marks that cannot be seen or form. */
function firstAlike(names: readonly string[]): [string, string] | undefined {
  const known = new Map<string, string>();
  for (const name of names) {
    const look = plain(name.normalize("NFKC")).toLowerCase();
    const other = known.get(look);
    if (other !== undefined && nameKey(other) !== nameKey(name)) return [other, name];
    known.set(look, name);
  }
}

function differenceOf([first, second]: readonly [string, string]): string {
  const differs = (change: (text: string) => string) => change(first) === change(second);
  if (differs((text) => text.toLowerCase())) return "case";
  if (differs((text) => text.normalize("NFC"))) return "Unicode form";
  if (differs((text) => text.replaceAll(/\s+/g, " "))) return "spaces";
  return "case, spaces or Unicode form";
}

/** A text in quotes, with accents that are characters of their own as in JSON. */
function escaped(text: string): string {
  return showCell(text).replaceAll(/\p{M}/gu, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function cells(count: number): string {
  return count === 1 ? "1 cell" : `${count} cells`;
}

/** What else to know of the columns of a table: where a guess is likely wrong. */

import { showCell } from "../../lib/data/cells.ts";
import { isPlaceholder } from "../../lib/data/odd_cells.ts";
import { nameKey } from "../../lib/data/names.ts";
import type { ColumnProfile } from "../../lib/data/table_profile.ts";
import type { ColumnNote } from "../../lib/data/table_notes.ts";
import type { Config } from "../settings/settings.ts";
import { missingTextsFlag } from "./column_faults.ts";
import type { TableLook } from "./table_look.ts";
import { flagFor, listNames, visibleName } from "./typed_names.ts";

/** Most different numbers of a target that may be classes. */
const FEW_CLASSES = 10;

/** Notes on the columns that are used, in the order of the header. */
export function notesOf(config: Config, look: TableLook, columns: readonly ColumnNote[]): string[] {
  return columns.flatMap(({ name, as }) => {
    const profile = look.profiles.get(name)!;
    const shown = listNames([name]);
    const notes = as === "target"
      ? [...classHint(profile, config), ...codeHints(profile, false)]
      : as === "numeric"
      ? [...dayHint(profile), ...codeHints(profile, true)]
      : as === "categorical" || as === "classes"
      ? nameNotes(profile, look)
      : profile.look === "identifier" && profile.texts > 0
      ? numberNote(profile, "left out")
      : [];
    return notes.map((note) => `${shown}: ${note}`);
  });
}

/** Few whole numbers as a target are more likely classes. */
function classHint(profile: ColumnProfile, { task, loss, target }: Config): string[] {
  const { min, max, values = [], numbers } = profile;
  if (task !== "auto" || loss !== "auto" || target.length > 1) return [];
  const isFew = (min === 0 || min === 1) && values.length === max - min + 1 && values.length <= FEW_CLASSES;
  if (!isFew || numbers < 2 * values.length) return [];
  return [
    `it holds only ${values.join(", ")} and is predicted as a number; if they are classes, say --task classification`,
  ];
}

/** Numbers that look like names. */
function codeHints({ name, zeroLed, overlong }: ColumnProfile, isInput: boolean): string[] {
  const way = `; if they are names, say ${isInput ? flagFor("--categorical", name) : "--task classification"}`;
  return [
    ...(zeroLed.count > 0
      ? [`${cells(zeroLed.count)} such as ${zeroLed.first} with zeros in front: taken as numbers${way}`]
      : []),
    ...(overlong.count > 0
      ? [
        `${
          cells(overlong.count)
        } such as ${overlong.first} with more than 15 digits: taken as numbers, the last digits are lost${way}`,
      ]
      : []),
  ];
}

/** Numbers such as 20260131, each of them a day. */
function dayHint({ name, min, max, values, first }: ColumnProfile): string[] {
  const isDay = (text: string) => /^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$/.test(text);
  const sample = values ?? [`${min}`, `${max}`, first.number!.text];
  if (!sample.every(isDay)) return [];
  return [`numbers such as ${first.number!.text}; if they are days, say ${flagFor("--dates", name, "%Y%m%d")}`];
}

function nameNotes(profile: ColumnProfile, look: TableLook): string[] {
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
    const missing = [...look.profiles.values()].flatMap(({ missingFound }) => [...missingFound]);
    const flag = missingTextsFlag([...new Set([...odd.map(([text]) => text), ...missing])]);
    notes.push(`${found}: taken as a name; if it means missing, say ${flag}`);
  }
  return [...notes, ...numberNote(profile)];
}

/** Numbers among names. */
function numberNote(profile: ColumnProfile, become = "taken as names"): string[] {
  const { numbers, texts } = profile;
  const written = profile.count("written");
  if (numbers + written === 0 || profile.count("text") === 0) return [];
  const text = showCell(profile.firstBut("number", "written", "unit")?.text ?? "");
  return [`${cells(numbers + written)} of ${numbers + texts} hold numbers, ${become} because of ${text} and the like`];
}

/** The first two names that differ only in case, spaces, marks that cannot be seen or form. */
function firstAlike(names: readonly string[]): [string, string] | undefined {
  const known = new Map<string, string>();
  for (const name of names) {
    const plain = visibleName(name.normalize("NFKC")).toLowerCase().replaceAll(/\s+/g, " ");
    const other = known.get(plain);
    if (other !== undefined && nameKey(other) !== nameKey(name)) return [other, name];
    known.set(plain, name);
  }
}

function differenceOf([first, second]: readonly [string, string]): string {
  const differs = (change: (text: string) => string) => change(first) === change(second);
  if (differs((text) => text.toLowerCase())) return "case";
  if (differs((text) => text.normalize("NFC"))) return "Unicode form";
  if (differs((text) => text.replaceAll(/\s+/g, " "))) return "spaces";
  return "case, spaces or Unicode form";
}

/** A text in quotes, with all but ASCII as in JSON where it looks like another. */
function escaped(text: string): string {
  const marks = /[\p{M}\p{Cf}\u00a0\u2000-\u200a\u202f\u205f\u3000]/gu;
  return showCell(text).replaceAll(marks, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function cells(count: number): string {
  return count === 1 ? "1 cell" : `${count} cells`;
}

/** Names of columns as a message shows them and as they are typed in a shell. */

import { showName, visible } from "../../lib/base/printable.ts";

/** Names as a list: those that a list would hide something of are in quotes. */
export function listNames(names: readonly string[]): string {
  return names.map((name) => name !== visible(name) || name.includes(",") ? showName(name) : name).join(", ");
}

/** A flag that names a column, as it is typed in a shell; with the format of dates after the name. */
export function flagFor(flag: string, name: string, format?: string): string {
  const word = format === undefined ? name : `${name}:${format}`;
  // A flag takes a list, as a record of a CSV file.
  const isQuoted = /[",]/.test(word);
  return `${flag} ${shellWord(isQuoted ? `"${word.replaceAll('"', '""')}"` : word)}`;
}

/** A text as one word of a shell. */
export function shellWord(text: string): string {
  if (text !== visible(text)) return `$'${visible(text.replaceAll(/[\\']/g, "\\$&"))}'`;
  if (/^[\p{L}\p{N}_.,:+@/-]+$/u.test(text)) return text;
  return /["$`\\!]/.test(text) ? `'${text.replaceAll("'", "'\\''")}'` : `"${text}"`;
}

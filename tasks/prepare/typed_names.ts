/** Names of columns as a message shows them and as they are typed in a shell. */

/** Marks that take no room, and spaces that are not the usual one. */
const UNSEEN = /[\u00a0\u00ad\u061c\u2000-\u200f\u2028-\u202f\u205f-\u2064\u2066-\u2069\u3000\ufeff]/g;

/** A name without marks that cannot be seen, and with usual spaces. */
export function visibleName(name: string): string {
  return name.replaceAll(UNSEEN, (mark) => /\s/.test(mark) && mark !== "\ufeff" ? " " : "").trim();
}

/** A name in quotes; what cannot be seen is written as in JSON, `\u200b`. */
export function quoteName(name: string): string {
  return JSON.stringify(name).replaceAll(UNSEEN, escapeOf);
}

/** Names as a list: those that a list would hide something of are in quotes. */
export function listNames(names: readonly string[]): string {
  return names.map((name) => name !== visibleName(name) || name.includes(",") ? quoteName(name) : name).join(", ");
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
  if (/^[\p{L}\p{N}_.,:+@/-]+$/u.test(text) && text === visibleName(text)) return text;
  if (text !== visibleName(text)) {
    return `$'${text.replaceAll(/[\\']/g, "\\$&").replaceAll(UNSEEN, escapeOf)}'`;
  }
  return /["$`\\!]/.test(text) ? `'${text.replaceAll("'", "'\\''")}'` : `"${text}"`;
}

function escapeOf(mark: string): string {
  return `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** The line of a setting in `.env`, and names there that are nearly, but not quite, a setting's. */

import { distance } from "fastest-levenshtein";
import { type Key, KEYS, TABLE_KEYS } from "./settings.ts";

/** The place of a name, for messages: `.env, line 3`. */
export function lineOf(name: string, dotenv: string): string {
  const pattern = new RegExp(`^\\s*(export\\s+)?${name}\\s*=`);
  // The last of several counts.
  const line = dotenv.split("\n").findLastIndex((line) => pattern.test(line)) + 1;
  return line > 0 ? `.env, line ${line}` : ".env";
}

/** What is wrong with names in `.env`: those that its parser has read, and those that it ignores. */
export function misspelt(read: Readonly<Record<string, string>>, dotenv: string): string[] {
  const names = [...Object.keys(read), ...oddNames(dotenv)].filter((name) => !KEYS.some((key) => key === name));
  return names.flatMap((name) => {
    const written = name.toUpperCase().replaceAll(/[- ]/g, "_");
    const near = KEYS.find((key) => distance(written, key) <= (isCommonWord(key) ? 0 : 2));
    return near ? [`${name} (from ${lineOf(name, dotenv)}) is not a setting: did you mean ${near}?`] : [];
  });
}

/** Whether a key is near to words that an `.env` may well hold for others, as DATA is to DATE. */
function isCommonWord(key: Key): boolean {
  return key.length < 8 && TABLE_KEYS.includes(key);
}

/** Names that are no identifiers, such as NUM EPOCHS: the parser leaves them out. */
function oddNames(dotenv: string): string[] {
  return [...dotenv.matchAll(/^[ \t]*(?:export[ \t]+)?(\w+(?:[- ]\w+)+)[ \t]*=/gm)].map(([_, name]) => name);
}

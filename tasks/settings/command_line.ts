/**
 * Reads a command line: flags with values, `--key value` or `--key=value`, and words, negative numbers among them. What
 * follows `--` is words.
 */

import { parseArgs } from "@std/cli/parse-args";
import { closest } from "fastest-levenshtein";
import { flagOf, KEYS } from "./settings.ts";

interface CommandLine {
  /** Text of each flag that was given, by key. */
  values: Record<string, string | undefined>;
  words: string[];
  /** What is wrong with it, a text each. */
  faults: string[];
}

export function parseCommandLine(
  task: string,
  args: readonly string[],
  keys: readonly string[],
  isBoolean: (key: string) => boolean,
  takesWords: boolean,
): CommandLine {
  const known = new Map(keys.map((key) => [flagOf(key), key]));
  const joined: string[] = [];
  const end = endOfFlags(args);
  const faults: string[] = [];
  const words: string[] = [];
  for (let i = 0; i < end; i++) {
    const arg = args[i];
    const next = i + 1 < end ? args[i + 1] : undefined;
    const flag = arg.split("=", 1)[0];
    const key = known.get(flag);
    if (!isFlag(arg)) {
      words.push(arg);
    } else if (key === undefined) {
      faults.push(`${flag}: ${unknownFlag(task, flag, [...known.keys()])}`);
      // Its value is not one more fault.
      if (arg === flag && next !== undefined && !next.startsWith("--")) i++;
    } else if (arg !== flag) {
      joined.push(arg);
    } else if (isBoolean(key)) {
      // In a task that takes no words, a word can only be meant for this flag.
      const hasValue = next === "true" || next === "false" || (!takesWords && next !== undefined && !isFlag(next));
      joined.push(`${flag}=${hasValue ? next : "true"}`);
      if (hasValue) i++;
    } else if (next === undefined || next.startsWith("--")) {
      faults.push(`${flag} has no value`);
    } else {
      joined.push(`${flag}=${next}`);
      i++;
    }
  }
  words.push(...args.slice(end + 1));
  if (!takesWords) faults.push(...words.map((word) => `${JSON.stringify(word)}: ${task} takes only flags`));
  // With every flag joined to its value, parseArgs has nothing left to guess.
  const names = [...known].map(([flag, key]) => [flag.slice(2), key]);
  const parsed: Record<string, unknown> = parseArgs(joined, { string: names.map(([name]) => name) });
  const values = Object.fromEntries(names.map(([name, key]) => [key, parsed[name] as string | undefined]));
  return { values, words, faults };
}

/** Where `--` stands, or the end of a command line without it. */
export function endOfFlags(args: readonly string[]): number {
  const end = args.indexOf("--");
  return end < 0 ? args.length : end;
}

/** Whether a word is a flag, and not a value such as -.5. */
function isFlag(word: string): boolean {
  return word.startsWith("-") && !/^-\.?\d/.test(word);
}

function unknownFlag(task: string, flag: string, known: string[]): string {
  if (KEYS.some((key) => flagOf(key) === flag)) return `${task} does not use this setting`;
  if (known.length === 0) return `${task} takes no flags`;
  // Of two that are as near, the one that begins alike is more likely meant.
  const [alike, others] = [true, false].map((is) => [...known, "--help"].filter((one) => (one[2] === flag[2]) === is));
  return `unknown flag; the nearest is ${closest(flag, [...alike, ...others])}`;
}

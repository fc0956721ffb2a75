/** Reads a command line: flags with values, `--key value` or `--key=value`, and numbers, negative ones too. */

import { parseArgs } from "@std/cli/parse-args";
import { closest } from "fastest-levenshtein";
import { flagOf, KEYS } from "./keys.ts";

/** What a command line says. */
export interface CommandLine {
  /** Text of each flag that was given, by key. */
  values: Record<string, string | undefined>;
  /** What stands beside the flags. */
  numbers: string[];
  /** What is wrong with it. */
  faults: string[];
}

/** Reads a command line. */
export function parseCommandLine(
  task: string,
  args: readonly string[],
  keys: readonly string[],
  isBoolean: (key: string) => boolean,
  takesNumbers: boolean,
): CommandLine {
  const known = new Map(keys.map((key) => [flagOf(key), key]));
  const joined: string[] = [];
  const numbers: string[] = [];
  const faults: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    const next: string | undefined = args[i + 1];
    const flag = arg.split("=", 1)[0];
    const key = known.get(flag);
    if (!isFlag(arg)) {
      numbers.push(arg);
    } else if (key === undefined) {
      faults.push(`${flag}: ${unknownFlag(task, flag, [...known.keys()])}`);
      // Its value is no fault of its own.
      if (arg === flag && next !== undefined && !next.startsWith("--")) i++;
    } else if (arg !== flag) {
      joined.push(arg);
    } else if (isBoolean(key)) {
      // Where nothing stands beside flags, a word can only be meant for this one.
      const hasValue = next === "true" || next === "false" || (!takesNumbers && next !== undefined && !isFlag(next));
      joined.push(`${flag}=${hasValue ? next : "true"}`);
      if (hasValue) i++;
    } else if (next === undefined || next.startsWith("--")) {
      faults.push(`${key} (from ${flag}) has no value`);
    } else {
      joined.push(`${flag}=${next}`);
      i++;
    }
  }
  if (!takesNumbers) {
    faults.push(...numbers.map((text) => `${JSON.stringify(text)}: ${task} takes nothing beside flags`));
  }
  return { values: valuesOf(joined, known), numbers, faults };
}

/** Values by key; with every flag joined to its value, parseArgs has nothing left to guess. */
function valuesOf(joined: string[], known: ReadonlyMap<string, string>): CommandLine["values"] {
  const names = [...known].map(([flag, key]) => [flag.slice(2), key]);
  const parsed: Record<string, unknown> = parseArgs(joined, { string: names.map(([name]) => name) });
  return Object.fromEntries(names.map(([name, key]) => [key, parsed[name] as string | undefined]));
}

/** Whether a word is a flag, and not a value such as -.5. */
function isFlag(word: string): boolean {
  return word.startsWith("-") && !/^-\.?\d/.test(word);
}

function unknownFlag(task: string, flag: string, known: string[]): string {
  if (KEYS.some((key) => flagOf(key) === flag)) return `${task} does not use this setting`;
  if (known.length === 0) return `${task} takes no flags`;
  return `unknown flag; the nearest is ${closest(flag, known)}`;
}

/**
 * The settings of a task: a flag comes before the environment, that before `.env` in the working directory, that before
 * the recipe's default (with DATA: that of tables), that before the default. All faults are found before any is reported.
 */

import { parse as parseDotenv } from "@std/dotenv/parse";
import { distance } from "fastest-levenshtein";
import { parseCommandLine } from "./command_line.ts";
import type { RecipeName } from "./recipes.ts";
import { type Config, type Key, propertyOf } from "./settings.ts";
import { ConfigError, faultsTogether, pointTo } from "./faults.ts";
import {
  flagOf,
  KEYS,
  keysOf,
  presetOf,
  RECIPE_KEYS,
  settingOf,
  SETTINGS,
  TABLE_KEYS,
  type TaskName,
} from "./settings.ts";
import { extraFaults, TASKS } from "./task_list.ts";

export { type Config, ConfigError, type RecipeName, type TaskName };

export interface TaskConfig extends Config {
  /** Path of --input; only predict has it. */
  input?: string;
  /** Path of --output; predict, export, report and playground have it. */
  output?: string;
  /** Texts of the flags that were given, by key: some are no settings. */
  extras: Record<string, string | undefined>;
  /** Words on the command line besides the flags; only predict, report and compare take them. */
  words: string[];
  /** The settings that the task uses, as they were typed or preset, by key. */
  texts: Partial<Record<Key, string>>;
  /** Where each setting that somebody set was found, by key: `--seed`, `the environment` or `.env, line 3`. */
  given: Partial<Record<Key, string>>;
}

/** Where settings come from besides the command line. */
interface Surroundings {
  env: (key: string) => string | undefined;
  dotenv: string;
}

/**
 * Reads the settings of a task.
 *
 * @param kept Texts that come before the defaults: those of a run that is resumed.
 * @throws {ConfigError} With all that is wrong.
 */
export function readConfig(
  name: TaskName,
  args: readonly string[],
  surroundings: Surroundings = surroundingsOfProcess(),
  kept: TaskConfig["texts"] = {},
): TaskConfig {
  const { extras = {}, takesWords = false } = TASKS[name];
  const { env, dotenv } = surroundings;
  const file = parseDotenv(dotenv);
  const keys = keysOf(name);
  const isBoolean = (key: string) => (extras[key]?.reader ?? settingOf(key as Key)).isBoolean === true;
  const line = parseCommandLine(name, args, [...keys, ...Object.keys(extras)], isBoolean, takesWords);
  const faults = [...line.faults, ...misspelt(file, dotenv)];

  const values: Record<string, unknown> = {};
  const texts: TaskConfig["texts"] = {};
  const given: TaskConfig["given"] = {};
  // Names such as TEST stand in many an environment and mean something else there.
  const isForeign = (key: Key) => values.data === "" && TABLE_KEYS.includes(key);
  const find = (key: Key) => {
    if (!keys.includes(key)) return undefined;
    if (line.values[key] !== undefined) return { text: line.values[key], from: flagOf(key) };
    const text = isForeign(key) ? undefined : env(key);
    if (text !== undefined) return { text, from: "the environment" };
    return file[key] === undefined ? undefined : { text: file[key], from: lineOf(key, dotenv) };
  };
  const read = (key: Key, preset: string) => {
    const { parse, allowed } = settingOf(key);
    const found = find(key);
    const text = found?.text ?? preset;
    if (found) given[key] = found.from;
    const value = parse(text);
    if (value === undefined) {
      faults.push(`${pointTo(key, found?.from ?? "config.json", text)}: allowed is ${allowed}`);
    }
    values[propertyOf(key)] = value ?? parse(preset);
    if (keys.includes(key)) texts[key] = text;
  };
  read("RECIPE", kept.RECIPE ?? SETTINGS.RECIPE.default);
  read("DATA", kept.DATA ?? SETTINGS.DATA.default);
  const suits = values.data === "" ? values.recipe as RecipeName : "DATA";
  for (const key of KEYS) {
    if (key !== "RECIPE" && key !== "DATA") read(key, kept[key] ?? presetOf(key, suits));
  }

  if ("THRESHOLD" in extras && line.values.THRESHOLD === undefined) {
    const inEnvironment = env("THRESHOLD");
    const text = inEnvironment ?? file.THRESHOLD;
    const threshold = text === undefined ? undefined : SETTINGS.THRESHOLD.parse(text);
    const from = inEnvironment === undefined ? lineOf("THRESHOLD", dotenv) : "the environment";
    // What a rule has chosen stands in the model.
    if (typeof threshold === "number") {
      given.THRESHOLD = from;
      line.values.THRESHOLD = text;
    } else if (text !== undefined && threshold === undefined) {
      faults.push(`${pointTo("THRESHOLD", from, text)}: allowed is ${SETTINGS.THRESHOLD.allowed}`);
    }
  }
  for (const [key, extra] of Object.entries(extras)) {
    // A flag without a value was reported above.
    const isTold = line.faults.some((fault) => fault.startsWith(`${flagOf(key)} has`));
    if (!isTold) faults.push(...extraFaults(flagOf(key), extra, line.values[key]));
  }
  const config = values as Config;
  // Settings of a table mean nothing without one, and those of recipes nothing with one.
  const without = config.data === "" ? TABLE_KEYS : RECIPE_KEYS;
  const meaningful = Object.entries(texts).filter(([key]) => !without.includes(key as Key));
  faults.push(...faultsTogether(config, texts, given));
  if (faults.length > 0) throw new ConfigError(faults);
  return {
    ...config,
    texts: Object.fromEntries(meaningful),
    given,
    input: line.values.INPUT,
    output: line.values.OUTPUT,
    extras: line.values,
    words: line.words,
  };
}

function surroundingsOfProcess(): Surroundings {
  let dotenv = "";
  try {
    // Windows editors put a byte-order mark before the first key.
    dotenv = Deno.readTextFileSync(".env").replace(/^\ufeff/, "");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return { env: (key) => Deno.env.get(key), dotenv };
}

/** The place of a name, for messages: `.env, line 3`. */
function lineOf(name: string, dotenv: string): string {
  const pattern = new RegExp(`^\\s*(export\\s+)?${name}\\s*=`);
  // The last of several counts.
  const line = dotenv.split("\n").findLastIndex((line) => pattern.test(line)) + 1;
  return line > 0 ? `.env, line ${line}` : ".env";
}

/** What is wrong with names in `.env`: those that its parser has read, and those that it ignores. */
function misspelt(read: Readonly<Record<string, string>>, dotenv: string): string[] {
  // The parser leaves out names that are no identifiers, such as NUM EPOCHS.
  const odd = [...dotenv.matchAll(/^[ \t]*(?:export[ \t]+)?(\w+(?:[- ]\w+)+)[ \t]*=/gm)].map(([_, name]) => name);
  const names = [...Object.keys(read), ...odd].filter((name) => !KEYS.some((key) => key === name));
  return names.flatMap((name) => {
    const written = name.toUpperCase().replaceAll(/[- ]/g, "_");
    // Short names of tables are near to words that an `.env` may well hold for others, as DATA is to DATE.
    const isCommonWord = (key: Key) => key.length < 8 && TABLE_KEYS.includes(key);
    const near = KEYS.find((key) => distance(written, key) <= (isCommonWord(key) ? 0 : 2));
    return near ? [`${name} (from ${lineOf(name, dotenv)}) is not a setting: did you mean ${near}?`] : [];
  });
}

/**
 * The settings of a task: flags, over environment variables, over `.env` in the working directory, over the recipe's
 * defaults, over the defaults. All faults are found before any is reported.
 */

import { parse as parseDotenv } from "@std/dotenv/parse";
import { distance } from "fastest-levenshtein";
import { parseCommandLine } from "./command_line.ts";
import type { Config, Key, RecipeName } from "./config_types.ts";
import { flagOf, KEYS, propertyOf, type Setting, SETTINGS, TABLE_DEFAULTS, TABLE_KEYS } from "./keys.ts";
import { recipeOf, RECIPES } from "./recipes.ts";
import { RECIPE_KEYS, tableFaults } from "./table_settings.ts";
import { type Task, type TaskName, TASKS } from "./task_list.ts";

export { type Config, type RecipeName, type TaskName, TASKS };

/** What a task was asked to do. */
export interface TaskConfig extends Config {
  /** Path of --input; predict alone has it. */
  input?: string;
  /** Path of --output; predict, export, report and playground have it. */
  output?: string;
  /** Texts of the flags that were given, by key: some are no settings. */
  extras: Record<string, string | undefined>;
  /** Words on the command line beside the flags; predict, report and compare alone take them. */
  numbers: string[];
  /** The settings that the task uses, as they were typed or preset, by key. */
  texts: Partial<Record<Key, string>>;
  /** Where each of the settings that are not preset was found, by key. */
  given: Partial<Record<Key, string>>;
}

/** A text for some of the keys. */
type Texts = Partial<Record<Key, string>>;

/** Settings that are wrong: one line per fault. */
export class ConfigError extends RangeError {
  override readonly name: string = "ConfigError";
  /** One text per fault. */
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join("\n"));
    this.faults = faults;
  }
}

/** Where settings come from beside the command line. */
export interface Surroundings {
  /** Value of an environment variable. */
  env: (key: string) => string | undefined;
  /** Text of the `.env` file. */
  dotenv: string;
}

/**
 * Reads the settings of a task.
 *
 * @throws {ConfigError} With all that is wrong.
 */
export function readConfig(
  name: TaskName,
  args: readonly string[],
  surroundings?: Surroundings,
  kept: Texts = {},
): TaskConfig {
  const task: Task = TASKS[name];
  const { env, dotenv } = surroundings ?? surroundingsOfProcess();
  const file = parseDotenv(dotenv);
  const flags = [...task.keys, ...Object.keys(task.extras ?? {})];
  const isBoolean = (key: string) =>
    (task.extras?.[key] ?? (SETTINGS as Record<string, Setting>)[key])?.isBoolean === true;
  const line = parseCommandLine(name, args, flags, isBoolean, task.takesNumbers === true);
  const faults = [...line.faults, ...misspelt([...Object.keys(file), ...oddKeys(dotenv)])];

  const values: Record<string, unknown> = {};
  // Names such as TEST stand in many an environment, and mean something else there.
  const isOfAnother = (key: Key) => values.data === "" && TABLE_KEYS.some((known) => known === key);
  const given = (key: Key) => {
    if (line.values[key] !== undefined) return { text: line.values[key], from: flagOf(key) };
    const text = isOfAnother(key) ? undefined : env(key);
    if (text !== undefined) return { text, from: "the environment" };
    return file[key] === undefined ? undefined : { text: file[key], from: ".env" };
  };
  const texts: Texts = {};
  const found: Texts = {};
  const read = (key: Key, preset: string) => {
    const setting: Setting = SETTINGS[key];
    const { text, from } = (task.keys.includes(key) ? given(key) : undefined) ?? { text: preset, from: "" };
    if (from !== "") found[key] = from;
    const value = setting.parse(text);
    if (value === undefined) {
      faults.push(`${key} (from ${from || "config.json"}) is ${JSON.stringify(text)}: allowed is ${setting.allowed}`);
    }
    values[propertyOf(key)] = value ?? setting.parse(preset);
    if (task.keys.includes(key)) texts[key] = text;
  };
  read("RECIPE", kept.RECIPE ?? SETTINGS.RECIPE.default);
  read("DATA", kept.DATA ?? SETTINGS.DATA.default);
  const presets = values.data === "" ? recipeOf(values.recipe as RecipeName).defaults : TABLE_DEFAULTS;
  for (const key of KEYS) {
    if (key !== "RECIPE" && key !== "DATA") read(key, kept[key] ?? presets[key] ?? SETTINGS[key].default);
  }

  for (const [key, extra] of Object.entries(task.extras ?? {})) {
    faults.push(...extra.faults?.(line.values[key], faults) ?? []);
  }
  const config = values as unknown as Config;
  faults.push(...noiseFaults(config, texts, found), ...tableFaults(config, found));
  if (faults.length > 0) throw new ConfigError(faults);
  const { INPUT: input, OUTPUT: output } = line.values;
  const used = { texts: textsIn(config, texts), given: found };
  return { ...config, ...used, input, output, extras: line.values, numbers: line.numbers };
}

/** The help text of a task. */
export function usage(name: TaskName): string {
  const task: Task = TASKS[name];
  const rows = task.keys.map((key) => {
    const setting: Setting = SETTINGS[key];
    const presets = (Object.keys(RECIPES) as RecipeName[])
      .map((recipe) => [recipe, recipeOf(recipe).defaults[key]] as const)
      .filter(([_, preset]) => task.keys.includes("RECIPE") && preset !== undefined && preset !== setting.default)
      .map(([recipe, preset]) => `; ${recipe}: ${preset}`);
    const table = task.keys.includes("DATA") ? TABLE_DEFAULTS[key] : undefined;
    const defaults = `${setting.default || "none"}${presets.join("")}${table === undefined ? "" : `; DATA: ${table}`}`;
    return [flagOf(key), `${setting.meaning} (${defaults})`, setting.allowed];
  });
  for (const [key, { meaning, allowed }] of Object.entries(task.extras ?? {})) {
    rows.push([flagOf(key), meaning, allowed]);
  }
  const width = Math.max(...rows.map(([flag]) => flag.length), 0);
  const own = Object.keys(task.extras ?? {}).map(flagOf);
  const numbers = task.words ? ` ${task.words}` : "";
  const lines = rows.map(([flag, meaning, allowed]) =>
    `  ${flag.padEnd(width)}  ${meaning}\n${" ".repeat(width + 4)}${allowed}`
  );
  return [
    `deno task ${name}${rows.length > 0 ? " [flags]" : ""}${numbers}: ${task.summary}`,
    ...(rows.length > 0 ? ["", "Flags, with their defaults in parentheses:", ...lines] : []),
    ...(task.keys.length > 0
      ? [
        "",
        `Each${own.length > 0 ? ` but ${own.join(", ")}` : ""} may also be set in the environment or in .env: ${
          flagOf(task.keys[0])
        } is ${task.keys[0]} there.`,
      ]
      : []),
  ].join("\n");
}

function noiseFaults({ data, recipe, noise }: Config, texts: Texts, found: Texts): string[] {
  if (data !== "" || recipe !== "xor" || noise === 0) return [];
  return [`NOISE (from ${found.NOISE}) is "${texts.NOISE}": recipe xor takes only 0`];
}

/** The texts that mean something: settings of a table without one do not, nor do those of recipes with one. */
function textsIn({ data }: Config, texts: Texts): Texts {
  const without: readonly string[] = data === "" ? TABLE_KEYS : RECIPE_KEYS;
  return Object.fromEntries(Object.entries(texts).filter(([key]) => !without.includes(key)));
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

/** Keys of `.env` that are nearly, but not quite, a known one. */
function misspelt(keys: string[]): string[] {
  return keys.filter((key) => !(key in SETTINGS)).flatMap((key) => {
    const name = key.toUpperCase().replaceAll(/[- ]/g, "_");
    const near = KEYS.find((known) => distance(name, known) <= (isCommonWord(known) ? 0 : 2));
    return near === undefined ? [] : [`${key} (from .env) is no setting: did you mean ${near}?`];
  });
}

/** Whether a key is near to words that an `.env` may well hold for others, as DATA is to DATE. */
function isCommonWord(key: Key): boolean {
  return key.length < 8 && TABLE_KEYS.some((known) => known === key);
}

/** Keys of `.env` that are no identifiers, such as NUM EPOCHS: the parser leaves them out. */
function oddKeys(dotenv: string): string[] {
  return [...dotenv.matchAll(/^[ \t]*(?:export[ \t]+)?(\w+(?:[- ]\w+)+)[ \t]*=/gm)].map(([_, key]) => key);
}

/** The help of a task: what it does, examples, and its flags by group, one line each where that is possible. */

import { TASKS } from "./task_list.ts";
import { flagOf, type Group, GROUPS, type Key, keysOf, presetOf, settingOf, type TaskName } from "./settings.ts";
import type { Reader } from "./readers.ts";
import { type RecipeName, RECIPES } from "./recipes.ts";

const NAMES = Object.keys(RECIPES) as RecipeName[];

/** Columns of a line of help. */
const COLUMNS = 100;

/** Flags up to which a task lists all of them. */
const FEW = 12;

export interface HelpOptions {
  /** Whether to list every flag, and not only those for every day. */
  readonly all?: boolean;
  readonly hasColor?: boolean;
}

interface Line {
  readonly group: Group;
  readonly flag: string;
  readonly about: string;
  readonly isEveryday: boolean;
}

export function usage(name: TaskName, { all = false, hasColor = false }: HelpOptions = {}): string {
  const { summary, examples } = TASKS[name];
  const lines = linesOf(name);
  const isWhole = all || lines.length <= FEW;
  const shown = lines.filter(({ isEveryday }) => isWhole || isEveryday);
  const width = Math.max(...shown.map(({ flag }) => flag.length), 0);
  const groups = Object.entries(GROUPS).flatMap(([group, title]) => {
    const count = lines.filter((line) => line.group === group).length;
    const own = shown.filter((line) => line.group === group);
    if (count === 0) return [];
    const hidden = count - own.length;
    const more = own.length > 0 ? "more" : hidden === 1 ? "flag" : "flags";
    const hint = hidden === 0 ? "" : ` (${hidden} ${more} with --help --all)`;
    return [bold(title, hasColor) + hint, ...own.flatMap(({ flag, about }) => row(flag, about, width))];
  });
  const ranks = name.endsWith("-mpi") ? "mpirun -n 4 " : "";
  return [
    `${bold(`deno task ${name}`, hasColor)}: ${summary}`,
    "",
    ...examples.map((example) => `  ${ranks}deno task ${example}`),
    ...(groups.length > 0 ? ["", ...groups] : []),
    ...notesOf(name),
  ].join("\n");
}

/** What is said about a setting in a list: its meaning and what it may be. */
export function aboutOf(key: Key): string {
  const setting = settingOf(key);
  return joined(setting.meaning, setting);
}

/** Defaults that differ under recipes and with DATA: `linear, xor: none; DATA: auto`. */
export function presetsOf(key: Key, suits: readonly (RecipeName | "DATA")[] = [...NAMES, "DATA"]): string {
  const { default: preset } = settingOf(key);
  const texts = [...new Set(suits.map((one) => presetOf(key, one)))].filter((text) => text !== preset);
  return texts.map((text) => `${suits.filter((one) => presetOf(key, one) === text).join(", ")}: ${text}`).join("; ");
}

/** The flags of a task, those for every day first. */
function linesOf(name: TaskName): Line[] {
  const keys = keysOf(name);
  const suits = [...keys.includes("RECIPE") ? NAMES : [], ...keys.includes("DATA") ? ["DATA" as const] : []];
  const settings = keys.map((key): Line => {
    const { group, default: preset, isEveryday } = settingOf(key);
    const defaults = [preset, presetsOf(key, suits)].filter(Boolean).join("; ");
    return {
      group,
      flag: flagOf(key),
      about: aboutOf(key) + (defaults && ` (${defaults})`),
      isEveryday: isEveryday === true,
    };
  });
  const extras = Object.entries(TASKS[name].extras ?? {}).map(([key, { group, meaning, reader }]): Line => ({
    group,
    flag: flagOf(key),
    about: joined(meaning, reader),
    isEveryday: true,
  }));
  return [...settings, ...extras].sort((a, b) => Number(b.isEveryday) - Number(a.isEveryday));
}

/** A flag with what is said about it; what does not fit goes on below. */
function row(flag: string, about: string, width: number): string[] {
  const lines = [`  ${flag.padEnd(width)} `];
  for (const word of about.split(" ")) {
    if (lines.at(-1)!.length + 1 + word.length > COLUMNS) lines.push(" ".repeat(width + 3));
    lines[lines.length - 1] += ` ${word}`;
  }
  return lines;
}

/** How to read the list, and where else settings come from. */
function notesOf(name: TaskName): string[] {
  const keys = keysOf(name);
  if (keys.length === 0) return [];
  const example = keys.includes("SEED") ? "SEED=7" : `${keys[0]}=...`;
  return [
    "",
    "In parentheses: the default; after a colon, that of a recipe or of --data (DATA). A flag comes",
    `before the environment (${example}), that before a line in .env. More: tasks/README.md.`,
  ];
}

function joined(meaning: string, { allowed, short = allowed }: Reader<unknown>): string {
  return short === "" ? meaning : `${meaning}: ${short}`;
}

function bold(text: string, hasColor: boolean): string {
  return hasColor ? `\x1b[1m${text}\x1b[0m` : text;
}

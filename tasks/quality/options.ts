/** The command line of `deno task quality`. */

import { closest } from "fastest-levenshtein";
import { parseCommandLine } from "../settings/command_line.ts";
import { ConfigError } from "../settings/config.ts";
import { COLUMNS } from "../settings/readers.ts";
import { flagOf, keysOf } from "../settings/settings.ts";
import { NAMES } from "./tables.ts";

/** What was asked for. */
export interface QualityOptions {
  /** Names of tables; of a folder none for all. */
  readonly tables: readonly string[];
  /** Seeds 1 to so many. */
  readonly seeds: number;
  /** Flags of train with their values. */
  readonly set: Readonly<Record<string, string>>;
  readonly folder?: string;
  readonly output?: string;
  readonly json: boolean;
}

const FLAGS = ["TABLES", "SEEDS", "SET", "FOLDER", "OUTPUT", "JSON"];

/** What the task itself says of each training. */
const OWN = ["DATA", "TARGET", "VALIDATION", "TEST", "SPLIT", "SEED", "RUN_NAME", "REPORT"];

const MOST_SEEDS = 100;

/**
 * Reads the command line.
 *
 * @throws {ConfigError} With all that is wrong.
 */
export function readOptions(args: readonly string[]): QualityOptions {
  const { values, faults } = parseCommandLine("quality", args, FLAGS, (key) => key === "JSON", false);
  const { TABLES: list, SEEDS: count, SET: text = "", FOLDER: folder, OUTPUT: output, JSON: json = "false" } = values;
  const tables = list === undefined ? folder === undefined ? NAMES : [] : COLUMNS.parse(list) ?? [];
  if (list !== undefined && tables.length === 0) {
    faults.push(`--tables is ${JSON.stringify(list)}: it takes names, A,B`);
  }
  for (const name of folder === undefined ? tables : []) {
    if (!NAMES.includes(name)) faults.push(`--tables: no table ${name}; the nearest is ${closest(name, NAMES)}`);
  }
  const seeds = Number(count ?? (folder === undefined ? 3 : 1));
  if (!Number.isInteger(seeds) || seeds < 1 || seeds > MOST_SEEDS) {
    faults.push(`--seeds is ${JSON.stringify(count)}: allowed is a whole number from 1 to ${MOST_SEEDS}`);
  }
  if (folder === "") faults.push("--folder has no value: it takes a path");
  if (output === "") faults.push("--output has no value: it takes a path");
  if (output !== undefined && folder === undefined) faults.push("--output: predictions are written only with --folder");
  if (json !== "true" && json !== "false") faults.push(`--json is ${JSON.stringify(json)}: it takes no value`);
  const set = readSet(text, faults);
  if (faults.length > 0) throw new ConfigError(faults);
  return { tables, seeds, set, folder, output, json: json === "true" };
}

/** Settings as `name=value,name=value`; a value may have commas, too. */
function readSet(text: string, faults: string[]): Record<string, string> {
  const keys = keysOf("train").filter((key) => !OWN.includes(key));
  const known = new Set(keys.map(flagOf));
  const set: Record<string, string> = {};
  for (const pair of text === "" ? [] : text.split(/,(?=\s*[\w-]+=)/)) {
    const at = pair.indexOf("=");
    const flag = flagOf(pair.slice(0, Math.max(0, at)).trim().replaceAll("-", "_"));
    if (known.has(flag)) set[flag] = pair.slice(at + 1);
    else if (at < 1) faults.push(`--set: ${JSON.stringify(pair)} gives no setting a value, as members=1 does`);
    else faults.push(`--set: quality takes no ${flag.slice(2)}; the nearest is ${closest(flag, [...known]).slice(2)}`);
  }
  return set;
}

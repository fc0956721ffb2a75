/** The bench's command line. */

import { parseCommandLine } from "../settings/command_line.ts";
import { ConfigError } from "../settings/config.ts";

/** What the bench was asked to do. */
export interface Options {
  /** Short rounds, few sizes. */
  quick: boolean;
  /** Fail where a floor is not held. */
  floor: boolean;
  /** Where the results go as JSON; "-" for stdout. */
  json?: string;
}

/** The help text. */
export const USAGE = `deno task bench [flags]: times this project and its peers, in turn, on the same workloads

  --quick      a minute instead of thirteen: short rounds, few sizes, nothing at a million rows
  --floor      exit with 1 where this project falls below half of a goal on a software adapter
  --json FILE  also write the results as JSON; - writes them to stdout, and the tables to stderr
  --help       print this`;

/**
 * Reads the bench's command line.
 *
 * @throws {ConfigError} With all that is wrong.
 */
export function readOptions(args: readonly string[]): Options {
  const isSwitch = (key: string) => key !== "JSON";
  const { values, faults } = parseCommandLine("bench", args, ["QUICK", "FLOOR", "JSON"], isSwitch, false);
  const read = (key: "QUICK" | "FLOOR") => {
    const text = values[key] ?? "false";
    if (text !== "true" && text !== "false") faults.push(`--${key.toLowerCase()} is "${text}": it takes no value`);
    return text === "true";
  };
  const options = { quick: read("QUICK"), floor: read("FLOOR"), json: values.JSON };
  if (options.json === "") faults.push("--json has no value: it takes a path, or - for stdout");
  if (faults.length > 0) throw new ConfigError(faults);
  return options;
}

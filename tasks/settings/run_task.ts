/** Runs a task: help, settings, errors in one line, and the exit code. */

import { printable, shorten } from "../../lib/base/printable.ts";
import { DeviceError } from "../../lib/base/errors.ts";
import { RankFault } from "../../lib/ranks/together.ts";
import { endOfFlags } from "./command_line.ts";
import { ConfigError, readConfig, type TaskConfig, type TaskName } from "./config.ts";
import { checkDataFolder, DATA_FOLDER } from "./data_folder.ts";
import { usage } from "./help.ts";
import { warnLine } from "./lines.ts";
import { TASKS } from "./task_list.ts";
import { isRefusal } from "./users_files.ts";

/** The tasks that read or write data/. */
const USES_DATA: readonly TaskName[] = [
  "gen-data",
  "scale",
  "train",
  "train-mpi",
  "tune",
  "tune-mpi",
  "compare",
  "predict",
  "evaluate",
  "export",
  "report",
  "explain",
];

/** Flags that say where a task writes. */
const PLACES = ["OUTPUT", "SVG", "CONFUSION"];

/** How Deno refuses what a task's permissions do not allow, and where. */
const NOT_CAPABLE =
  /Requires (\S+) access to "(.*?)", run again with the --allow-\S+ flag|, run again with the --allow-\S+ flag/;

/** The most characters of a message. */
const MAX_MESSAGE = 20_000;

/** Errors of the JavaScript engine itself: they are faults of this program and show their stack. */
const ENGINE_ERRORS = new RegExp(
  "^Cannot (read propert|set propert|convert undefined|destructure property|access '|mix BigInt)|" +
    "is not (a function|iterable|a constructor|defined)|^Assignment to|" +
    "^Invalid (array|typed array|string|DataView) length|^Maximum call stack|^Array buffer allocation",
);

/** EMFILE and ENFILE: of this process, and of the whole system. */
const OUT_OF_FILES = /\(os error 2[34]\)/;
const MORE_FILES = "what to do: allow more open files in this shell, as `ulimit -n 4096` does, and start again";

/**
 * Runs a task's main function and ends the process. The exit code is 0 or the number that it returns, 2 if settings are
 * wrong, and 1 on any other error. Only errors that no user can cause show a stack.
 */
export async function runTask(
  name: TaskName,
  main: (config: TaskConfig) => Promise<number | void>,
  read: typeof readConfig = readConfig,
): Promise<never> {
  Deno.exit(await exitCodeOf(name, Deno.args, main, read));
}

export async function exitCodeOf(
  name: TaskName,
  args: readonly string[],
  main: (config: TaskConfig) => Promise<number | void>,
  read: typeof readConfig = readConfig,
): Promise<number> {
  try {
    const flags = args.slice(0, endOfFlags(args));
    if (flags.includes("--help") || flags.includes("-h")) {
      const hasColor = Deno.stdout.isTerminal() && !Deno.noColor;
      console.log(usage(name, { all: flags.includes("--all"), hasColor }));
      return 0;
    }
    if (USES_DATA.includes(name)) checkDataFolder();
    const config = read(name, args);
    return await main(config) ?? 0;
  } catch (error) {
    // The reader of stdout has closed it, as head does.
    if (error instanceof Deno.errors.BrokenPipe) return 0;
    warnLine(describeError(name, error));
    return error instanceof ConfigError ? 2 : 1;
  }
}

/** An error as users should see it. */
export function describeError(name: string, error: unknown): string {
  // Messages quote files, and a terminal must not obey their contents.
  return printable(shorten(textOf(name, error), MAX_MESSAGE), "\n");
}

function textOf(name: string, error: unknown): string {
  if (error instanceof ConfigError) {
    const faults = error.faults.map((fault) => `error: ${fault}`);
    return [...faults, `deno task ${name} --help lists what is allowed`].join("\n");
  }
  if (!(error instanceof Error)) return `error: ${error}`;
  if (error instanceof Deno.errors.NotCapable) return `error: ${permissionText(name, error.message)}`;
  if (isWriteRefusal(error)) return `error: ${error.message.replace(/(?=\n|$)/, `: ${placeHint(name)}`)}`;
  const remedy = OUT_OF_FILES.test(error.message) ? `\n${MORE_FILES}` : "";
  return isExpected(error) ? `error: ${error.message}${remedy}` : `error: ${error.stack ?? error.message}`;
}

/** A permission that is missing, in words of this project: `--allow-all` is not what is wanted. */
function permissionText(task: string, message: string): string {
  return message.replace(NOT_CAPABLE, (_, kind?: string, path?: string) => {
    if (kind === "all") {
      return `Cannot open ${path}: of /dev, /proc and /sys a task may open only /dev/null, /dev/stdout and /dev/stderr; ` +
        "use a file in another folder";
    }
    const what = kind === undefined ? "" : `This requires ${kind} access to ${path}`;
    return `${what}, which Deno was not told to allow: start it as \`deno task ${task}\`, which allows what it needs`;
  });
}

/** Whether the system does not let the task write somewhere. To a read-only disk only writing is refused. */
function isWriteRefusal(error: Error): boolean {
  const isWriting = /^Cannot write|: (?:mkdir|rename|remove|symlink|truncate)\b/.test(error.message);
  return isRefusal(error) && (isWriting || !(error instanceof Deno.errors.PermissionDenied));
}

/** Where else a task can write. */
function placeHint(task: string): string {
  const flags = PLACES.filter((key) => TASKS[task as TaskName]?.extras?.[key]).map((key) => `--${key.toLowerCase()}`);
  if (flags.length > 0) return `${flags.join(" and ")} can name another place`;
  return `make ${DATA_FOLDER}/ writable, or work in a copy of the project where you may write`;
}

function isExpected(error: Error): boolean {
  // What the system refuses (no space left, a read-only disk) is often a plain Error in Deno.
  if (/\(os error \d+\)/.test(error.message)) return true;
  if ([...Object.values(Deno.errors), DeviceError, RankFault].some((kind) => error instanceof kind)) return true;
  const isTold = error instanceof SyntaxError || error instanceof RangeError || error instanceof TypeError;
  return isTold && !ENGINE_ERRORS.test(error.message);
}

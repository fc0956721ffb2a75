/**
 * Times this project and its peers on the same workloads, in turn, each in a process of its own.
 *
 *     deno task bench [--quick] [--floor] [--json FILE]
 *     deno task bench --loads [--json FILE]
 *
 * Tables go to stdout, progress to stderr. The exit code is 1 if a result is wrong or a worker fails, and with --floor if this
 * project is slower than it must be.
 */

import { formatLoads, measureLoads } from "./bench/adapter/loads_table.ts";
import { measure } from "./bench/measure.ts";
import { interruptWorkers } from "./bench/processes.ts";
import { faultsOf, formatResults } from "./bench/report.ts";
import { parseCommandLine } from "./settings/command_line.ts";
import { ConfigError } from "./settings/config.ts";
import { describeError } from "./settings/run_task.ts";

const USAGE = `deno task bench [flags]: times this project and its peers, in turn, on the same workloads

  The peers are TensorFlow.js and jax-js, and on the CPU PyTorch, Burn, Candle and scikit-learn, where this machine has
  them: tasks/bench/README.md says how it gets them.

  --quick      a minute instead of thirteen or more: short rounds, few sizes, no millions of rows, no scikit-learn
  --floor      exit with 1 if this project falls below half of a goal on a software adapter
  --loads      instead: what a load costs on this adapter, by where it comes from; a few seconds
  --json FILE  also write the results as JSON; - writes them to stdout, and the tables to stderr
  --help       print this`;

/** What the bench was asked to do; `json` is "-" for stdout. */
interface Options {
  quick: boolean;
  floor: boolean;
  loads: boolean;
  json?: string;
}

/**
 * Reads the command line.
 *
 * @throws {ConfigError} With all that is wrong.
 */
export function readOptions(args: readonly string[]): Options {
  const isSwitch = (key: string) => key !== "JSON";
  const { values, faults } = parseCommandLine("bench", args, ["QUICK", "FLOOR", "LOADS", "JSON"], isSwitch, false);
  const read = (key: "QUICK" | "FLOOR" | "LOADS") => {
    const text = values[key] ?? "false";
    if (text !== "true" && text !== "false") faults.push(`--${key.toLowerCase()} is "${text}": it takes no value`);
    return text === "true";
  };
  const options = { quick: read("QUICK"), floor: read("FLOOR"), loads: read("LOADS"), json: values.JSON };
  if (options.json === "") faults.push("--json has no value: it takes a path, or - for stdout");
  const others = options.loads ? (["quick", "floor"] as const).filter((key) => options[key]) : [];
  faults.push(
    ...others.map((key) =>
      `--${key} is for training and products, which --loads does not time: leave out one of the two`
    ),
  );
  if (faults.length > 0) throw new ConfigError(faults);
  return options;
}

/** Measures in a folder of its own, and removes it. */
async function bench(args: readonly string[]): Promise<number> {
  const { quick, floor, loads, json } = readOptions(args);
  const folder = await Deno.makeTempDir({ prefix: "backhand_bench_" });
  Deno.addSignalListener("SIGINT", interruptWorkers);
  try {
    if (loads) {
      const result = await measureLoads();
      await deliver(formatLoads(result), result, json);
      return 0;
    }
    const results = await measure(quick, folder);
    await deliver(formatResults(results), results, json);
    const faults = faultsOf(results, floor);
    for (const fault of faults) console.error(`error: ${fault}`);
    return faults.length > 0 ? 1 : 0;
  } finally {
    Deno.removeSignalListener("SIGINT", interruptWorkers);
    await Deno.remove(folder, { recursive: true });
  }
}

/** Prints a text, and writes the same as JSON where that is asked for. */
async function deliver(text: string, result: unknown, json: string | undefined): Promise<void> {
  const print = json === "-" ? console.error : console.log;
  print(text);
  const written = JSON.stringify(result, null, 2);
  if (json === "-") console.log(written);
  else if (json !== undefined) await Deno.writeTextFile(json, written + "\n");
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(USAGE);
    return 0;
  }
  try {
    return await bench(args);
  } catch (error) {
    if (error instanceof Deno.errors.Interrupted) return 130;
    console.error(describeError("bench", error));
    return error instanceof ConfigError ? 2 : 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));

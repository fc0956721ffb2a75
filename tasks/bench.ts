/**
 * Times this project and its peers on the same workloads, in turn, each in a process of its own.
 *
 *     deno task bench [--quick] [--floor] [--json FILE]
 *
 * Tables go to stdout, what is under way to stderr. The exit code is 1 where a result is wrong or a worker fails, and with
 * --floor where this project is slower than it must be.
 */

import { measure } from "./bench/measure.ts";
import { readOptions, USAGE } from "./bench/options.ts";
import { interruptWorkers } from "./bench/processes.ts";
import { faultsOf, formatResults } from "./bench/report.ts";
import { ConfigError } from "./settings/config.ts";
import { describeError } from "./settings/run_task.ts";

/** Measures in a folder of its own, which goes with it. */
async function bench(args: readonly string[]): Promise<number> {
  const { quick, floor, json } = readOptions(args);
  const folder = await Deno.makeTempDir({ prefix: "backhand_bench_" });
  Deno.addSignalListener("SIGINT", interruptWorkers);
  try {
    const results = await measure(quick, folder);
    const print = json === "-" ? console.error : console.log;
    print(formatResults(results));
    const text = JSON.stringify(results, null, 2);
    if (json === "-") console.log(text);
    else if (json !== undefined) await Deno.writeTextFile(json, text + "\n");
    const faults = faultsOf(results, floor);
    for (const fault of faults) console.error(`error: ${fault}`);
    return faults.length > 0 ? 1 : 0;
  } finally {
    Deno.removeSignalListener("SIGINT", interruptWorkers);
    await Deno.remove(folder, { recursive: true });
  }
}

/** Tells errors as the other tasks do. */
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

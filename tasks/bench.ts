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
import { endWorkers } from "./bench/processes.ts";
import { faultsOf, formatResults } from "./bench/report.ts";
import { ConfigError } from "./config.ts";
import { describeError } from "./run_task.ts";

/** A folder of its own for what is made along the way; it goes with the bench. */
async function bench(args: readonly string[]): Promise<number> {
  const { quick, floor, json } = readOptions(args);
  const folder = await Deno.makeTempDir({ prefix: "backhand_bench_" });
  const cleanUp = async () => {
    await endWorkers();
    await Deno.remove(folder, { recursive: true });
  };
  let isInterrupted = false;
  const interrupt = async () => {
    isInterrupted = true;
    await cleanUp();
    Deno.exit(130);
  };
  Deno.addSignalListener("SIGINT", interrupt);
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
    Deno.removeSignalListener("SIGINT", interrupt);
    if (!isInterrupted) await cleanUp();
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
    console.error(describeError("bench", error));
    return error instanceof ConfigError ? 2 : 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));

/** Times two ranks beside one process, and projects to many. */

import { parseCommandLine } from "../settings/command_line.ts";
import { ConfigError } from "../settings/config.ts";
import { type Exchange, project, type Runs } from "./projection.ts";
import { describeError } from "../settings/run_task.ts";
import { formatTable } from "../show/text_table.ts";

const USAGE = `deno task bench-mpi [--rounds N]: times two ranks beside one process on the deep workload of bench

  --rounds N  how often each is timed (3)
  --help      print this`;

/** What is timed: arguments of tasks/bench/ranks_worker.ts, on how many ranks, and what is ideal for it. */
const RUNS = {
  "one process on both cores": { ranks: 1, args: ["alone", "2", "1", "256"], ideal: "two that never meet" },
  "two that never meet": { ranks: 2, args: ["apart", "1", "1", "128"], ideal: "two that never meet" },
  "two, each step shared": { ranks: 2, args: ["mpi", "1", "1", "128"], ideal: "two that never meet" },
  "two, --sync-every 4": { ranks: 2, args: ["mpi", "1", "4", "128"], ideal: "two that never meet" },
  "two, --sync-every 16": { ranks: 2, args: ["mpi", "1", "16", "128"], ideal: "two that never meet" },
  "two that never meet, 1,024 rows": {
    ranks: 2,
    args: ["apart", "1", "1", "1024"],
    ideal: "two that never meet, 1,024 rows",
  },
  "two, each step shared, 1,024 rows": {
    ranks: 2,
    args: ["mpi", "1", "1", "1024"],
    ideal: "two that never meet, 1,024 rows",
  },
} as const;

/** A line of the worker. */
interface Timed {
  readonly rowsPerSecond: number;
  readonly stepSeconds: number;
  readonly bytesPerStep: number;
}

/** The worker's lines on rank 0. */
async function work(ranks: number, args: readonly string[], launch: readonly string[] = []): Promise<string[]> {
  const path = (name: string) => decodeURIComponent(new URL(name, import.meta.url).pathname);
  const flags = ["--quiet", "--no-prompt", "--no-check", "--config", path("../../deno.json"), "--allow-env"];
  const words = [Deno.execPath(), "run", ...flags, "--allow-ffi", path("ranks_worker.ts"), ...args];
  const root = Deno.uid() === 0 ? ["--allow-run-as-root"] : [];
  const mpirun = [...root, "--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1", ...launch];
  const [program, ...rest] = ranks === 1 ? words : ["mpirun", ...mpirun, "-n", `${ranks}`, ...words];
  const { success, stdout, stderr } = await new Deno.Command(program, { args: rest, stdin: "null" }).output();
  if (!success) throw new Error(`${program} failed: ${new TextDecoder().decode(stderr).trim()}`);
  return new TextDecoder().decode(stdout).trim().split("\n");
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

async function timeRuns(rounds: number): Promise<Record<keyof typeof RUNS, Timed[]>> {
  const timed = Object.fromEntries(Object.keys(RUNS).map((name) => [name, [] as Timed[]]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, { ranks, args }] of Object.entries(RUNS)) {
      console.error(`round ${round + 1} of ${rounds}: ${name}`);
      timed[name].push(JSON.parse((await work(ranks, [...args, "2"]))[0]));
    }
  }
  return timed as Record<keyof typeof RUNS, Timed[]>;
}

/** Seconds of an exchange between two ranks, by bytes. */
async function timeExchange(btl: string): Promise<Exchange[]> {
  return (await work(2, ["exchange"], ["--mca", "btl", btl])).map((line) => JSON.parse(line));
}

async function bench(rounds: number): Promise<void> {
  const timed = await timeRuns(rounds);
  const rows = Object.entries(RUNS).map(([name, { ideal }]) => {
    const runs = timed[name as keyof typeof RUNS];
    const shares = runs.map(({ rowsPerSecond }, i) => rowsPerSecond / timed[ideal][i].rowsPerSecond);
    const of = (key: keyof Timed, digits: number, factor = 1) =>
      (factor * median(runs.map((run) => run[key]))).toFixed(digits);
    return [name, of("stepSeconds", 1, 1000), of("rowsPerSecond", 0), median(shares).toFixed(2), of("bytesPerStep", 0)];
  });
  console.log(
    formatTable([["deep workload, 128 rows a rank", "ms a step", "rows/s", "of ideal", "bytes a step"], ...rows]),
  );
  const shared = await timeExchange("self,vader");
  const tcp = await timeExchange("self,tcp");
  const milliseconds = (seconds: number) => (1000 * seconds).toFixed(3);
  const lines = shared.map((
    { bytes, seconds },
    i,
  ) => [`${bytes}`, milliseconds(seconds), milliseconds(tcp[i].seconds)]);
  console.log(`\n${formatTable([["all-reduce of bytes", "shared memory, ms", "TCP, ms"], ...lines])}`);
  const step = (name: keyof typeof RUNS) => median(timed[name].map(({ stepSeconds }) => stepSeconds));
  const runs: Runs = {
    compute: step("two that never meet"),
    shared: step("two, each step shared"),
    local: step("two, --sync-every 16"),
    bytes: median(timed["two, each step shared"].map(({ bytesPerStep }) => bytesPerStep)),
  };
  console.log(`\n${project(runs, shared, tcp)}`);
}

export async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(USAGE);
    return 0;
  }
  try {
    const { values, faults } = parseCommandLine("bench-mpi", args, ["ROUNDS"], () => false, false);
    const rounds = Number(values.ROUNDS ?? 3);
    if (!Number.isInteger(rounds) || rounds < 1) faults.push(`--rounds is "${values.ROUNDS}": allowed is 1 or more`);
    if (faults.length > 0) throw new ConfigError(faults);
    await bench(rounds);
    return 0;
  } catch (error) {
    console.error(describeError("bench-mpi", error));
    return error instanceof ConfigError ? 2 : 1;
  }
}

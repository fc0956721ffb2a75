/**
 * Times two ranks and one process, and computes what many ranks would reach. A step that n ranks share takes
 *
 *     t(n) = compute + wait + 2 ceil(log2 n) latency + 2 (n - 1) / n * bytes / bandwidth
 *
 * where compute is the step of ranks that never meet, wait is what an exchange costs a rank itself (reading back, and more),
 * and the rest is the all-reduce of Rabenseifner 2004, whose bytes no other undercuts (Patarasuk and Yuan 2009). With
 * --sync-every K one step in K has the wait and the all-reduce. Every rank keeps its rows: ideal is n times the rate of one.
 */

import { parseCommandLine } from "../settings/command_line.ts";
import { ConfigError } from "../settings/config.ts";
import { describeError } from "../settings/run_task.ts";
import { formatTable } from "../show/text_table.ts";
import { median } from "./results.ts";

const USAGE = `deno task bench-mpi [--rounds N]: times two ranks and one process on the deep workload of bench

  --rounds N  how often each is timed (3)
  --help      print this`;

const APART = "two that never meet";
const SHARED = "two, each step shared";

/** Steps between two meetings in the projection, and numbers of ranks. */
const LOCAL = 16;
const SIZES = [2, 64, 1024];

const LOCAL_STEPS = `two, --sync-every ${LOCAL}`;

/** What is timed: ranks, arguments of tasks/bench/ranks_worker.ts, and the row of the table that is ideal for it. */
const RUNS: readonly (readonly [name: string, ranks: number, args: string, ideal: string])[] = [
  ["one process on both cores", 1, "alone 2 1 256", APART],
  [APART, 2, "apart 1 1 128", APART],
  [SHARED, 2, "mpi 1 1 128", APART],
  ["two, --sync-every 4", 2, "mpi 1 4 128", APART],
  [LOCAL_STEPS, 2, `mpi 1 ${LOCAL} 128`, APART],
  [`${APART}, 1,024 rows`, 2, "apart 1 1 1024", `${APART}, 1,024 rows`],
  [`${SHARED}, 1,024 rows`, 2, "mpi 1 1 1024", `${APART}, 1,024 rows`],
];

interface Timed {
  readonly rowsPerSecond: number;
  readonly stepSeconds: number;
  readonly bytesPerStep: number;
}

interface Exchange {
  readonly bytes: number;
  readonly seconds: number;
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

/** Times all-reduces over a transport of Open MPI. */
async function timeExchange(transport: string): Promise<Exchange[]> {
  return (await work(2, ["exchange"], ["--mca", "btl", transport])).map((line) => JSON.parse(line));
}

async function bench(rounds: number): Promise<void> {
  const timed: Record<string, Timed[]> = Object.fromEntries(RUNS.map(([name]) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, ranks, args] of RUNS) {
      console.error(`round ${round + 1} of ${rounds}: ${name}`);
      timed[name].push(JSON.parse((await work(ranks, [...args.split(" "), "2"]))[0]));
    }
  }
  const of = (name: string, key: keyof Timed) => median(timed[name].map((run) => run[key]));
  const rows = RUNS.map(([name, _ranks, _args, ideal]) => {
    const shares = timed[name].map(({ rowsPerSecond }, i) => rowsPerSecond / timed[ideal][i].rowsPerSecond);
    return [
      name,
      (1000 * of(name, "stepSeconds")).toFixed(1),
      of(name, "rowsPerSecond").toFixed(0),
      median(shares).toFixed(2),
      of(name, "bytesPerStep").toFixed(0),
    ];
  });
  console.log(
    formatTable([["deep workload, 128 rows a rank", "ms/step", "rows/s", "of ideal", "bytes/step"], ...rows]),
  );
  const memory = await timeExchange("self,vader");
  const tcp = await timeExchange("self,tcp");
  const lines = memory.map(({ bytes, seconds }, i) => [
    `${bytes}`,
    (1000 * seconds).toFixed(3),
    (1000 * tcp[i].seconds).toFixed(3),
  ]);
  console.log(`\n${formatTable([["all-reduce of bytes", "shared memory, ms", "TCP, ms"], ...lines])}`);
  const compute = of(APART, "stepSeconds");
  const bytes = of(SHARED, "bytesPerStep");
  const here = allReduceSeconds(2, bytes, memory);
  const wait = Math.max(of(SHARED, "stepSeconds") - compute - here, 0);
  const localWait = Math.max(LOCAL * (of(LOCAL_STEPS, "stepSeconds") - compute) - here, 0);
  console.log(`\n${project(compute, wait, localWait, bytes, tcp)}`);
}

/** Latency in seconds and bytes per second of a network, where an all-reduce of two ranks takes `2 latency + bytes / bandwidth`. */
function networkOf(exchanges: readonly Exchange[]): { latency: number; bandwidth: number } {
  const small = exchanges[0];
  const large = exchanges.at(-1)!;
  const bandwidth = (large.bytes - small.bytes) / Math.max(large.seconds - small.seconds, 1e-9);
  return { latency: Math.max(small.seconds - small.bytes / bandwidth, 0) / 2, bandwidth };
}

function allReduceSeconds(ranks: number, bytes: number, exchanges: readonly Exchange[]): number {
  const { latency, bandwidth } = networkOf(exchanges);
  return 2 * Math.ceil(Math.log2(ranks)) * latency + 2 * (ranks - 1) / ranks * bytes / bandwidth;
}

function project(compute: number, wait: number, localWait: number, bytes: number, tcp: readonly Exchange[]): string {
  const { latency, bandwidth } = networkOf(tcp);
  const rows = SIZES.map((ranks) => {
    const seconds = allReduceSeconds(ranks, bytes, tcp);
    const each = compute / (compute + wait + seconds);
    const own = compute / (compute + (localWait + seconds) / LOCAL);
    return [`${ranks}`, (1000 * seconds).toFixed(2), each.toFixed(2), own.toFixed(2)];
  });
  const ms = (value: number) => `${(1000 * value).toFixed(2)} ms`;
  return [
    `compute ${ms(compute)} a step, wait ${ms(wait)}, wait after ${LOCAL} steps ${ms(localWait)}, ` +
    `${Math.round(bytes)} bytes; TCP: latency ${(1e6 * latency).toFixed(0)} us, ${(bandwidth / 1e9).toFixed(2)} GB/s`,
    formatTable([["ranks", "all-reduce, ms", "of ideal, shared steps", `of ideal, --sync-every ${LOCAL}`], ...rows]),
  ].join("\n");
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

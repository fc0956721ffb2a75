/** What a load costs: starts the worker loads.ts, and shows what it found with what it ran on. */

import { formatTable } from "../../show/text_table.ts";
import { runWorker } from "../processes.ts";

/** Turns of a timed loop. */
export const TURNS = 1000;

/** What loads.ts reports. */
export interface LoadsResult {
  device: string;
  software: boolean;
  /** Undefined where the system does not say. */
  cpu?: string;
  /** The package that the driver came in, with its version; undefined where no package manager knows one. */
  driver?: string;
  rows: LoadRow[];
}

export interface LoadRow {
  name: string;
  /** Of one turn of a loop for 8 lanes, or of one dispatch. */
  nanoseconds: number;
}

/** How long a round of one row lasts at most, in seconds. Short ones find a gap between what else runs on the machine. */
const ROUND_SECONDS = 0.005;

/** How package managers are asked for the version of Mesa's drivers. WebGPU does not say it. */
const PACKAGE = "mesa-vulkan-drivers";
const QUERIES = [
  ["dpkg-query", "--show", "--showformat=${Version}", PACKAGE],
  ["rpm", "--query", "--queryformat=%{VERSION}-%{RELEASE}", PACKAGE],
];

/**
 * Times every kind of load.
 *
 * @throws {Error} If the worker fails.
 */
export async function measureLoads(): Promise<LoadsResult> {
  const flags = ["--allow-env=XDG_RUNTIME_DIR,LP_NUM_THREADS", "--allow-sys=cpus", "--allow-read=tasks/bench"];
  const start = { script: "tasks/bench/adapter/loads.ts", args: [`${ROUND_SECONDS}`], flags };
  const result = (await runWorker(start) as LoadsResult[])[0];
  return { ...result, driver: result.software ? await findDriver() : undefined };
}

/** As text: the machine, the table, and what a row holds. */
export function formatLoads({ device, cpu, driver, rows }: LoadsResult): string {
  return [
    `device: ${device}`,
    `CPU: ${cpu ?? "unknown, the system does not say"}`,
    `driver: ${driver ?? "unknown, WebGPU does not say"}`,
    "",
    formatTable([
      [`8 lanes, one of ${TURNS.toLocaleString("en")} in a loop`, "ns"],
      ...rows.map(({ name, nanoseconds }) => [name, formatNanoseconds(nanoseconds)]),
    ]),
    "",
    "Each row down to exp holds its loop, index and multiply-add, too, and a barrier its loop and multiply-add.",
  ].join("\n");
}

/** Three digits of a small number, all whole ones of a large. */
function formatNanoseconds(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : `${Number(value.toPrecision(3))}`;
}

/** The package of Mesa's Vulkan drivers that is installed. */
async function findDriver(): Promise<string | undefined> {
  for (const [program, ...args] of QUERIES) {
    const command = new Deno.Command(program, { args, stdin: "null", stderr: "null" });
    try {
      const { success, stdout } = await command.output();
      if (success) return `${PACKAGE} ${new TextDecoder().decode(stdout).trim()}`;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

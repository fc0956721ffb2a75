/**
 * Starts jobs of MPI as `mpirun` does for users, on a machine with fewer cores than ranks, as root or not, and keeps what
 * each rank said apart.
 */

import { assertEquals } from "@std/assert";
import { IS_PERMITTED } from "./permitted.ts";
import { argumentsOf, COVERAGE, environmentOf, type Outcome, pathInProject, Workplace } from "./run_task_process.ts";

/** Whether this system has Open MPI at all; where a test is skipped for it, this says so. */
export const HAS_MPI: boolean = Deno.build.os === "linux";
if (!HAS_MPI) console.warn(`MPI is not tested on ${Deno.build.os}: Open MPI is installed on Linux alone`);

/** Whether this system has Mesa's software driver for Vulkan; `deno task setup` installs it only if there is no adapter. */
export const HAS_VULKAN: boolean = IS_PERMITTED && HAS_MPI &&
  new Deno.Command("sh", { args: ["-c", "PATH=$PATH:/sbin ldconfig -p | grep -q libvulkan_lvp"] }).outputSync().success;
if (IS_PERMITTED && HAS_MPI && !HAS_VULKAN) console.warn("Vulkan is not tested: there is no libvulkan_lvp.so");

/**
 * What mpirun says on a busy machine though nothing is wrong: a child that is already at its own program has made its
 * process group itself, and its parent, which does so too to be sure, comes too late.
 */
const TOO_LATE = /^\[.*\] plm:rsh: Warning: setpgid\(\d+,\d+\) failed in parent with errno=Permission denied\(13\)\n/gm;

const COVERED = IS_PERMITTED ? Deno.env.get(COVERAGE) : undefined;

/** What each rank runs, and where. */
export interface JobOptions {
  /** How many ranks. */
  ranks: number;
  /** Arguments of deno. */
  command: readonly string[];
  /** How ranks reach each other, Open MPI's names of ways; by default by shared memory, and TCP. */
  btl?: string;
  /** More arguments of mpirun. */
  launch?: readonly string[];
  /** What starts mpirun elsewhere, to stand before it. */
  enter?: readonly string[];
  /** More of the environment. */
  env?: Record<string, string>;
  /** The folder in which ranks run; by default the project's. */
  cwd?: string;
  /** By when all must have ended, or be ended. */
  deadlineSeconds?: number;
}

/** What a rank said. */
type Said = Pick<Outcome, "stdout" | "stderr">;

/** How a job ended: the exit code of mpirun, 0 only where all ranks ended well, and what these and mpirun itself said. */
export interface JobOutcome {
  code: number;
  ranks: Said[];
  launcher: string;
  /** Whether it had to be ended at its deadline. */
  isLate: boolean;
}

/** Arguments of deno for a script of tests that speaks MPI and does nothing else. */
export function rankScript(name: string, ...args: string[]): string[] {
  const options = ["--no-prompt", "--quiet", "--no-check", "--config", pathInProject("deno.json"), "--allow-ffi"];
  return ["run", ...options, pathInProject(`tests/${name}`), ...args];
}

/** A job that runs. Disposing of it ends it. */
export class MpiJob implements AsyncDisposable {
  readonly #place: Workplace;
  readonly #child: Deno.ChildProcess;
  readonly #ranks: number;
  /** How it ends. */
  readonly ended: Promise<JobOutcome>;

  private constructor(place: Workplace, child: Deno.ChildProcess, ranks: number, deadlineSeconds: number) {
    this.#place = place;
    this.#child = child;
    this.#ranks = ranks;
    this.ended = this.#watch(deadlineSeconds);
  }

  static async start(options: JobOptions): Promise<MpiJob> {
    const { ranks, command, launch = [], enter = [], deadlineSeconds = 60 } = options;
    const place = await Workplace.create();
    // Ranks that wait leave their core to others; no other fabric is looked for, and none is missed. Containers may have next
    // to nothing in /dev/shm.
    const ways = "--mca mpi_yield_when_idle 1 --mca pml ob1 --mca btl_vader_single_copy_mechanism none";
    const args = [
      ...(Deno.uid() === 0 ? ["--allow-run-as-root"] : []),
      ...`--oversubscribe --bind-to none -n ${ranks} ${ways} --mca btl ${options.btl ?? "self,vader,tcp"}`.split(" "),
      "--output-filename",
      `${place.at("out")}:nocopy`,
      ...`--mca btl_vader_backing_directory ${place.path}`.split(" "),
      ...launch,
      Deno.execPath(),
      ...command,
    ];
    // Into a file: pipes would stay open as long as a daemon on another host has them.
    const words = [...enter, "sh", "-c", 'exec "$@" >"$0" 2>&1', place.at("launcher"), "mpirun", ...args];
    const child = new Deno.Command(words[0], {
      args: words.slice(1),
      cwd: options.cwd ?? pathInProject(""),
      clearEnv: true,
      // What speaks MPI runs in ranks alone: only they can say that it ran.
      env: environmentOf({ NO_COLOR: "1", ...(COVERED ? { [COVERAGE]: COVERED } : {}), ...options.env }),
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    return new MpiJob(place, child, ranks, deadlineSeconds);
  }

  /** What a rank has said so far. */
  async said(rank: number): Promise<Said> {
    const folder = this.#place.at("out/1");
    const width = `${this.#ranks - 1}`.length;
    const read = (name: string) =>
      Deno.readTextFile(`${folder}/rank.${`${rank}`.padStart(width, "0")}/${name}`).catch((error) => {
        if (error instanceof Deno.errors.NotFound) return ""; // it has not started
        throw error;
      });
    return { stdout: await read("stdout"), stderr: await read("stderr") };
  }

  /** Waits until a rank has said something. */
  async until(rank: number, pattern: RegExp, stream: keyof Said = "stdout"): Promise<RegExpMatchArray> {
    for (let isOver = false;;) {
      const match = (await this.said(rank))[stream].match(pattern);
      if (match) return match;
      if (isOver) throw new Error(`rank ${rank} never said ${pattern}: ${JSON.stringify(await this.ended)}`);
      isOver = await Promise.race([this.ended.then(() => true), sleep(20)]);
    }
  }

  async #watch(deadlineSeconds: number): Promise<JobOutcome> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#end();
    }, 1000 * deadlineSeconds);
    const { code } = await this.#child.status;
    clearTimeout(timer);
    const launcher = (await Deno.readTextFile(this.#place.at("launcher"))).replaceAll(TOO_LATE, "");
    const ranks = await Promise.all(Array.from({ length: this.#ranks }, (_, rank) => this.said(rank)));
    return { code, ranks, launcher, isLate };
  }

  /** Ends all ranks: mpirun does that when it is asked to end, and otherwise they lose it. */
  async #end(): Promise<void> {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      try {
        this.#child.kill(signal);
      } catch {
        return; // it has ended
      }
      if (await Promise.race([this.ended.then(() => true), sleep(5000)])) return;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
    await this.ended;
    await this.#place[Symbol.asyncDispose]();
  }
}

/** Runs a job to its end. */
export async function runJob(options: JobOptions): Promise<JobOutcome> {
  await using job = await MpiJob.start(options);
  return await job.ended;
}

/** How a task of ranks is started in a folder. */
export async function jobIn(place: Workplace, task: string, ranks: number, args: readonly string[]) {
  return { ranks, command: [...await argumentsOf(task), ...args], cwd: place.path, deadlineSeconds: 90 };
}

/** Runs a task on two ranks of which each has a last argument of its own. */
export async function runMixed(
  place: Workplace,
  task: string,
  args: readonly string[],
  last: readonly [string, string],
): Promise<JobOutcome> {
  const job = await jobIn(place, task, 2, args);
  const second = [":", "-n", "1", Deno.execPath(), ...job.command, last[1]];
  return await runJob({ ...job, launch: ["-n", "1"], command: [...job.command, last[0], ...second] });
}

/** That only the first rank said anything. */
export function assertOneSpoke({ ranks, isLate }: JobOutcome): void {
  assertEquals(isLate, false);
  assertEquals(ranks.slice(1), ranks.slice(1).map(() => ({ stdout: "", stderr: "" })));
}

/** A process of the system: its command line, and its environment as NAME=value. */
export interface Process {
  pid: number;
  parent: number;
  words: string[];
  environment: string[];
}

/** The processes that work in a folder. A shell reads of them: Deno lets nobody read in /proc without all permissions. */
export async function processesIn(folder: string): Promise<Process[]> {
  const script = `find /proc/[0-9]*/cwd -maxdepth 0 -lname "$1" | while read -r at; do
    at="\${at%/cwd}" parent="$(sed -n 's/^PPid:[^0-9]*//p' "$at/status")"
    [ -n "$parent" ] || continue
    echo "\${at#/proc/} $parent"
    tr '\\000\\n' '\\n ' <"$at/cmdline" | sed 's/^/w/'
    tr '\\000\\n' '\\n ' <"$at/environ" | sed 's/^/e/'
  done`;
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script, "sh", folder], stderr: "null" }).output();
  const processes: Process[] = [];
  for (const line of new TextDecoder().decode(stdout).split("\n")) {
    const [_, pid, parent] = line.match(/^(\d+) (\d+)$/) ?? [];
    if (pid !== undefined) processes.push({ pid: Number(pid), parent: Number(parent), words: [], environment: [] });
    else if (line.startsWith("w")) processes.at(-1)?.words.push(line.slice(1));
    else if (line.startsWith("e")) processes.at(-1)?.environment.push(line.slice(1));
  }
  return processes.sort((a, b) => a.pid - b.pid);
}

function sleep(milliseconds: number): Promise<false> {
  return new Promise((resolve) => Deno.unrefTimer(setTimeout(resolve, milliseconds, false) as unknown as number));
}

/** The environment of tasks that tests start, and the process that runs one after the other for `Workplace.inSeries()`. */

import { assertMatch } from "@std/assert";
import { KEYS } from "../../tasks/settings/settings.ts";

export type Environment = Record<string, string>;

/**
 * Of the software adapter's threads only the one that is always there. Others shorten no step of the small networks here:
 * they wait for each other, and for a core where test files run beside each other. Tests' own devices keep all threads.
 */
const SINGLE_THREADED = { LP_NUM_THREADS: "0" };

/** What runs of tests leave out unless they are asked for it: each takes time. */
const LEFT_OUT: Environment = { REPORT: "false", SELF_TEST: "false" };

/** Tells Deno where to write what ran. A task writes some twenty files of it, and a fifth of its time goes into them. */
export const COVERAGE = "DENO_COVERAGE_DIR";

/**
 * This process' environment without settings and without coverage, and more. What is set to nothing is as if nobody had set
 * it.
 */
export function environmentOf(env: Environment): Environment {
  // INIT_CWD is where the user of `deno task test` stood.
  const unset: string[] = [...KEYS, "INIT_CWD", COVERAGE];
  const kept = Object.entries(Deno.env.toObject()).filter(([key]) => !unset.includes(key));
  const whole: Environment = { ...Object.fromEntries(kept), ...SINGLE_THREADED, ...LEFT_OUT, ...env };
  for (const key of Object.keys(LEFT_OUT)) if (whole[key] === "") delete whole[key];
  return whole;
}

/** How a task ended and what it said. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** The tasks that can run one after the other in one process; "prepare" is what prepareIn() asks for. */
const IN_SERIES = [
  "prepare",
  "gen-data",
  "scale",
  "train",
  "predict",
  "evaluate",
  "explain",
  "compare",
  "export",
  "report",
];

/** Of these, the ones that write where their user says: their process must be one that may. */
const ANYWHERE = ["export", "report"];

/** Ends what a task says where others follow it in the same process. */
export const END = "\0end\0";

/** What may be set for a single task there: it is read when the task begins. */
const SETTINGS: readonly string[] = [...KEYS, "INIT_CWD"];

/** A process that runs tasks one after the other. */
export class Series {
  /** Whether it waits for a task. */
  isReady = true;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #said: ReadableStreamDefaultReader<string>[];

  /** @param words The command that started it. */
  constructor(readonly child: Deno.ChildProcess, readonly words: readonly string[]) {
    this.#stdin = child.stdin.getWriter();
    this.#said = [child.stdout, child.stderr].map((from) => from.pipeThrough(new TextDecoderStream()).getReader());
  }

  /** Whether it can run a task: in its own environment, or in one that has settings besides. */
  takes(task: string, env?: Environment): boolean {
    const keys = Object.keys(env ?? {});
    if (!IN_SERIES.includes(task) || !keys.every((key) => SETTINGS.includes(key))) return false;
    if (env && keys.length === 0) return false; // asks for a process of its own
    return this.words.includes("--allow-write") || !ANYWHERE.includes(task);
  }

  async run(task: string, args: readonly string[], env: Environment = {}): Promise<Outcome> {
    this.isReady = false;
    await this.#stdin.write(new TextEncoder().encode(`${JSON.stringify([task, args, env])}\n`));
    const texts = await Promise.all(this.#said.map(async (reader) => {
      let text = "";
      for (let isOver = false; !isOver && !/\0end\0\d*\n$/.test(text.slice(-20));) {
        const { value = "", done } = await reader.read();
        text += value;
        isOver = done;
      }
      return text;
    }));
    const [[stdout, code], [stderr]] = texts.map((text) => text.split(END));
    assertMatch(code ?? "", /^\d+\n$/, `the process ended in ${task} ${args.join(" ")}: ${stderr}`);
    this.isReady = true;
    return { code: Number(code), stdout, stderr };
  }

  async end(): Promise<void> {
    await this.#stdin.close();
    await Promise.all([this.child.status, ...this.#said.map((reader) => reader.cancel())]);
  }

  kill(): void {
    this.child.kill("SIGKILL");
  }
}

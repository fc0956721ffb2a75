/** Starts programs, each in a process of its own with few permissions, and ends them with the bench. */

import { SETTINGS } from "../settings/settings.ts";

const root = new URL("../../", import.meta.url);

const running = new Set<Deno.ChildProcess>();
let isInterrupted = false;

/** The size of a terminal, in characters. */
export interface TerminalSize {
  columns: number;
  rows: number;
}

export type Start = (Script | Program) & {
  args: readonly string[];
  /** Its working directory; the project's folder by default. */
  cwd?: string;
  /** The terminal that it gets instead of pipes; all output then comes on stdout. */
  terminal?: TerminalSize;
};

interface Script {
  /** The script, relative to the project's folder. */
  script: string;
  /** Its permissions, and other flags of `deno run`. */
  flags: readonly string[];
}

interface Program {
  /** Its path, or its name on `PATH`. */
  program: string;
}

/** What to do when a program prints something. */
export interface Answer {
  on: RegExp;
  by: (found: RegExpMatchArray) => Promise<unknown>;
  /** Whether the program is ended after that. */
  ends?: boolean;
}

/**
 * Runs a worker to its end, and reads the lines of JSON that it prints.
 *
 * @throws {Error} With the end of its output, if it fails or reports nothing.
 * @throws {Deno.errors.Interrupted} After {@linkcode interruptWorkers}.
 */
export async function runWorker(start: Start): Promise<unknown[]> {
  const output = await runToEnd(start);
  // Libraries may print other lines.
  const lines = output.split("\n").filter((line) => line.startsWith("{"));
  if (lines.length === 0) throw new Error(`it reported nothing: ${lastLines(output)}`);
  return lines.map((line) => JSON.parse(line));
}

/**
 * Runs a program to its end, and returns its stdout.
 *
 * @param start How to start it.
 * @param answer What to do when the program prints something, once.
 * @param hear Gets each piece of output.
 * @throws {Error} If it fails, or never prints what `answer` waits for.
 * @throws {Deno.errors.Interrupted} After {@linkcode interruptWorkers}.
 */
export async function runToEnd(
  start: Start,
  answer?: Answer,
  hear?: (text: string) => Promise<void>,
): Promise<string> {
  const child = spawn(start);
  let said = "";
  let answering: Promise<unknown> | undefined;
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    let all = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      all += text;
      said = (said + text).slice(-10_000);
      await hear?.(text);
      const found = answer && !answering && said.match(answer.on);
      if (!found) continue;
      answering = answer.by(found).finally(() => answer.ends && end(child));
      answering.catch(() => {}); // thrown below
    }
    return all;
  };
  const [output] = await Promise.all([read(child.stdout), read(child.stderr)]);
  const { success, code } = await child.status.finally(() => running.delete(child));
  checkInterrupt();
  const isEnded = answer?.ends && answering;
  if (!success && !isEnded) throw new Error(`it ended with exit code ${code}: ${lastLines(said)}`);
  if (answer && !answering) throw new Error(`it never printed ${answer.on.source}: ${lastLines(said)}`);
  await answering;
  return output;
}

/** Ends the running programs; whoever waits for one, or starts another, gets a `Deno.errors.Interrupted`. */
export function interruptWorkers(): void {
  isInterrupted = true;
  running.forEach(end);
}

function spawn(start: Start): Deno.ChildProcess {
  checkInterrupt();
  const { cwd, terminal } = start;
  const [program, ...words] = wordsOf(start);
  // Settings of tasks stay out of the environment: the defaults are measured.
  const environment = Object.entries(Deno.env.toObject()).filter(([key]) => !(key in SETTINGS));
  const command = new Deno.Command(terminal ? "script" : program, {
    args: terminal ? inTerminal([program, ...words], terminal) : words,
    cwd: cwd ?? root,
    clearEnv: true,
    env: {
      ...Object.fromEntries(environment),
      ...(terminal ? { TERM: "xterm-256color", NO_COLOR: "" } : { NO_COLOR: "1" }),
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  running.add(child);
  return child;
}

/** The command: the program and its arguments. */
function wordsOf(start: Start): string[] {
  if ("program" in start) return [start.program, ...start.args];
  const path = (name: string) => decodeURIComponent(new URL(name, root).pathname);
  const run = ["run", "--quiet", "--no-prompt", "--no-check", "--config", path("deno.json")];
  return [Deno.execPath(), ...run, ...start.flags, path(start.script), ...start.args];
}

/** Arguments of `script` (util-linux) that run a command in a terminal of its own. */
function inTerminal(words: readonly string[], { columns, rows }: TerminalSize): string[] {
  const quote = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
  const command = `stty columns ${columns} rows ${rows}; exec ${words.map(quote).join(" ")}`;
  return ["--quiet", "--return", "--command", command, "/dev/null"];
}

function checkInterrupt(): void {
  if (isInterrupted) throw new Deno.errors.Interrupted("the bench was interrupted");
}

function end(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** The error that a failed program printed, without its stack. */
function lastLines(said: string): string {
  const lines = said.trim().split("\n").filter((line) => !/^\s+at /.test(line));
  return lines.slice(-4).join(" ").replaceAll(/\s+/g, " ");
}

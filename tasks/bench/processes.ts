/** Starts workers, each in a process of its own with few permissions, and ends them with the bench. */

import { SETTINGS } from "../settings/keys.ts";
import { inTerminal, type TerminalSize } from "../pictures/terminal.ts";

const root = new URL("../../", import.meta.url);

const running = new Set<Deno.ChildProcess>();
let isInterrupted = false;

/** How to start a worker. */
export interface Start {
  /** The script, as from the project's folder. */
  script: string;
  args: readonly string[];
  /** Its permissions, and what else `deno run` is told. */
  flags: readonly string[];
  /** Where it works; the project's folder by default. */
  cwd?: string;
  /** The terminal that it has in place of pipes. */
  terminal?: TerminalSize;
}

/** What to do about something that a program says. */
export interface Answer {
  on: RegExp;
  by: (found: RegExpMatchArray) => Promise<void>;
}

/**
 * Runs a worker to its end.
 *
 * @throws {Error} With the end of its stderr, if it fails or reports nothing.
 * @throws {Deno.errors.Interrupted} After {@linkcode interruptWorkers}.
 */
export async function runWorker(start: Start): Promise<unknown[]> {
  const child = spawn(start);
  const { success, code, stdout, stderr } = await child.output().finally(() => running.delete(child));
  checkInterrupt();
  const decoder = new TextDecoder();
  const said = decoder.decode(stderr).trim();
  if (!success) throw new Error(`it ended with ${code}: ${lastLines(said)}`);
  // Libraries may greet the reader there too.
  const lines = decoder.decode(stdout).split("\n").filter((line) => line.startsWith("{"));
  if (lines.length === 0) throw new Error(`it reported nothing: ${said}`);
  return lines.map((line) => JSON.parse(line));
}

/**
 * Starts a program and ends it once it says something.
 *
 * @throws {Error} If it ends without saying so.
 */
export async function timeUntil(start: Start, pattern: RegExp): Promise<number> {
  const since = performance.now();
  const child = spawn(start);
  const complaints = new Response(child.stderr).text();
  let said = "";
  try {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      said += text;
      if (pattern.test(said)) return (performance.now() - since) / 1000;
    }
    checkInterrupt();
    throw new Error(`it never said ${pattern.source}: ${lastLines(await complaints)}`);
  } finally {
    end(child);
    await Promise.all([child.status, complaints]);
    running.delete(child);
  }
}

/**
 * Runs a program to its end, reading all that it says.
 *
 * @throws {Error} If it fails, or never says that.
 */
export async function runToEnd(start: Start, answer?: Answer): Promise<void> {
  const child = spawn(start);
  let said = "";
  let answering: Promise<void> | undefined;
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      said = (said + text).slice(-10_000);
      const found = answering ? null : said.match(answer?.on ?? /$^/);
      if (!found) continue;
      answering = answer!.by(found);
      answering.catch(() => {}); // told below
    }
  };
  await Promise.all([read(child.stdout), read(child.stderr)]);
  const { success, code } = await child.status.finally(() => running.delete(child));
  checkInterrupt();
  if (!success) throw new Error(`it ended with ${code}: ${lastLines(said.trim())}`);
  if (answer && !answering) throw new Error(`it never said ${answer.on.source}: ${lastLines(said.trim())}`);
  await answering;
}

/** Ends the workers under way; whoever awaits one, or starts another, gets a `Deno.errors.Interrupted`. */
export function interruptWorkers(): void {
  isInterrupted = true;
  running.forEach(end);
}

function spawn({ script, args, flags, cwd, terminal }: Start): Deno.ChildProcess {
  checkInterrupt();
  const path = (name: string) => decodeURIComponent(new URL(name, root).pathname);
  const run = ["run", "--quiet", "--no-prompt", "--no-check", "--config", path("deno.json")];
  const words = [...run, ...flags, path(script), ...args];
  const plain = { program: Deno.execPath(), args: words, env: { NO_COLOR: "1" } };
  const { program, env, ...rest } = terminal ? inTerminal([Deno.execPath(), ...words], terminal) : plain;
  const command = new Deno.Command(program, {
    ...rest,
    cwd: cwd ?? root,
    clearEnv: true,
    env: { ...surroundings(), ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  running.add(child);
  return child;
}

function checkInterrupt(): void {
  if (isInterrupted) throw new Deno.errors.Interrupted("the bench was interrupted");
}

/** The environment without the settings of tasks: the defaults are measured. */
function surroundings(): Record<string, string> {
  return Object.fromEntries(Object.entries(Deno.env.toObject()).filter(([key]) => !(key in SETTINGS)));
}

function end(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** The error in what a failed worker said, without the lines that only show where in the code it was. */
function lastLines(said: string): string {
  const lines = said.split("\n").filter((line) => !/^\s+at /.test(line));
  return lines.slice(-4).join(" ").replaceAll(/\s+/g, " ");
}

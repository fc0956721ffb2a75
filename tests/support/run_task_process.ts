/**
 * Runs tasks as their users do: processes of their own in a folder of their own, with exactly the permissions that
 * deno.json gives them, and the network denied.
 */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Environment, environmentOf, type Outcome, Series } from "./task_processes.ts";

export { COVERAGE, environmentOf, type Outcome } from "./task_processes.ts";

const root = new URL("../../", import.meta.url);

/** A backend that this system has no adapter for. */
export const NO_ADAPTER = { DENO_WEBGPU_BACKEND: Deno.build.os === "darwin" ? "dx12" : "metal" };

type Content = string | Uint8Array<ArrayBuffer>;

/** The path of one of the project's files, whose folder may have any name. */
export function pathInProject(name: string): string {
  return decodeURIComponent(new URL(name, root).pathname);
}

/** The commands of deno.json by task. */
export async function readTasks(): Promise<Record<string, { command: string; description: string }>> {
  return JSON.parse(await Deno.readTextFile(new URL("deno.json", root))).tasks;
}

/** The flags of a task's command, and its script. */
export async function commandOf(task: string): Promise<{ flags: string[]; script: string }> {
  const words = (await readTasks())[task].command.split(" ");
  assertEquals(words.slice(0, 2), ["deno", "run"], `deno.json runs ${task} in a way unknown here`);
  return { flags: words.slice(2, -1), script: words.at(-1)! };
}

/** The arguments with which `deno task` would start a task, moved to another folder and, unless told, without network. */
export async function argumentsOf(task: string, denials: readonly string[] = ["--deny-net"]): Promise<string[]> {
  const { flags, script } = await commandOf(task);
  return ["run", "--config", pathInProject("deno.json"), ...denials, ...flags, pathInProject(script)];
}

/** Folders whose process is ready for the next test of the file. */
const idle: Workplace[] = [];

/** Ends processes and folders that no further test will take. */
function endIdle(): void {
  for (const place of idle.splice(0)) place.abandon();
}

/** A temporary folder in which tasks run; it goes when it is disposed of. */
export class Workplace implements AsyncDisposable {
  #series?: Series;

  private constructor(readonly path: string) {}

  /** Makes the folder, with files in it. */
  static async create(files: Record<string, string> = {}): Promise<Workplace> {
    const place = new Workplace(await Deno.makeTempDir({ prefix: "backhand_task_" }));
    for (const [name, text] of Object.entries(files)) await place.write(name, text);
    return place;
  }

  /** Writes a program for a shell. Another process does: what this one has open, a process that it starts may hold, too. */
  async writeProgram(name: string, script: string): Promise<void> {
    await this.write(name, "");
    const args = ["-c", 'printf %s "$2" >"$1" && chmod +x "$1"', "sh", this.at(name), script];
    const { success } = await new Deno.Command("sh", { args }).output();
    if (!success) throw new Error(`cannot write ${name}`);
  }

  /**
   * Makes a folder in which those of {@linkcode IN_SERIES} run one after the other in one process and on one device, if their
   * environment holds settings alone: for many short ones, of which each start would take most of the time. The process has
   * exactly the permissions of `task`. Folder, emptied, and process then serve the next test of the file.
   */
  static async inSeries(task: string, files: Record<string, string> = {}): Promise<Workplace> {
    const words = [...(await argumentsOf(task)).slice(0, -1), pathInProject("tests/support/task_series.ts")];
    const at = idle.findIndex((place) => place.#series!.words.join() === words.join());
    const place = at < 0 ? await Workplace.create() : idle.splice(at, 1)[0];
    for (const [name, text] of Object.entries(files)) await place.write(name, text);
    place.#series ??= new Series(place.#command(words, {}, "piped").spawn(), words);
    return place;
  }

  /** Runs a task to its end. The environment is this process' own without settings, and `env`. */
  async run(task: string, args: readonly string[] = [], env?: Environment): Promise<Outcome> {
    if (this.#series?.takes(task, env)) return await this.#series.run(task, args, env);
    return await this.runDeno([...await argumentsOf(task), ...args], env);
  }

  async succeed(task: string, args: readonly string[] = [], env?: Environment): Promise<Outcome> {
    const outcome = await this.run(task, args, env);
    assertEquals(outcome.code, 0, `${task} ${args.join(" ")} failed: ${outcome.stderr}`);
    return outcome;
  }

  /** Runs a task that must refuse: with this exit code and these words, without a stack, and with every file left as it was. */
  async refuse(
    code: number,
    says: readonly string[],
    task: string,
    args: readonly string[] = [],
    env?: Environment,
  ): Promise<Outcome> {
    const before = await this.digests();
    const outcome = await this.run(task, args, env);
    const call = `${task} ${args.join(" ")}`;
    assertEquals(outcome.code, code, `exit code of ${call}: ${outcome.stderr}`);
    assertMatch(outcome.stderr, /^error: /, call);
    assertEquals(outcome.stderr.match(/^\s+at .*|.*file:\/\/.*|.*\.ts\b.*/m)?.[0], undefined, `a stack of ${call}`);
    for (const words of says) assertStringIncludes(outcome.stderr, words, call);
    assertEquals(await this.digests(), before, `files after ${call}`);
    return outcome;
  }

  /** Runs a task with texts or bytes on its stdin, and gives stdout as its pieces arrive. */
  async feed(
    task: string,
    args: readonly string[],
    talk: (write: (text: Content) => Promise<void>, read: () => Promise<string>) => Promise<void>,
  ): Promise<Outcome> {
    const child = this.#command([...await argumentsOf(task), ...args], {}, "piped").spawn();
    const stdin = child.stdin.getWriter();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let stdout = "";
    const read = async () => {
      const { value = "" } = await reader.read();
      stdout += value;
      return value;
    };
    const stderr = new Response(child.stderr).text();
    const bytes = (text: Content) => typeof text === "string" ? new TextEncoder().encode(text) : text;
    await talk((text) => stdin.write(bytes(text)), read);
    await stdin.close();
    while (await read() !== "");
    const { code } = await child.status;
    return { code, stdout, stderr: await stderr };
  }

  async runDeno(args: readonly string[], env: Environment = {}): Promise<Outcome> {
    const { code, ...said } = await this.#command(args, env).output();
    const [stdout, stderr] = [said.stdout, said.stderr].map((bytes) => new TextDecoder().decode(bytes));
    return { code, stdout, stderr };
  }

  /** Starts a task without awaiting its end. */
  async start(task: string, args: readonly string[] = []): Promise<Deno.ChildProcess> {
    return this.startDeno([...await argumentsOf(task), ...args]);
  }

  /** Starts deno in the folder without awaiting its end, and with so many open files at most. */
  startDeno(args: readonly string[], { files }: { files?: number } = {}): Deno.ChildProcess {
    if (files === undefined) return this.#command(args, {}).spawn();
    const limited = ["-c", 'ulimit -n "$0" && exec "$@"', `${files}`, Deno.execPath(), ...args];
    return this.#command(limited, {}, "null", "sh").spawn();
  }

  async write(name: string, content: Content): Promise<void> {
    const path = this.at(name);
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await (typeof content === "string" ? Deno.writeTextFile(path, content) : Deno.writeFile(path, content));
  }

  async read(name: string): Promise<string> {
    return await Deno.readTextFile(this.at(name));
  }

  /** The lines of a JSONL file. */
  // deno-lint-ignore no-explicit-any -- as JSON.parse() gives them
  async readLines<T = any>(name: string): Promise<T[]> {
    return (await this.read(name)).trimEnd().split("\n").map((line) => JSON.parse(line));
  }

  /** The path of a file from anywhere. */
  at(name: string): string {
    return `${this.path}/${name}`;
  }

  /** The SHA-256 of every file at or below a folder, by its path from there; locks are no content. */
  async digests(folder: string = "."): Promise<Record<string, string>> {
    const digests: Record<string, string> = {};
    for await (const { name, isDirectory } of Deno.readDir(this.at(folder))) {
      if (name === ".locks") continue;
      if (isDirectory) {
        const below = await this.digests(`${folder}/${name}`);
        for (const [path, digest] of Object.entries(below)) digests[`${name}/${path}`] = digest;
      } else {
        const bytes = await Deno.readFile(this.at(`${folder}/${name}`));
        digests[name] = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
      }
    }
    return digests;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const series = this.#series;
    if (!series?.isReady) {
      await series?.end();
      await Deno.remove(this.path, { recursive: true });
      return;
    }
    for await (const { name } of Deno.readDir(this.path)) await Deno.remove(this.at(name), { recursive: true });
    idle.push(this);
    addEventListener("unload", endIdle); // the same listener counts once
  }

  /** Ends what is left of it at once. */
  abandon(): void {
    this.#series?.kill();
    Deno.removeSync(this.path, { recursive: true });
  }

  #command(
    args: readonly string[],
    env: Environment,
    stdin: "null" | "piped" = "null",
    program: string = Deno.execPath(),
  ): Deno.Command {
    const pipes = { stdin, stdout: "piped", stderr: "piped" } as const;
    const surroundings = { cwd: this.path, clearEnv: true, env: environmentOf(env) };
    return new Deno.Command(program, { args: [...args], ...surroundings, ...pipes });
  }
}

/** Waits until something holds, or until it is over; whether it held. */
export async function until(holds: () => boolean | Promise<boolean>, isOver = () => false): Promise<boolean> {
  while (!await holds()) {
    if (isOver()) return false;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return true;
}

/** Whether a file has more than so many bytes. */
export async function isLonger(path: string, bytes: number): Promise<boolean> {
  return await Deno.stat(path).then(({ size }) => size > bytes, () => false);
}

/** The lines in which train says what it did with a stage: "wrote" or "skipped", by stage. */
export function stagesOf({ stdout }: Outcome): Record<string, string> {
  const stages = stdout.matchAll(/^(gen-data|scale): (\w+)/gm);
  return Object.fromEntries(stages.map(([_, stage, what]) => [stage, what]));
}

/** The lines that warn. */
export function warningsOf({ stderr }: Outcome): string[] {
  return stderr.split("\n").filter((line) => line.startsWith("warning: "));
}

/** Cells of the CSV text that predict prints: a header, then rows of numbers. */
export function parsePredictions({ stdout }: Outcome): { header: string; rows: number[][] } {
  const [header, ...lines] = stdout.trim().split(/\r?\n/);
  return { header, rows: lines.map((line) => line.split(",").map(Number)) };
}

/** Runs exported ONNX files; see onnx_runner.ts. */

import { assertEquals } from "@std/assert";
import type { ExportedModel } from "../../tasks/export/exported_model.ts";
import type { Feeds, Results } from "./onnx_runner.ts";
import { pathInProject } from "./run_task_process.ts";

/** A raw row; what is missing is undefined. */
export type RawRow = Record<string, number | string | undefined>;

/** Runs files one after the other, until the test file is over. */
class Runner {
  // Without the project's lock file, into which the runtime would be written, and then downloaded by every task.
  readonly #options = [
    "--quiet",
    "--no-config",
    "--no-check",
    "--no-prompt",
    "--allow-read",
    "--allow-env",
    "--allow-ffi",
  ];
  readonly #child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...this.#options, pathInProject("tests/support/onnx_runner.ts")],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  readonly #writer = this.#child.stdin.getWriter();
  readonly #reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  readonly #stderr = new Response(this.#child.stderr).text();

  /** Asks for a file's outputs; fails with what the process said if it ends. */
  async run(path: string, feeds: Feeds): Promise<Results> {
    await this.#writer.write(new TextEncoder().encode(`${JSON.stringify([path, feeds])}\n`));
    let answer = "";
    while (!answer.endsWith("\n")) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error(`${path}: ${await this.#stderr}`);
      answer += value;
    }
    return JSON.parse(answer);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

let runner: Runner | undefined;

const endRunner = () => runner?.kill();

/** Runs a file on inputs by name. */
export async function runSession(path: string, feeds: Feeds): Promise<Results> {
  runner ??= new Runner();
  addEventListener("unload", endRunner); // the same listener counts once
  try {
    return await runner.run(path, feeds);
  } catch (error) {
    runner = undefined;
    throw error;
  }
}

/** Predicts raw rows: missing numbers go in as NaN, missing names as empty texts. */
export async function runOnnx(path: string, { inputs, output }: ExportedModel, rows: readonly RawRow[]) {
  const numeric = inputs.filter(({ kind }) => kind === "numeric");
  const feeds: Feeds = {};
  if (numeric.length > 0) {
    const values = rows.flatMap((row) => numeric.map(({ name }) => row[name] as number ?? null));
    feeds.numeric = { width: numeric.length, values };
  }
  for (const { kind, name } of inputs) {
    if (kind === "categorical") feeds[name] = { width: 1, values: rows.map((row) => row[name] as string ?? "") };
  }
  const results = await runSession(path, feeds);
  const isTaken = inputs.some(({ kind, name }) => kind === "categorical" && name === "label");
  const { prediction, probabilities, [isTaken ? "label_" : "label"]: label } = results;
  const numbers = probabilities ?? prediction;
  const names = output.kind === "classes" ? output.classes : output.names;
  assertEquals(numbers.dims, [rows.length, names.length]);
  return rows.map((_, row) => {
    const own = numbers.values.slice(row * names.length, (row + 1) * names.length) as number[];
    const byName = Object.fromEntries(names.map((name, i) => [name, own[i]]));
    return output.kind === "classes" ? { class: label.values[row] as string, probabilities: byName } : byName;
  });
}

/** Runs exported ONNX files; see onnx_runner.ts. */

import { assertEquals } from "@std/assert";
import type { ExportedModel } from "../../tasks/export/exported_model.ts";
import type { Feeds, Results } from "./onnx_runner.ts";
import { pathInProject } from "./run_task_process.ts";

/** A raw row; what is missing is undefined. */
export type RawRow = Record<string, number | string | undefined>;

/** Runs a file on inputs by name. */
export async function runSession(path: string, feeds: Feeds): Promise<Results> {
  // Without the project's lock file, into which the runtime would be written, and then downloaded by every task.
  const options = ["--quiet", "--no-config", "--no-check", "--no-prompt", "--allow-read", "--allow-env", "--allow-ffi"];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...options, pathInProject("tests/support/onnx_runner.ts"), path],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(feeds)));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
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

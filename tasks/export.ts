/**
 * Writes a trained run as a model for other programs, which prepares the rows itself:
 *
 *   deno task export --format onnx
 *   deno task export --format pytorch --run-name my_xor --output ../service/model.py
 *   deno task export --format ts --output ../page/model.ts
 */

import { basename, extname } from "node:path";
import { encodeSafetensors } from "../lib/safetensors/bytes.ts";
import { ConfigError, type TaskConfig } from "./settings/config.ts";
import { type ExportedModel, readExportedModel } from "./export/exported_model.ts";
import type { Format } from "./settings/task_list.ts";
import { encodeOnnx, NAMES_NOTE, namesOf } from "./export/onnx.ts";
import { writePython } from "./export/pytorch.ts";
import { torchWeights } from "./export/pytorch_network.ts";
import { writeTypeScript } from "./export/typescript.ts";
import { lockExport } from "./prepare/locks.ts";
import { RunFolder } from "./runs/folder.ts";
import { checkOutput } from "./runs/outputs.ts";
import { runTask } from "./settings/run_task.ts";
import { readRun } from "./runs/saved_run.ts";
import { fromUsersFolder, isPipeOrDevice, tellWritten, writeAside } from "./settings/users_files.ts";

interface Exporter {
  extension: string;
  /** Writes a model, and returns the paths of its files. */
  write: (path: string, model: ExportedModel) => Promise<string[]>;
  /** What the user has to know of the files. */
  note?: (model: ExportedModel) => string | undefined;
}

const EXPORTERS: Record<Format, Exporter> = {
  onnx: {
    extension: ".onnx",
    write: async (path, model) => await writeWhole(path, encodeOnnx(model)),
    note: (model) => namesOf(model, "categorical").length > 0 ? NAMES_NOTE : undefined,
  },
  pytorch: { extension: ".py", write: writePytorch },
  ts: {
    extension: ".ts",
    write: async (path, model) => await writeWhole(path, writeTypeScript(model, basename(path))),
  },
};

export async function main({ runName, extras: { FORMAT: format }, output }: TaskConfig): Promise<void> {
  const { extension, write, note } = EXPORTERS[format as Format];
  const run = new RunFolder(runName);
  const path = fromUsersFolder(output) ?? `${run.path}/model${extension}`;
  // A wrong path must not overwrite a file of another kind.
  const isLoose = format !== "pytorch" && await isPipeOrDevice(path);
  if (extname(path) !== extension && !isLoose) {
    throw new ConfigError([`--output ${path} does not fit --format ${format}: it must end in ${extension}`]);
  }
  if (output !== undefined) await checkOutput(runName, ["--output", path], { ending: extension });
  const model = await readRun(runName, (path) => readExportedModel(runName, path));
  using _lock = await lockExport(path);
  for (const written of await write(path, model)) tellWritten(written, `wrote ${written}`);
  const text = note?.(model);
  if (text !== undefined) console.error(`note: ${text}`);
}

async function writeWhole(path: string, content: string | Uint8Array): Promise<string[]> {
  await writeAside(path, (sink) => sink(content));
  return [path];
}

async function writePytorch(path: string, model: ExportedModel): Promise<string[]> {
  // A run has a model.safetensors of its own, in the library's layout.
  const weights = path.replace(/\.py$/, "_torch.safetensors");
  await writeWhole(weights, encodeSafetensors(torchWeights(model), { format: "pt" }));
  return [...await writeWhole(path, writePython(model, basename(weights))), weights];
}

if (import.meta.main) await runTask("export", main);

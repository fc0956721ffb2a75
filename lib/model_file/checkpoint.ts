/**
 * Checkpoints: the state of a training in a file, from which it continues bit for bit.
 *
 * The file is in the safetensors format, every tensor under its name, so that other programs read the weights too. It
 * appears whole or not at all. A hash over all that it holds shows whether it was damaged since.
 *
 * @module
 */
import { DataError } from "../base/errors.ts";
import { readSafetensors, readSafetensorsHeader, type StoredTensor, writeSafetensors } from "../safetensors/reader.ts";
import type { TrainingState } from "../training/training_state.ts";

/** What files call themselves; changes whenever files of before can no longer be read. */
const FORMAT = "backhand checkpoint 1";

/** The losses of the epoch under way lie among the tensors. */
const LOSSES = "losses";

/** A checkpoint from its file. */
export interface Checkpoint {
  /** The state of the training. */
  readonly state: TrainingState;
  /** What was kept with it. */
  readonly notes: Readonly<Record<string, string>>;
}

/**
 * Writes a checkpoint: aside, flushed to the disk, renamed. One that is there under the name stays until then.
 *
 * @param path The file.
 * @param state What `Trainer.snapshot` gave.
 * @param notes Texts to keep with it, such as settings as JSON.
 * @throws {TypeError} If a note has one of the names `format`, `step`, `counters`, `sha256`.
 *
 * @example
 * ```ts
 * import { loadCheckpoint, readCheckpointNotes, saveCheckpoint, type TrainingState } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const weight = { shape: [1, 2], data: Float32Array.of(3, 4) };
 * const state: TrainingState = {
 *   step: 12,
 *   losses: Float32Array.of(0.5, 0.25),
 *   tensors: { "weights.0.weight": weight },
 *   counters: {},
 * };
 * await Deno.mkdir("data", { recursive: true });
 * await saveCheckpoint("data/step-12.safetensors", state, { note: "before lunch" });
 * assertEquals(await loadCheckpoint("data/step-12.safetensors"), { state, notes: { note: "before lunch" } });
 * assertEquals(await readCheckpointNotes("data/step-12.safetensors"), { step: 12, notes: { note: "before lunch" } });
 * await Deno.remove("data/step-12.safetensors");
 * ```
 */
export async function saveCheckpoint(
  path: string,
  { step, losses, tensors, counters }: TrainingState,
  notes: Readonly<Record<string, string>> = {},
): Promise<void> {
  const own = { format: FORMAT, step: `${step}`, counters: JSON.stringify(counters) };
  const taken = [...Object.keys(own), "sha256"].filter((name) => name in notes);
  if (taken.length > 0) throw new TypeError(`Cannot keep a note named ${taken.join(", ")}: the name is taken`);
  const all = { ...tensors, [LOSSES]: { shape: [losses.length], data: losses } };
  const metadata = { ...own, ...notes };
  await writeSafetensors(path, all, { ...metadata, sha256: await hashOf(Object.entries(all), metadata) });
}

/**
 * Reads a checkpoint.
 *
 * @param path A file that {@linkcode saveCheckpoint} wrote.
 * @returns The state, for `Trainer.restore`, and what was kept with it.
 * @throws {DataError} If it is no such file, or was damaged.
 * @throws {Deno.errors.NotFound} If there is no such file.
 */
export async function loadCheckpoint(path: string): Promise<Checkpoint> {
  const { tensors, metadata } = await readSafetensors(path);
  const { sha256, ...hashed } = metadata;
  const { step, counters, notes } = parseNotes(path, hashed);
  if (sha256 !== await hashOf([...tensors], hashed)) {
    throw new DataError("it was damaged: what it holds does not have the hash that it gives", { file: path });
  }
  const { [LOSSES]: losses, ...rest } = Object.fromEntries(tensors);
  return { state: { step, losses: losses.data, tensors: rest, counters }, notes };
}

/**
 * Reads step and notes of a checkpoint, without the state.
 *
 * @param path A file that {@linkcode saveCheckpoint} wrote.
 * @throws {DataError} If it is no such file.
 * @throws {Deno.errors.NotFound} If there is no such file.
 */
export async function readCheckpointNotes(path: string): Promise<Pick<Checkpoint, "notes"> & { step: number }> {
  const { metadata: { sha256: _, ...metadata } } = await readSafetensorsHeader(path);
  const { step, notes } = parseNotes(path, metadata);
  return { step, notes };
}

function parseNotes(
  file: string,
  { format, step, counters, ...notes }: Record<string, string>,
): { step: number; counters: Record<string, number>; notes: Record<string, string> } {
  if (format !== FORMAT) throw new DataError("this is no checkpoint of this version", { file });
  try {
    return { step: Number(step), counters: JSON.parse(counters), notes };
  } catch (error) {
    throw new DataError("its counters are not JSON", { file }, { cause: error });
  }
}

/** SHA-256 over names, values and texts; those of a name are in the order of the file. */
async function hashOf(
  tensors: [string, StoredTensor][],
  metadata: Readonly<Record<string, string>>,
): Promise<string> {
  const { createHash } = await import("node:crypto"); // not at the top: a browser has none, and no files
  const hash = createHash("sha256");
  for (const [name, { shape, data }] of tensors.toSorted(([a], [b]) => a < b ? -1 : 1)) {
    hash.update(JSON.stringify([name, shape])).update(data);
  }
  return hash.update(JSON.stringify(Object.entries(metadata).toSorted(([a], [b]) => a < b ? -1 : 1))).digest("hex");
}

/** The checkpoints of a run: data/runs/<run-name>/checkpoints/step-<steps>.safetensors, the latest ones and the best one. */

import { loadCheckpoint, readCheckpointNotes, saveCheckpoint } from "../../lib/model_file/checkpoint.ts";
import { DataError } from "../../lib/base/errors.ts";
import type { TrainingState } from "../../lib/training/training_state.ts";
import { parseObject, stampOf } from "../prepare/dataset_files.ts";
import type { Origin } from "./origin.ts";
import { type Logs, removeFile, type RunFolder } from "./folder.ts";

/** What a checkpoint says of the run, besides the state of the training. */
export interface RunNotes {
  readonly stepsPerEpoch: number;
  readonly logged: Logs<number>;
  /** Loss of the epoch that ends here, on validation rows if there are any; null within an epoch. */
  readonly loss: number | null;
  readonly seconds: number;
  /** Factor of all learning rates: below 1 after values that were not finite. */
  readonly rateFactor: number;
  readonly origin: Origin;
}

export interface RunCheckpoint {
  readonly path: string;
  readonly state: TrainingState;
  readonly notes: RunNotes;
}

export interface RunFiles {
  readonly folder: RunFolder;
  readonly checkpoints: Checkpoints;
  /** Where a resumed run continues from. */
  readonly checkpoint?: RunCheckpoint;
}

/** A checkpoint's file, and what decides whether it stays. */
interface CheckpointFile {
  readonly path: string;
  readonly step: number;
  readonly loss: number | null;
}

export async function readCheckpoint(path: string): Promise<RunCheckpoint> {
  const { state, notes } = await loadCheckpoint(path);
  return { path, state, notes: JSON.parse(notes.run) }; // the file's hash says that this program wrote it
}

export class Checkpoints {
  /** Whether any are written: of several ranks, only the first one writes. */
  readonly areWritten: boolean = true;
  readonly #folder: string;
  readonly #keep: number;
  #files: CheckpointFile[] = [];

  constructor(runFolder: string, keep: number) {
    this.#folder = `${runFolder}/checkpoints`;
    this.#keep = keep;
  }

  /** Step of the last one on the disk. */
  async lastStep(): Promise<number | undefined> {
    const last = this.#files.at(-1);
    return last && await stampOf(last.path) ? last.step : undefined;
  }

  async open(onDamage: (message: string) => void): Promise<RunCheckpoint | undefined> {
    await this.#list(onDamage);
    for (let last = this.#files.at(-1); last; last = this.#files.at(-1)) {
      const { path } = last;
      try {
        return await readCheckpoint(path);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        onDamage(error.message);
        this.#files.pop();
      }
    }
  }

  /** Writes a checkpoint, then removes those that are no longer wanted. */
  async write(state: TrainingState, notes: RunNotes): Promise<void> {
    const path = `${this.#folder}/step-${`${state.step}`.padStart(10, "0")}.safetensors`;
    // Does not make the run's own folder: if somebody removed it, nothing should be written there.
    await Deno.mkdir(this.#folder).catch((error) => {
      if (error instanceof Deno.errors.AlreadyExists) return;
      error.message = `Cannot make ${this.#folder}/: ${error.message}`;
      throw error;
    });
    await saveCheckpoint(path, state, { run: JSON.stringify(notes) });
    // There is one file a step. After a return to an earlier step, later ones belong to a course that was given up.
    const files = [
      ...this.#files.filter(({ step }) => step < state.step),
      { path, step: state.step, loss: notes.loss },
    ];
    const [best] = files.filter(({ loss }) => loss !== null).sort((a, b) => a.loss! - b.loss!);
    const stay = files.filter((file) => file === best || files.indexOf(file) >= files.length - this.#keep);
    const paths = new Set(stay.map(({ path }) => path));
    for (const old of this.#files) if (!paths.has(old.path)) await removeFile(old.path);
    this.#files = stay;
  }

  /** Finds the files, by step; removes what a killed process has left half-written. */
  async #list(onDamage: (message: string) => void): Promise<void> {
    this.#files = [];
    const names = await Array.fromAsync(Deno.readDir(this.#folder), ({ name }) => name).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    });
    for (const name of names) {
      const path = `${this.#folder}/${name}`;
      if (name.endsWith(".partial")) await removeFile(path);
      if (!/^step-\d+\.safetensors$/.test(name)) continue;
      try {
        const { step, notes } = await readCheckpointNotes(path);
        const loss = parseObject(notes.run)?.loss;
        this.#files.push({ path, step, loss: typeof loss === "number" ? loss : null });
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        onDamage(error.message);
      }
    }
    this.#files.sort((a, b) => a.step - b.step);
  }
}

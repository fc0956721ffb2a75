/** The checkpoints of a run: data/runs/<run-name>/checkpoints/step-<steps>.safetensors, the latest ones and the best. */

import {
  type Checkpoint,
  loadCheckpoint,
  readCheckpointNotes,
  saveCheckpoint,
} from "../../lib/model_file/checkpoint.ts";
import type { EarlyStoppingState } from "../../lib/training/early_stopping.ts";
import { DataError } from "../../lib/base/errors.ts";
import type { PlateauState } from "../../lib/training/plateau.ts";
import type { TrainingState } from "../../lib/training/training_state.ts";
import { parseObject, stampOf } from "../prepare/dataset_files.ts";
import type { Logs } from "./folder.ts";

/** What a run stands at beside the training. */
export interface RunNotes {
  /** Steps of an epoch. */
  readonly stepsPerEpoch: number;
  /** Bytes of metrics.jsonl and the like. */
  readonly logged: Logs<number>;
  /** Loss of the epoch that ends here, of validation where there is any; null within an epoch. */
  readonly loss: number | null;
  /** Seconds of training so far. */
  readonly seconds: number;
  /** What learning rates are multiplied by since values that were not finite. */
  readonly rateFactor: number;
  readonly stopping: EarlyStoppingState | null;
  readonly plateau: PlateauState | null;
  /** What the bits of the result hang on, beside the settings. */
  readonly origin: Origin;
}

/** Where bits come from. */
export interface Origin {
  /** Version of this program. */
  readonly version: string;
  /** The GPU's name. */
  readonly device: string;
  /** SHA-256 of the scaled rows. */
  readonly data: string;
  /** Processes that trained together; of one alone it is left out. */
  readonly ranks?: number;
}

/** A checkpoint of a run. */
export interface RunCheckpoint {
  readonly path: string;
  readonly state: TrainingState;
  readonly notes: RunNotes;
}

/** A checkpoint's file, and what tells whether it stays. */
interface Kept {
  readonly path: string;
  readonly step: number;
  readonly loss: number | null;
}

/** The files of one run. */
export class Checkpoints {
  /** Whether anything is kept. */
  readonly isKept: boolean = true;
  /** Where they lie. */
  readonly folder: string;
  readonly #keep: number;
  #kept: Kept[] = [];

  constructor(runFolder: string, keep: number) {
    this.folder = `${runFolder}/checkpoints`;
    this.#keep = keep;
  }

  /** Step of the last one that lies on the disk. */
  async lastStep(): Promise<number | undefined> {
    const last = this.#kept.at(-1);
    return last && await stampOf(last.path) ? last.step : undefined;
  }

  /** Reads the last checkpoint that is whole. */
  async open(onDamage: (message: string) => void): Promise<RunCheckpoint | undefined> {
    await this.#list(onDamage);
    for (let last = this.#kept.at(-1); last; last = this.#kept.at(-1)) {
      const { path } = last;
      try {
        return this.#parse(path, await loadCheckpoint(path));
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        onDamage(error.message);
        this.#kept.pop();
      }
    }
  }

  /**
   * Writes a checkpoint, then removes those that are no longer wanted.
   *
   * @throws What the system has against it, with path and bytes.
   */
  async write(state: TrainingState, notes: RunNotes): Promise<void> {
    const path = `${this.folder}/step-${`${state.step}`.padStart(10, "0")}.safetensors`;
    // Not the run's own folder: one that is taken away under the run is no place to write to.
    await Deno.mkdir(this.folder).catch((error) => {
      if (error instanceof Deno.errors.AlreadyExists) return;
      error.message = `Cannot make ${this.folder}/: ${error.message}`;
      throw error;
    });
    await saveCheckpoint(path, state, { run: JSON.stringify(notes) });
    // Of one step there is one file: after a return to an earlier step, later ones were of a course that was given up.
    const stale = this.#kept.filter(({ step }) => step > state.step);
    this.#kept = [
      ...this.#kept.filter(({ step }) => step < state.step),
      { path, step: state.step, loss: notes.loss },
    ];
    const best = this.#kept.reduce<Kept | undefined>(
      (best, kept) => kept.loss !== null && !(best && best.loss! <= kept.loss) ? kept : best,
      undefined,
    );
    const stay = new Set([best, ...this.#kept.slice(-this.#keep)]);
    for (const { path } of [...stale, ...this.#kept.filter((kept) => !stay.has(kept))]) await removeFile(path);
    this.#kept = this.#kept.filter((kept) => stay.has(kept));
  }

  /** Finds the files, by step; what a killed process left half-written goes. */
  async #list(onDamage: (message: string) => void): Promise<void> {
    this.#kept = [];
    const names = await Array.fromAsync(Deno.readDir(this.folder), ({ name }) => name).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    });
    for (const name of names) {
      const path = `${this.folder}/${name}`;
      if (name.endsWith(".partial")) await removeFile(path);
      if (!/^step-\d+\.safetensors$/.test(name)) continue;
      try {
        const { step, notes } = await readCheckpointNotes(path);
        const loss = parseObject(notes.run)?.loss;
        this.#kept.push({ path, step, loss: typeof loss === "number" ? loss : null });
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        onDamage(error.message);
      }
    }
    this.#kept.sort((a, b) => a.step - b.step);
  }

  #parse(path: string, { state, notes }: Checkpoint): RunCheckpoint {
    // The hash says that this program wrote it.
    return { path, state, notes: JSON.parse(notes.run) };
  }
}

/** Those of a rank that leaves it to the first one to keep the run. */
export class NoCheckpoints extends Checkpoints {
  override readonly isKept = false;

  override lastStep(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}

async function removeFile(path: string): Promise<void> {
  await Deno.remove(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

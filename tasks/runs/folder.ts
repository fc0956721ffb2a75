/**
 * The folder of a run: data/runs/<run-name>/ with config.json, origin.json, metrics.jsonl, layers.jsonl, trace.jsonl if it was asked for,
 * checkpoints, model.safetensors, summary.json, and out_of_fold.csv if there are folds.
 */

import { DataError } from "../../lib/base/errors.ts";
import { openFile, writeFully, writing } from "../../lib/base/files.ts";
import { DATA_FOLDER } from "../settings/data_folder.ts";
import { parseObject, stampOf } from "../prepare/dataset_files.ts";
import { parseRecord, type RunRecord } from "./origin.ts";

/** The logs of a run: losses of each epoch, records of its layers, tensors of its steps. */
const LOGS = ["metrics", "layers", "trace"] as const;

/** In the folder: what the members of a run with folds predict of the rows that they held out. */
export const OUT_OF_FOLD = "out_of_fold.csv";

/** Something for each of the logs: its size in bytes, or its file. */
export type Logs<T> = Readonly<Record<typeof LOGS[number], T>>;

export class RunFolder {
  readonly path: string;

  readonly logs: Logs<RunLog>;

  constructor(runName: string) {
    this.path = `${DATA_FOLDER}/runs/${runName}`;
    this.logs = forLogs((name) => new RunLog(`${this.path}/${name}.jsonl`));
  }

  /** The weights and all that predicting needs. */
  get model(): string {
    return `${this.path}/model.safetensors`;
  }

  /** Makes the folder, empty. An earlier one of this name gets the next free number; its new path is returned. */
  async create(): Promise<string | undefined> {
    let aside: string | undefined;
    if (await stampOf(this.path) !== undefined) {
      for (let number = 1; aside === undefined || await stampOf(aside) !== undefined; number++) {
        aside = `${this.path}.${number}`;
      }
      await Deno.rename(this.path, aside);
    }
    await Deno.mkdir(this.path, { recursive: true });
    return aside;
  }

  /** Writes a JSON file; it appears only once it is whole. */
  async writeJson(name: "config.json" | "origin.json" | "summary.json", value: unknown): Promise<void> {
    const path = `${this.path}/${name}`;
    const bytes = new TextEncoder().encode(JSON.stringify(value, null, 2) + "\n");
    await writing(path, bytes.length, async () => {
      {
        using file = await Deno.open(`${path}.partial`, { write: true, create: true, truncate: true });
        await writeFully(file, bytes);
        await file.syncData();
      }
      await Deno.rename(`${path}.partial`, path);
    });
  }

  /** Whether something of the run is there that nobody may lose: its model, its summary, or an epoch. */
  async hasResults(): Promise<boolean> {
    const sizes = await Promise.all([this.model, `${this.path}/summary.json`, this.logs.metrics.path].map(stampOf));
    return sizes.some((stamp) => stamp !== undefined && stamp.size > 0);
  }

  /** Whether a run began here: --resume continues one. */
  async hasSettings(): Promise<boolean> {
    return await stampOf(`${this.path}/config.json`) !== undefined;
  }

  /** What summary.json says; undefined if there is none, or none that can be read. */
  async readSummary(): Promise<Record<string, unknown> | undefined> {
    const path = `${this.path}/summary.json`;
    return await stampOf(path) === undefined ? undefined : parseObject(await Deno.readTextFile(path));
  }

  /** What the run depends on, from origin.json; undefined if there is none, as in runs of earlier versions. */
  async readRecord(): Promise<RunRecord | undefined> {
    const path = `${this.path}/origin.json`;
    return await stampOf(path) === undefined ? undefined : parseRecord(await Deno.readTextFile(path), path);
  }

  /** Removes what says that the run has ended. */
  async removeSummary(): Promise<void> {
    await removeFile(`${this.path}/summary.json`);
    await removeFile(`${this.path}/${OUT_OF_FOLD}`);
  }

  get logged(): Logs<number> {
    return forLogs((name) => this.logs[name].bytes);
  }

  /** Cuts lines off the logs that were written after a checkpoint. Throws a {@linkcode DataError} if one is shorter. */
  async cut(bytes: Logs<number>): Promise<void> {
    for (const name of LOGS) await this.logs[name].cut(bytes[name]);
  }

  /** Brings the logs to the disk. Throws a {@linkcode DataError} if another program has made one shorter. */
  async flush(bytes: Logs<number>): Promise<void> {
    for (const name of LOGS) await this.logs[name].flush(bytes[name]);
  }
}

export function forLogs<T>(make: (name: typeof LOGS[number]) => T): Logs<T> {
  return Object.fromEntries(LOGS.map((name) => [name, make(name)])) as unknown as Logs<T>;
}

/** A file that grows by lines of JSON and is cut where the run goes back: a resumed run leaves the same bytes. */
export class RunLog {
  readonly path: string;
  /** Bytes that the run has written. */
  bytes = 0;

  constructor(path: string) {
    this.path = path;
  }

  async append(value: object): Promise<void> {
    const line = new TextEncoder().encode(JSON.stringify(value) + "\n");
    await writing(this.path, line.length, () => Deno.writeFile(this.path, line, { append: true }));
    this.bytes += line.length;
  }

  async flush(bytes: number): Promise<void> {
    if (bytes === 0) return;
    using file = await openFile(this.path, { read: true, write: true });
    const { size } = await file.stat();
    if (size < bytes) {
      const problem = `it has ${size} bytes, but this run wrote ${bytes}: another program changed it meanwhile`;
      throw new DataError(problem, { file: this.path });
    }
    await file.syncData();
  }

  async cut(bytes: number): Promise<void> {
    const size = (await stampOf(this.path))?.size ?? 0;
    if (size < bytes) {
      const problem = `it has ${size} bytes, but the checkpoint needs ${bytes}: restore the file, or begin a new run`;
      throw new DataError(problem, { file: this.path });
    }
    if (size > bytes) await Deno.truncate(this.path, bytes);
    this.bytes = bytes;
  }
}

export async function removeFile(path: string): Promise<void> {
  await Deno.remove(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

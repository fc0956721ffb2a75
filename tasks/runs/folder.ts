/**
 * The folder of a run: data/runs/<run-name>/ with config.json, metrics.jsonl, layers.jsonl, trace.jsonl where it was asked for,
 * checkpoints, model.safetensors and summary.json.
 */

import { writeFully, writing } from "../../lib/base/files.ts";
import { DATA_FOLDER, stampOf } from "../prepare/dataset_files.ts";
import { NoLog, RunLog } from "./log.ts";

/** What the run tells of itself as it goes: each epoch's losses, looks at its layers, tensors of its steps. */
export const LOGS = ["metrics", "layers", "trace"] as const;

/** For each of these files its bytes, or the file. */
export type Logs<T> = Readonly<Record<typeof LOGS[number], T>>;

/** Where a run's files lie. */
export class RunFolder {
  /** The folder. */
  readonly path: string;

  /** metrics.jsonl, layers.jsonl and trace.jsonl. */
  readonly logs: Logs<RunLog>;

  constructor(runName: string) {
    this.path = `${DATA_FOLDER}/runs/${runName}`;
    this.logs = forLogs((name) => new RunLog(`${this.path}/${name}.jsonl`));
  }

  /** The weights and all that predicting needs. */
  get model(): string {
    return `${this.path}/model.safetensors`;
  }

  /**
   * Reads the model.
   *
   * @throws {Deno.errors.NotFound} If there is none; the message says how to make it.
   */
  async readModel<T>(read: (path: string) => Promise<T>): Promise<T> {
    try {
      return await read(this.model);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      const runName = this.path.slice(this.path.lastIndexOf("/") + 1);
      throw new Deno.errors.NotFound(`${error.message}; \`deno task train --run-name ${runName}\` makes it`);
    }
  }

  /** Makes the folder, empty. One that is there under its name is kept aside under the next free number. */
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
  async writeJson(name: "config.json" | "summary.json", value: unknown): Promise<void> {
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

  /** Takes the summary of an earlier end away. */
  async removeSummary(): Promise<void> {
    await Deno.remove(`${this.path}/summary.json`).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }

  /** Bytes of the logs so far. */
  get logged(): Logs<number> {
    return forLogs((name) => this.logs[name].bytes);
  }

  /**
   * Takes lines of the logs away that were written behind a checkpoint.
   *
   * @throws {DataError} If there is less.
   */
  async cut(bytes: Logs<number>): Promise<void> {
    for (const name of LOGS) await this.logs[name].cut(bytes[name]);
  }

  /**
   * Puts the logs on the disk.
   *
   * @throws {DataError} If it is less: somebody else has changed the file.
   */
  async flush(bytes: Logs<number>): Promise<void> {
    for (const name of LOGS) await this.logs[name].flush(bytes[name]);
  }
}

/** Something for each of the logs. */
export function forLogs<T>(make: (name: typeof LOGS[number]) => T): Logs<T> {
  return Object.fromEntries(LOGS.map((name) => [name, make(name)])) as unknown as Logs<T>;
}

/** The folder of a rank that leaves it to the first one to write: nothing ever comes there. */
export class NoFolder extends RunFolder {
  override readonly logs = forLogs(() => new NoLog(""));

  override create(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  override async writeJson(): Promise<void> {}
  override async removeSummary(): Promise<void> {}
}

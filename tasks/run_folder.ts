/** The folder of a run: data/runs/<run-name>/ with config.json, metrics.jsonl, checkpoints, model.safetensors and summary.json. */

import { DataError } from "../lib/errors.ts";
import { openFile, writing } from "../lib/files.ts";
import { DATA_FOLDER, stampOf } from "./dataset_files.ts";

/** Where a run's files lie. */
export class RunFolder {
  /** The folder. */
  readonly path: string;

  /** @param runName The run's name, without path separators. */
  constructor(runName: string) {
    this.path = `${DATA_FOLDER}/runs/${runName}`;
  }

  /** The weights and all that predicting needs. */
  get model(): string {
    return `${this.path}/model.safetensors`;
  }

  /** A line for each epoch that is done. */
  get metrics(): string {
    return `${this.path}/metrics.jsonl`;
  }

  /**
   * Reads the model.
   *
   * @param read Reads it from a path.
   * @returns What it returns.
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

  /**
   * Makes the folder, empty. One that is there under its name is kept aside under the next free number.
   *
   * @returns Where the earlier run lies now, if there was one.
   */
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
    await Deno.writeTextFile(`${path}.partial`, JSON.stringify(value, null, 2) + "\n");
    await Deno.rename(`${path}.partial`, path);
  }

  /**
   * Adds a line to metrics.jsonl.
   *
   * @param metrics What the line holds.
   * @returns Bytes of the line.
   */
  async appendMetrics(metrics: object): Promise<number> {
    const line = new TextEncoder().encode(JSON.stringify(metrics) + "\n");
    await writing(this.metrics, line.length, () => Deno.writeFile(this.metrics, line, { append: true }));
    return line.length;
  }

  /**
   * Puts what was appended on the disk.
   *
   * @param bytes How much there must be.
   * @throws {DataError} If it is less: somebody else has changed the file.
   */
  async flushMetrics(bytes: number): Promise<void> {
    if (bytes === 0) return;
    using file = await openFile(this.metrics, { read: true, write: true });
    const { size } = await file.stat();
    if (size < bytes) {
      throw new DataError(`it has ${size} bytes, and this run wrote ${bytes}: it was changed meanwhile`, {
        file: this.metrics,
      });
    }
    await file.syncData();
  }

  /**
   * Takes lines away that were written behind a checkpoint.
   *
   * @param bytes What stays.
   * @throws {DataError} If there is less.
   */
  async cutMetrics(bytes: number): Promise<void> {
    const size = (await stampOf(this.metrics))?.size ?? 0;
    if (size < bytes) {
      throw new DataError(
        `it has ${size} bytes, ${bytes} belong to the checkpoint: bring it back, or begin a new run`,
        {
          file: this.metrics,
        },
      );
    }
    if (size > bytes) await Deno.truncate(this.metrics, bytes);
  }
}

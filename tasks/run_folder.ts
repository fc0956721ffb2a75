/** The folder of a run: data/runs/<run-name>/ with config.json, metrics.jsonl, model.safetensors and summary.json. */

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

  /** Adds a line to metrics.jsonl. */
  async appendMetrics(metrics: Record<string, number | null>): Promise<void> {
    await Deno.writeTextFile(`${this.path}/metrics.jsonl`, JSON.stringify(metrics) + "\n", { append: true });
  }
}

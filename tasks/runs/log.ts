/** A file of a run that grows by lines of JSON and is cut where the run goes back: a resumed run leaves the same bytes. */

import { DataError } from "../../lib/base/errors.ts";
import { openFile, writing } from "../../lib/base/files.ts";
import { stampOf } from "../prepare/dataset_files.ts";

/** Lines of JSON. */
export class RunLog {
  /** The file. */
  readonly path: string;
  #bytes = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Bytes that the run has written. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Adds a line.
   *
   * @throws What the system has against it, with path and bytes.
   */
  async append(value: object): Promise<void> {
    const line = new TextEncoder().encode(JSON.stringify(value) + "\n");
    await writing(this.path, line.length, () => Deno.writeFile(this.path, line, { append: true }));
    this.#bytes += line.length;
  }

  /**
   * Puts what was added on the disk.
   *
   * @throws {DataError} If it is less: somebody else has changed the file.
   */
  async flush(bytes: number): Promise<void> {
    if (bytes === 0) return;
    using file = await openFile(this.path, { read: true, write: true });
    const { size } = await file.stat();
    if (size < bytes) {
      throw new DataError(`it has ${size} bytes, and this run wrote ${bytes}: it was changed meanwhile`, {
        file: this.path,
      });
    }
    await file.syncData();
  }

  /**
   * Takes lines away that were written behind a checkpoint.
   *
   * @throws {DataError} If there is less.
   */
  async cut(bytes: number): Promise<void> {
    const size = (await stampOf(this.path))?.size ?? 0;
    if (size < bytes) {
      throw new DataError(
        `it has ${size} bytes, ${bytes} belong to the checkpoint: bring it back, or begin a new run`,
        { file: this.path },
      );
    }
    if (size > bytes) await Deno.truncate(this.path, bytes);
    this.#bytes = bytes;
  }
}

/** The log of a rank that leaves it to the first one to write. */
export class NoLog extends RunLog {
  override async append(): Promise<void> {}
  override async flush(): Promise<void> {}
  override async cut(): Promise<void> {}
}

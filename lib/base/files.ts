/**
 * What reading and writing files have in common.
 *
 * @module
 */

import { DataError } from "./errors.ts";

/**
 * Opens an existing file, by default for reading.
 *
 * @throws {Deno.errors.NotFound} If there is no such file; the message names it.
 * @throws {Deno.errors.IsADirectory} If it is a folder, which only its first read would tell, without a name.
 */
export async function openFile(path: string, options?: Deno.OpenOptions): Promise<Deno.FsFile> {
  const file = await openNamed(path, options);
  const { isDirectory } = await file.stat();
  if (!isDirectory) return file;
  file.close();
  throw new Deno.errors.IsADirectory(`Cannot read ${path}: it is a folder`);
}

/**
 * The same for a file whose size must be known. A pipe is refused: waiting for it might never end.
 *
 * @throws {DataError} If it is a pipe, a device or the like.
 */
export async function openRegularFile(path: string): Promise<Deno.FsFile> {
  const found = await Deno.stat(path).catch(() => undefined); // opening it says what is wrong
  if (found?.isFile) return await openNamed(path);
  if (!found || found.isDirectory) return await openFile(path);
  throw new DataError("it is a pipe or a device, and a regular file is needed", { file: path });
}

async function openNamed(path: string, options?: Deno.OpenOptions): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, options);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Deno.errors.NotFound(`Cannot read ${path}: there is no such file`, { cause: error });
    }
    if (error instanceof Error && !error.message.includes(path)) {
      error.message = `Cannot read ${path}: ${error.message}`;
    }
    throw error;
  }
}

/**
 * Does work that writes a file, and names the file in an error of the system.
 *
 * @throws What the work throws; the message says which file could not be written, and how many bytes it takes.
 */
export async function writing<T>(path: string, bytes: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error) error.message = `Cannot write ${path}, which takes ${bytes} bytes: ${error.message}`;
    throw error;
  }
}

/** Writes all of the bytes. When the promise resolves, they are written, unlike with the file's stream. */
export async function writeFully(file: Pick<Deno.FsFile, "write">, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}

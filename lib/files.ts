/** What reading and writing files have in common. */

/**
 * Opens a file for reading.
 *
 * @param path The file.
 * @returns The open file.
 * @throws {Deno.errors.NotFound} If there is no such file; the message names it.
 */
export async function openFile(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(`Cannot read ${path}: there is no such file`, { cause: error });
  }
}

/**
 * Writes all of the bytes. Unlike a write to the file's stream, it is done when the promise is.
 *
 * @param file A file that is open for writing, or stdout.
 * @param bytes What to write.
 */
export async function writeFully(file: Pick<Deno.FsFile, "write">, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}

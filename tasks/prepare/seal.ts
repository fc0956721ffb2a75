/** The hash that shows whether a scaled dataset was damaged since it was written. It stands in its metadata. */

import { createHash } from "node:crypto";
import { openFile, writeFully, writing } from "../../lib/base/files.ts";
import { PREFIX_BYTES } from "../../lib/safetensors/bytes.ts";
import { readHeader, readSafetensorsHeader } from "../../lib/safetensors/reader.ts";

/** What stands in the metadata for the hash of the whole file until all of it is written. */
export const UNSEALED = "0".repeat(64);

/**
 * Writes the hash of a file's rows and metadata to where `metadataOf` has left room for it. Until then the file counts as
 * damaged.
 */
export async function seal(path: string): Promise<void> {
  const { metadata } = await readSafetensorsHeader(path);
  const text = new TextEncoder().encode(sealOf(await hashOfRows(path), metadata));
  await writing(path, text.length, async () => {
    using file = await Deno.open(path, { write: true });
    await file.seek(PREFIX_BYTES + '{"__metadata__":{"sha256":"'.length, Deno.SeekMode.Start);
    await writeFully(file, text);
    await file.syncData();
  });
}

/** SHA-256 of rows and metadata. */
export function sealOf(rows: string, { sha256: _, ...metadata }: Record<string, string>): string {
  const entries = Object.entries(metadata).toSorted(([a], [b]) => a < b ? -1 : 1);
  return createHash("sha256").update(JSON.stringify([rows, entries])).digest("hex");
}

/** SHA-256 of shapes and values: the same for the same rows, whatever file they come from. */
export async function hashOfRows(path: string): Promise<string> {
  using file = await openFile(path);
  const { entries } = await readHeader(path, file);
  const buffer = new Uint8Array(1 << 20);
  const hash = createHash("sha256").update(JSON.stringify(entries));
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    hash.update(buffer.subarray(0, count));
  }
  return hash.digest("hex");
}

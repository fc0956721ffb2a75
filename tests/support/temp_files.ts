/** Temporary files, for tests that need no task. */

/** A path in a folder of its own, which goes at the end. */
export async function temporaryFile(name: string): Promise<{ path: string } & AsyncDisposable> {
  const folder = await Deno.makeTempDir({ prefix: "backhand_file_" });
  return { path: `${folder}/${name}`, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

/** Runs with a folder of its own. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  await using file = await temporaryFile("");
  return await use(file.path.slice(0, -1));
}

/** Runs with the path of a CSV file that holds the content. */
export async function withCsv<T>(content: string | Uint8Array, use: (path: string) => Promise<T>): Promise<T> {
  await using file = await temporaryFile("a.csv");
  await Deno.writeFile(file.path, typeof content === "string" ? new TextEncoder().encode(content) : content);
  return await use(file.path);
}

/** The bytes of a safetensors file with this header and data; its prefix may claim another length of the header. */
export function fileOf(
  header: string | Uint8Array,
  data: ArrayLike<number> = [],
  length?: number | bigint,
): Uint8Array<ArrayBuffer> {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length ?? text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

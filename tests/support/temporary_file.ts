/** Files for a test. */

/** A path in a folder of its own, which goes at the end. */
export async function temporaryFile(name: string): Promise<{ path: string } & AsyncDisposable> {
  const folder = await Deno.makeTempDir({ prefix: "backhand_file_" });
  return { path: `${folder}/${name}`, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

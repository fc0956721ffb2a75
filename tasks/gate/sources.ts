/** The project's own source files, for the gate and for the tests that read them. */

const ROOT = new URL("../../", import.meta.url);

/** Reads the files of a folder and of the folders in it. Hidden folders are left out. */
export async function readSources(folder: string, ending = ".ts"): Promise<Map<string, string>> {
  const sources = new Map<string, string>();
  await readInto(sources, folder === "." ? "" : `${folder}/`, ending);
  return sources;
}

async function readInto(sources: Map<string, string>, prefix: string, ending: string): Promise<void> {
  const entries = [];
  try {
    for await (const entry of Deno.readDir(new URL(prefix, ROOT))) entries.push(entry);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  for (const { name, isDirectory, isFile } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    const path = `${prefix}${name}`;
    if (isDirectory && !name.startsWith(".") && !LEFT_OUT.includes(path)) await readInto(sources, `${path}/`, ending);
    if (isFile && name.endsWith(ending)) sources.set(path, await Deno.readTextFile(new URL(path, ROOT)));
  }
}

/** What is made, not written. */
const LEFT_OUT = ["data", "coverage", "node_modules"];

/** The files that a file imports, types included. */
export function importsOf(path: string, text: string): string[] {
  const code = text.replaceAll(/^\s*\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const statements = /^(?:import|export)\b[^;"'=]*?\bfrom\s*"([^"]+)"|^import "([^"]+)"|\bimport\(\s*"([^"]+)"/gm;
  return [...code.matchAll(statements)]
    .map(([_, from, bare, called]) => from ?? bare ?? called)
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => new URL(specifier, `file:///${path}`).pathname.slice(1));
}

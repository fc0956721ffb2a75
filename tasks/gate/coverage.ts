/** Coverage of lib: what V8 wrote of the lines that ran, and whether they are enough. */

import { readSources } from "./sources.ts";

const minimumCoverage = 95;

/** Lines of a file: how many can run, and how many did. */
interface Coverage {
  file: string;
  covered: number;
  total: number;
}

/** Reads the lines that ran, file by file. */
export function readCoverage(lcov: string, folder: string): Coverage[] {
  return lcov.split("end_of_record").flatMap((record) => {
    const path = record.match(/^SF:(.*)$/m)?.[1] ?? "";
    if (!path.startsWith(folder)) return [];
    const hits = [...record.matchAll(/^DA:\d+,(\d+)/gm)].map((match) => Number(match[1]));
    return [{ file: path.slice(folder.length), covered: hits.filter((hit) => hit > 0).length, total: hits.length }];
  });
}

/** Removes files that a killed process has cut short: `deno coverage` would refuse all others because of one. */
export async function removeCutFiles(folder: URL): Promise<number> {
  const last = new Uint8Array(1);
  const brace = "}".charCodeAt(0);
  let removed = 0;
  for await (const { name } of Deno.readDir(folder)) {
    const path = new URL(name, folder);
    using file = Deno.openSync(path);
    last[0] = 0;
    if (file.statSync().size > 0) file.seekSync(-1, Deno.SeekMode.End);
    file.readSync(last);
    if (last[0] === brace) continue;
    await Deno.remove(path);
    removed++;
  }
  return removed;
}

/**
 * Tells whether enough of lib ran, and where not, file by file. A file that no test loads counts as not run at all. So does
 * one whose name ends like a test's: the runner takes it for a test and reports nothing of it.
 */
export async function isCovered(lcov: string): Promise<boolean> {
  const files = readCoverage(lcov, decodeURIComponent(new URL("../../lib/", import.meta.url).pathname));
  for (const [path, text] of await readSources("lib")) {
    const name = path.slice("lib/".length);
    if (files.some(({ file }) => file === name)) continue;
    files.push({ file: name, covered: 0, total: text.split("\n").filter((line) => /^\s*[^\s/*]/.test(line)).length });
  }
  const sum = (key: "covered" | "total") => files.reduce((total, file) => total + file[key], 0);
  const percent = 100 * sum("covered") / Math.max(sum("total"), 1);
  console.log(`coverage of lib: ${percent.toFixed(1)}% of lines (at least ${minimumCoverage}% asked)`);
  if (percent >= minimumCoverage) return true;
  for (const { file, covered, total } of files.sort((a, b) => (b.total - b.covered) - (a.total - a.covered))) {
    const share = `${(100 * covered / Math.max(total, 1)).toFixed(1)}%`;
    console.log(`${file.padEnd(32)}${share.padStart(7)}${`${covered} of ${total}`.padStart(14)}`);
  }
  return false;
}

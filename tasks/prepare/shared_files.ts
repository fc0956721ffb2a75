/** Files that are in two of the tables of a run: DATA, VALIDATION and TEST. */

import { csvPaths } from "../../lib/data/csv_files.ts";
import { showName } from "../../lib/base/printable.ts";
import type { Config } from "../settings/settings.ts";
import { fromUsersFolder } from "../settings/users_files.ts";

/** A table of a run by the setting that names it. */
interface NamedTable {
  readonly key: "DATA" | "VALIDATION" | "TEST";
  /** Its files by their paths without links, each as it was named. */
  readonly files: ReadonlyMap<string, string>;
}

/** Notes on tables that share files: what is measured there says nothing about new rows. One note for two tables. */
export async function sharedFileNotes({ data, validation, test }: Config): Promise<string[]> {
  if (validation === "" && test === "") return [];
  const tables: NamedTable[] = [];
  for (const [key, path] of [["DATA", data], ["VALIDATION", validation], ["TEST", test]] as const) {
    if (path !== "") tables.push({ key, files: await filesOf(fromUsersFolder(path)) });
  }
  const notes: string[] = [];
  for (const [i, later] of tables.entries()) {
    for (const earlier of tables.slice(0, i)) {
      const shared = [...later.files.keys()].find((file) => earlier.files.has(file));
      if (shared === undefined) continue;
      const use = earlier.key === "DATA" ? "trains on" : "stops by";
      const file = showName(later.files.get(shared)!);
      notes.push(
        `${later.key} has a file of ${earlier.key}, ${file}: it measures rows that the run ${use}, not new ones`,
      );
    }
  }
  return notes;
}

async function filesOf(table: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const path of await csvPaths(table)) files.set(await Deno.realPath(path), path);
  return files;
}

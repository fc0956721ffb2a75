/** Looks at a table and plans its columns, without a process of its own. */

import { readConfig } from "../../tasks/settings/config.ts";
import { lookAt, type TableLook } from "../../tasks/prepare/table_look.ts";
import { planColumns, type TablePlan } from "../../tasks/prepare/table_plan.ts";

/** What a table's text is taken as. Flags are words, after those for the file; without a target it is `y`. */
export async function planTable(text: string, flags: readonly string[] = []): Promise<TablePlan & { look: TableLook }> {
  const path = await Deno.makeTempFile({ prefix: "backhand_", suffix: ".csv" });
  try {
    await Deno.writeTextFile(path, text);
    const args = ["--data", path, ...(flags.includes("--target") ? [] : ["--target", "y"]), ...flags];
    const config = readConfig("scale", args, { env: () => undefined, dotenv: "" });
    const look = await lookAt(path, config, () => {});
    return { ...await planColumns(config, look), look };
  } finally {
    await Deno.remove(path);
  }
}

/** A table of one input and a target of numbers that differ, as many rows as there are cells. */
export function tableOf(cells: readonly string[], name = "x"): string {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  return `${quoted(name)},y\n${cells.map((cell, i) => `${quoted(cell)},${i * 1.5}\n`).join("")}`;
}

/**
 * Makes or scales a dataset as several ranks would, all in this process, whose folder it works in: prints what each said.
 *
 *   deno run tests/data_ranks.ts <gen-data or scale> <ranks, such as 1,2,4> <flags of the task>
 */

import { assertEquals } from "@std/assert";
import { readConfig } from "../tasks/config.ts";
import { genData } from "../tasks/gen_data.ts";
import { scaleData } from "../tasks/scale.ts";
import { scaledPathOf } from "../tasks/scaled_dataset.ts";
import { scaleTable } from "../tasks/table_scale.ts";
import { asRanks } from "./rank_group.ts";
import { pathInProject, type Workplace } from "./run_task_process.ts";

/** What one number of ranks came to. */
export interface RanksOutcome {
  ranks: number;
  /** What each rank returned; nothing where it failed. */
  reports: unknown[];
  /** What each rank threw: name and message. */
  faults: ([string, string] | null)[];
}

/**
 * Makes or scales a dataset of a folder in a process of its own.
 *
 * @param task What to do.
 * @param folder The folder.
 * @param ranks How many ranks, one number after the other, such as 1,2,4.
 * @param args Flags of the task.
 * @returns What each number of ranks came to.
 */
export async function runAsRanks(
  task: "gen-data" | "scale",
  folder: Workplace,
  ranks: string,
  args: readonly string[] = [],
): Promise<RanksOutcome[]> {
  const script = ["--config", pathInProject("deno.json"), pathInProject("tests/data_ranks.ts")];
  const { stdout, stderr } = await folder.runDeno(["run", "-A", "--no-check", ...script, task, ranks, ...args]);
  assertEquals(stderr, "");
  return JSON.parse(stdout);
}

if (import.meta.main) {
  const [task, ranks, ...args] = Deno.args;
  const config = readConfig(task as "gen-data" | "scale", args, { env: () => undefined, dotenv: "" });
  const work = task === "gen-data" ? genData : config.data === "" ? scaleData : scaleTable;
  const path = task === "gen-data" ? `data/${config.recipe}.csv` : scaledPathOf(config);
  const outcomes: RanksOutcome[] = [];
  for (const size of ranks.split(",").map(Number)) {
    const faults: RanksOutcome["faults"] = [];
    const reports = await asRanks(size, async (communicator) => {
      try {
        const report = await work(config, { communicator });
        faults[communicator.rank] = null;
        return report;
      } catch (error) {
        const { name, message } = error as Error;
        faults[communicator.rank] = [name, message];
      }
    });
    outcomes.push({ ranks: size, reports, faults });
    // Each number of ranks makes its own file, which stays under another name.
    await Deno.rename(path, `${path}.${size}`).catch(() => {});
  }
  console.log(JSON.stringify(outcomes));
}

/**
 * Makes or scales a dataset as several ranks would, all in this process, whose folder it works in: prints what each said.
 *
 *   deno run tests/data_ranks.ts <gen-data or scale> <ranks, such as 1,2,4> <flags of the task>
 */

import { readConfig } from "../tasks/config.ts";
import { genData } from "../tasks/gen_data.ts";
import { scaleData } from "../tasks/scale.ts";
import { scaledPathOf } from "../tasks/scaled_dataset.ts";
import { scaleTable } from "../tasks/table_scale.ts";
import { asRanks } from "./rank_group.ts";

/** What one number of ranks came to. */
export interface RanksOutcome {
  ranks: number;
  /** What each rank returned; nothing where it failed. */
  reports: unknown[];
  /** What each rank threw: name and message. */
  faults: ([string, string] | null)[];
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

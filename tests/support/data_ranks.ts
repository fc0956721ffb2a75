/**
 * Makes, scales or prepares a dataset as several ranks would, all in this process, whose folder it works in: prints what each
 * said.
 *
 *   deno run tests/support/data_ranks.ts <gen-data, scale or prepare> <ranks, such as 1,2,4> <flags of the task, or of train>
 */

import { assertEquals } from "@std/assert";
import type { Communicator } from "../../lib/ranks/communicator.ts";
import { type Config, readConfig } from "../../tasks/settings/config.ts";
import { genData } from "../../tasks/prepare/generate.ts";
import { Progress } from "../../tasks/show/progress.ts";
import { QuietView } from "../../tasks/show/plain_view.ts";
import { scaleData } from "../../tasks/prepare/scale_recipe.ts";
import { scaledPathOf } from "../../tasks/prepare/scaled_dataset.ts";
import { NO_SCREEN } from "../../tasks/show/screen.ts";
import { prepareDataset } from "../../tasks/prepare/stages.ts";
import { scaleTable } from "../../tasks/prepare/scale_table.ts";
import { asRanks } from "./rank_group.ts";
import { pathInProject, type Workplace } from "./run_task_process.ts";

/** What {@linkcode runAsRanks} does. */
type RanksTask = "gen-data" | "scale" | "prepare";

/** What one number of ranks came to. */
export interface RanksOutcome {
  ranks: number;
  /** What each rank returned; nothing where it failed. */
  reports: unknown[];
  /** What each rank threw: name and message. */
  faults: ([string, string] | null)[];
}

/** What a rank that prepared a dataset tells. */
export interface Prepared {
  notes: string[];
  /** What it did, and how much of it there was to do, in that job's unit. */
  jobs: Record<string, number>;
  sha256: string;
}

/**
 * Makes, scales or prepares a dataset of a folder in a process of its own.
 *
 * @param task What to do.
 * @param folder The folder.
 * @param ranks How many ranks, one number after the other, such as 1,2,4.
 * @param args Flags of the task.
 * @returns What each number of ranks came to.
 */
export async function runAsRanks(
  task: RanksTask,
  folder: Workplace,
  ranks: string,
  args: readonly string[] = [],
): Promise<RanksOutcome[]> {
  const script = ["--config", pathInProject("deno.json"), pathInProject("tests/support/data_ranks.ts")];
  const { stdout, stderr } = await folder.runDeno(["run", "-A", "--no-check", ...script, task, ranks, ...args]);
  assertEquals(stderr, "");
  return JSON.parse(stdout);
}

/** Keeps what it is told. */
class NoteView extends QuietView {
  readonly notes: string[] = [];
  readonly jobs: Record<string, number> = {};

  override note(text: string = ""): void {
    this.notes.push(text);
  }

  override job(label: string): Progress {
    const progress = new Progress(label, NO_SCREEN);
    progress.update = (_, total) => void (this.jobs[label] = total);
    return progress;
  }
}

async function prepare(config: Config, { communicator }: { communicator: Communicator }): Promise<Prepared> {
  const view = new NoteView();
  using dataset = await prepareDataset(config, view, communicator);
  const { notes, jobs } = view;
  return { notes, jobs, sha256: dataset.sha256 };
}

if (import.meta.main) {
  const [task, ranks, ...args] = Deno.args as [RanksTask, string, ...string[]];
  const config = readConfig(task === "prepare" ? "train" : task, args, { env: () => undefined, dotenv: "" });
  const work = task === "prepare"
    ? prepare
    : task === "gen-data"
    ? genData
    : config.data === ""
    ? scaleData
    : scaleTable;
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
    // Each number of ranks makes its own file, which stays under another name; what is prepared, the next one finds.
    if (task !== "prepare") await Deno.rename(path, `${path}.${size}`).catch(() => {});
  }
  console.log(JSON.stringify(outcomes));
}

/** Prepares a dataset as training does, in the process of a `Workplace.inSeries()`, whose folder it works in. */

import { assertEquals } from "@std/assert";
import { prepareDataset } from "../../tasks/prepare/stages.ts";
import { readConfig } from "../../tasks/settings/config.ts";
import { Progress } from "../../tasks/show/progress.ts";
import { QuietView } from "../../tasks/show/plain_view.ts";
import { NO_SCREEN } from "../../tasks/show/screen.ts";
import type { Workplace } from "./run_task_process.ts";

/** What a series calls it; no task of deno.json is called so. */
export const PREPARE = "prepare";

/** What preparing came to. */
interface Prepared {
  /** The notes, of each the first line. */
  notes: string[];
  /** Lines of what was said of the table. */
  told: string[];
  /** What was done, and how much of it there was to do, in that job's unit. */
  jobs: Record<string, number>;
  sha256?: string;
  /** The message of what was thrown. */
  fault?: string;
}

export async function prepareIn(place: Workplace, args: readonly string[]): Promise<Prepared> {
  const { stdout, stderr } = await place.succeed(PREPARE, args);
  assertEquals(stderr, "");
  return JSON.parse(stdout);
}

/** Keeps what it is told. */
class NoteView extends QuietView {
  readonly said: Prepared = { notes: [], told: [], jobs: {} };

  override note(text: string = ""): void {
    if (text.startsWith(" ")) this.said.told.push(...text.split("\n"));
    else this.said.notes.push(text.split("\n")[0]);
  }

  override job(label: string): Progress {
    const progress = new Progress(label, NO_SCREEN);
    progress.update = (_, total) => void (this.said.jobs[label] = total);
    return progress;
  }
}

/** What the process does: prints what was said, as JSON. */
export async function prepare(args: readonly string[]): Promise<void> {
  const config = readConfig("train", args, { env: () => undefined, dotenv: "" });
  const view = new NoteView();
  try {
    using dataset = await prepareDataset(config, view);
    view.said.sha256 = dataset.sha256;
  } catch (error) {
    view.said.fault = (error as Error).message;
  }
  console.log(JSON.stringify(view.said));
}

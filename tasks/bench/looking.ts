/**
 * What it costs training that somebody looks on: the terminal view in a terminal, and the live page with a client that
 * reads all that is sent, beside runs that print nothing. In turn, so that what else the machine does meets all alike.
 */

import { runToEnd, runWorker, type Start } from "./processes.ts";
import type { LookingResult } from "./results.ts";

type View = LookingResult["view"];

const VIEWS: readonly View[] = ["quiet", "terminal", "live"];

/**
 * Times the views on the default dataset.
 *
 * @param plan How often each, and for how many seconds, about.
 * @param folder Where the dataset lies, scaled.
 * @returns Every view's rates.
 * @throws {Error} If a run fails.
 */
export async function timeViews(
  { rounds, seconds }: { rounds: number; seconds: number },
  folder: string,
): Promise<LookingResult[]> {
  const first = await timeView("quiet", 1, folder);
  const epochs = Math.max(1, Math.round(seconds * first.rate / first.steps));
  const rates: Record<View, number[]> = { quiet: [], terminal: [], live: [] };
  for (let round = 0; round < rounds; round++) {
    // None of them always comes first.
    for (let i = 0; i < VIEWS.length; i++) {
      const view = VIEWS[(round + i) % VIEWS.length];
      rates[view].push((await timeView(view, epochs, folder)).rate);
    }
  }
  return VIEWS.map((view) => ({ view, rounds: rates[view] }));
}

/** Trains once; the steps and how many a second. */
async function timeView(view: View, epochs: number, folder: string): Promise<{ steps: number; rate: number }> {
  const flags = { quiet: ["--quiet"], terminal: [], live: ["--live"] }[view];
  const train: Start = {
    script: "tasks/train.ts",
    args: ["--num-epochs", `${epochs}`, "--run-name", view, ...flags],
    flags: ["--allow-read", "--allow-write=data", "--allow-env", "--allow-net=127.0.0.1"],
    cwd: folder,
    terminal: view === "terminal" ? { columns: 80, rows: 24 } : undefined,
  };
  await runToEnd(train, view === "live" ? { on: /^live: (http:\S+)/m, by: ([, url]) => listen(url) } : undefined);
  const summary = JSON.parse(await Deno.readTextFile(`${folder}/data/runs/${view}/summary.json`));
  return { steps: summary.steps, rate: summary.stepsPerSecond };
}

/** Reads what a live page would be sent, to the end. */
async function listen(url: string): Promise<void> {
  await runWorker({ script: "tasks/bench/listener.ts", args: [url], flags: ["--allow-net=127.0.0.1"] });
}

/**
 * What it costs training that somebody looks on: the terminal view in a terminal, the live page with a client that reads
 * all that is sent, and with one that never reads, beside runs that print nothing. In turn, so that what else the machine
 * does meets all alike.
 */

import type { Plan } from "./plan.ts";
import { runToEnd, runWorker, type Start } from "./processes.ts";
import type { LookingResult } from "./results.ts";

type View = LookingResult["view"];

const FLAGS: Record<View, readonly string[]> = {
  quiet: ["--quiet"],
  terminal: [],
  live: ["--live"],
  stalled: ["--live"],
};

/** Who looks at the page of a run. */
const CLIENTS: Partial<Record<View, string>> = { live: "tasks/bench/listener.ts", stalled: "tasks/bench/stalled.ts" };

/**
 * Times the views on the default dataset.
 *
 * @throws {Error} If a run fails.
 */
export async function timeViews(
  { views, rounds, seconds }: Plan["looking"],
  folder: string,
): Promise<LookingResult[]> {
  let epochs = 1;
  for (const share of [0.1, 1]) { // a run of one epoch is slow, because it begins
    const { steps, rate } = await timeView("quiet", epochs, folder);
    epochs = Math.max(1, Math.round(share * seconds * rate * epochs / steps));
  }
  const results = views.map((view) => ({ view, rounds: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    // None of them always comes first.
    for (let i = 0; i < results.length; i++) {
      const { view, rounds } = results[(round + i) % results.length];
      rounds.push((await timeView(view, epochs, folder)).rate);
    }
  }
  return results;
}

/** Trains once; the steps and how many a second. */
async function timeView(view: View, epochs: number, folder: string): Promise<{ steps: number; rate: number }> {
  const client = CLIENTS[view];
  const train: Start = {
    script: "tasks/train.ts",
    args: ["--num-epochs", `${epochs}`, "--run-name", view, ...FLAGS[view]],
    flags: ["--allow-read", "--allow-write=data", "--allow-env", "--allow-net=127.0.0.1"],
    cwd: folder,
    terminal: view === "terminal" ? { columns: 80, rows: 24 } : undefined,
  };
  await runToEnd(train, client ? { on: /^live: (http:\S+)/m, by: ([_, url]) => look(client, url) } : undefined);
  const summary = JSON.parse(await Deno.readTextFile(`${folder}/data/runs/${view}/summary.json`));
  return { steps: summary.steps, rate: summary.stepsPerSecond };
}

/** Has a client at the live page until the run ends. */
async function look(script: string, url: string): Promise<void> {
  await runWorker({ script, args: [url], flags: ["--allow-net=127.0.0.1"] });
}

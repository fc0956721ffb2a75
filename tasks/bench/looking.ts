/**
 * What watching a training costs: the terminal view, the live page with a client that reads it, and with one that never
 * reads, compared with runs that print nothing. They take turns, so that other load on the machine affects all of them.
 */

import type { Plan } from "./plan.ts";
import { runToEnd, runWorker } from "./processes.ts";
import type { LookingResult } from "./results.ts";

const FLAGS: Record<LookingResult["view"], readonly string[]> = {
  quiet: ["--quiet"],
  terminal: [],
  live: ["--live"],
  stalled: ["--live"],
};

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
  for (const share of [0.1, 1]) { // a run of one epoch is slow, because it includes the start
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

/** Trains once; the steps, and steps per second. */
async function timeView(
  view: LookingResult["view"],
  epochs: number,
  folder: string,
): Promise<{ steps: number; rate: number }> {
  const look = ([_, url]: RegExpMatchArray) =>
    runWorker({ script: "tasks/bench/page_client.ts", args: [view, url], flags: ["--allow-net=127.0.0.1"] });
  await runToEnd({
    script: "tasks/train.ts",
    args: ["--num-epochs", `${epochs}`, "--run-name", view, ...FLAGS[view]],
    flags: ["--allow-read", "--allow-write=data", "--allow-env", "--allow-net=127.0.0.1"],
    cwd: folder,
    terminal: view === "terminal" ? { columns: 80, rows: 24 } : undefined,
  }, FLAGS[view].includes("--live") ? { on: /^live: (http:\S+)/m, by: look } : undefined);
  const summary = JSON.parse(await Deno.readTextFile(`${folder}/data/runs/${view}/summary.json`));
  return { steps: summary.steps, rate: summary.stepsPerSecond };
}

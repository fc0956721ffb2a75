/** A terminal that goes away while a run trains in it, as when an ssh connection drops. */

import { assert, assertEquals } from "@std/assert";
import { totalsOf } from "../../support/kill_runs.ts";
import { runInTerminal } from "../../support/pseudo_terminal.ts";
import { isLonger, until, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

/** Util-linux has `script` with these options; BSD's takes others. */
const ignore = Deno.build.os !== "linux";

const ARGS = ["--num-dataset=600", "--optimizer=adam", "--run-name=r", "--checkpoint-every=1000000"];

const METRICS = "data/runs/r/metrics.jsonl";

/** Trains in a terminal, closes that after some epochs, and gives the exit code of the training. */
async function hangUp(place: Workplace, args: readonly string[], before: string): Promise<number> {
  let isClosed = false;
  await runInTerminal(place, "train", args, {
    // The terminal's shell dies of it, and its end is what the training is told of. One within it stays, for the code.
    before: `(trap '' HUP; ${before}`,
    redirect: "; echo $? > code); true",
    during: async (_, { close }) => {
      if (isClosed || !await isLonger(place.at(METRICS), 200)) return;
      isClosed = true;
      close();
    },
  });
  assert(isClosed, "it ended before its terminal was closed");
  assert(await until(() => isLonger(place.at("code"), 1)), "it trains on, or has ended without an exit code");
  return Number(await place.read("code"));
}

permitted({ name: "a run whose terminal is closed keeps all that it has trained", ignore }, async (t) => {
  await using whole = await Workplace.inSeries("train");
  const args = [...ARGS, "--num-epochs=120"];
  await whole.succeed("train", args);
  const cases: [name: string, before: string, code: number, args: string[]][] = [
    ["it is told by SIGHUP, and says so to nobody", "", 129, args],
    ["so with --json", "", 129, [...args, "--json"]],
    ["in a session of its own it is not told, and trains to its end", "setsid --wait", 0, args],
  ];
  for (const [name, before, code, args] of cases) {
    await t.step(name, async () => {
      await using place = await Workplace.inSeries("train");
      assertEquals(await hangUp(place, args, before), code);
      if (code !== 0) {
        const { stdout } = await place.succeed("train", ["--resume=r"]);
        const step = Number(stdout.match(/^resume: data\/runs\/r from step (\d+), /m)![1]);
        assert(step > 0, "it began anew");
      }
      assertEquals(await totalsOf(place, "data/runs/r"), await totalsOf(whole, "data/runs/r"));
    });
  }
});

/**
 * Searches for settings at random: trains a run per trial and sorts the runs by their validation loss.
 *
 *   deno task tune --trials 20 --learning-rate 1e-4..1e-1:log --hidden-size "32|64|128,64"
 */

import { exitCodeOf } from "./settings/run_task.ts";
import { main, splitRanges } from "./tune/trials.ts";

if (import.meta.main) {
  const line = splitRanges(Deno.args);
  Deno.exit(await exitCodeOf("tune", line.plain, (config) => main(config, line)));
}

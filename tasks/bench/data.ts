/**
 * Making and scaling a dataset as a worker of the bench, in data/ of the working directory:
 *
 *     deno run --allow-read=. --allow-write=data tasks/bench/data.ts gen-data 1000000
 *     deno run --allow-read=. --allow-write=data tasks/bench/data.ts scale 1000000
 */

import { readConfig } from "../settings/config.ts";
import { genData } from "../prepare/generate.ts";
import { scale } from "../prepare/scale.ts";
import type { DataResult } from "./results.ts";
import { peakBytes, report } from "./worker.ts";

const [stage, count] = Deno.args as [DataResult["stage"], string];
const rows = Number(count);
// The defaults: the user's own settings are not what is measured.
const config = readConfig(
  stage,
  stage === "gen-data" ? ["--num-dataset", count] : [],
  { env: () => undefined, dotenv: "" },
);
const start = performance.now();
if (stage === "gen-data") await genData(config);
else await scale(config);
const result: DataResult = {
  stage,
  rows,
  rowsPerSecond: rows / (performance.now() - start) * 1000,
  peakBytes: peakBytes(),
};
report(result);

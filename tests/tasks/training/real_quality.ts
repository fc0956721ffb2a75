/**
 * What the defaults under DATA reach on real tables: medians over five seeds, on the test rows. The prepared rows of each
 * seed stay in the folder, for real_quality.py to train scikit-learn's networks on the very same.
 *
 *   deno run -A tests/tasks/training/real_quality.ts folder [flags of train]
 */

import { median, REAL_TABLES, trainOn, withRealTables } from "./real_data_process.ts";

const SEEDS = [1, 2, 3, 4, 5];

if (import.meta.main) {
  const [folder, ...args] = Deno.args;
  await Deno.mkdir(folder, { recursive: true });
  await using place = await withRealTables();
  for (const table of Object.keys(REAL_TABLES)) {
    const scores: number[] = [];
    const seconds: number[] = [];
    for (const seed of SEEDS) {
      const start = performance.now();
      const test = await trainOn(place, table, seed, args);
      scores.push(test.accuracy ?? test.r2);
      seconds.push((performance.now() - start) / 1000);
      await Deno.copyFile(place.at(`data/${table}.scaled.safetensors`), `${folder}/${table}-${seed}.safetensors`);
    }
    console.log(`${table}: ${median(scores).toFixed(4)}, ${median(seconds).toFixed(1)} s a run`);
  }
}

/** tune-mpi as its users start it: tune's table from several ranks, and what becomes of one that loses a trial, or itself. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  assertOneSpoke,
  HAS_MPI,
  jobIn,
  type JobOutcome,
  MpiJob,
  type Process,
  processesIn,
  runJob,
  runMixed,
} from "../../support/mpi_job.ts";
import { isLonger, until, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const options = { ignore: !HAS_MPI };

const SMALL = ["--num-dataset=200", "--num-epochs=2"];

async function tune(place: Workplace, ranks: number, args: readonly string[]): Promise<JobOutcome> {
  return await runJob(await jobIn(place, "tune-mpi", ranks, args));
}

/** The table, and what stands behind it. */
function tableOf(stdout: string): string {
  return stdout.slice(stdout.search(/^run /m));
}

permitted("tune-mpi prints tune's table, a trial that fails in it, and does nothing twice", options, async () => {
  await using place = await Workplace.create();
  // The third draws what cannot be trained with.
  const args = [...SMALL, "--learning-rate=1e30|0.01|0.003", "--hidden-size=3|5", "--seed=2", "--trials=3"];
  const ranks = await tune(place, 3, args);
  assertEquals(ranks.code, 0, JSON.stringify(ranks));
  assertOneSpoke(ranks);
  const { stdout } = ranks.ranks[0];
  const trials = [...stdout.matchAll(/^trial (\d)\/3 .*$/gm)];
  assertEquals(trials.map(([_, number]) => number).sort(), ["1", "2", "3"]);
  assertEquals(trials.filter(([line]) => / is -?(NaN|Infinity) at step \d+ of epoch 1/.test(line)).length, 1);
  const failed = [...stdout.matchAll(/^(\S+) .* failed$/gm)].map(([_, run]) => run);
  assertEquals(failed, ["default_run-003"]);
  const kept = async () => {
    const digests = Object.entries(await place.digests("data/runs"));
    return Object.fromEntries(digests.filter(([path]) => !path.startsWith(failed[0])));
  };
  const before = await kept();
  assertEquals(Object.keys(before).filter((path) => path.endsWith("summary.json")).length, 2);

  // The two that are there stay, though other ranks may come upon them.
  const again = await tune(place, 2, args);
  assertEquals([again.code, tableOf(again.ranks[0].stdout)], [0, tableOf(stdout)]);
  assertEquals(await kept(), before);
  // tune draws the same trials: it takes them for its own.
  const alone = await place.succeed("tune", args);
  assertEquals([tableOf(alone.stdout), await kept()], [tableOf(stdout), before]);
});

/** Trials that last long enough to be seen. */
const LONG = ["--num-dataset=200", "--num-epochs=400", "--learning-rate=0.001..0.1", "--trials=4"];

permitted("tune-mpi goes on where a trial is killed, or cannot even begin", options, async () => {
  // The third trial cannot have its folder.
  await using place = await Workplace.create({ "data/runs/default_run-003": "" });
  await using job = await MpiJob.start(await jobIn(place, "tune-mpi", 2, LONG));
  const [_, { pid, environment }] = await trialsOf(place);
  assertEquals(environment.filter((text) => /^(OMPI|PMIX)_/.test(text)), [], "a trial takes itself for a rank");
  const share = Math.max(1, Math.floor(navigator.hardwareConcurrency / 2));
  assert(environment.includes(`TRIAL_THREADS=${share}`), `${environment}`);
  Deno.kill(pid, "SIGKILL");
  const ended = await job.ended;
  assertEquals(ended.code, 0, JSON.stringify(ended));
  assertOneSpoke(ended);
  const [{ stdout }] = ended.ranks;
  assertMatch(stdout, /^trial \d\/4 .* train was ended by SIGKILL /m);
  assertMatch(stdout, /^trial 3\/4 .* \(os error \d+\)/m);
  const rows = tableOf(stdout).match(/^default_run-\d+ .*$/gm);
  assertEquals(rows?.map((row) => row.endsWith("failed")), [false, false, true, true]);
});

permitted("tune-mpi that loses a rank ends, and so do the trials of all ranks", options, async () => {
  await using place = await Workplace.create();
  await using job = await MpiJob.start(await jobIn(place, "tune-mpi", 2, [...LONG, "--num-epochs=1000000"]));
  const [_, { parent }] = await trialsOf(place);
  Deno.kill(parent, "SIGKILL");
  const ended = await job.ended;
  assert(ended.code !== 0 && !ended.isLate, JSON.stringify(ended));
  assertMatch(ended.launcher, /rank \d\b.*exited on signal 9/s);
  const deadline = performance.now() + 20_000;
  const haveEnded = async () => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    return (await findTrials(place)).length === 0;
  };
  await until(haveEnded, () => performance.now() > deadline);
  const left = await findTrials(place);
  for (const { pid } of left) Deno.kill(pid, "SIGKILL");
  assertEquals(left, [], "a trial outlives its rank, and would keep its run locked");
});

permitted("tune-mpi refuses once what cannot be searched, and ranks that want different things", options, async () => {
  await using place = await Workplace.create();
  const wrong = await tune(place, 2, ["--learning-rate=0.1", "--split=1,0,0"]);
  assertEquals(wrong.code, 2, JSON.stringify(wrong));
  assertOneSpoke(wrong);
  assertStringIncludes(wrong.ranks[0].stderr, "error: there is no range to search");
  const split = 'error: --split is "1,0,0": trials are compared by their validation loss';
  assertStringIncludes(wrong.ranks[0].stderr, split);
  const mixed = await runMixed(place, "tune-mpi", [], ["--dropout=0..0.5", "--dropout=0..0.4"]);
  assertEquals(mixed.code, 2, JSON.stringify(mixed));
  const says = /^error: rank 1 of 2 on \S+: --dropout is "0..0.4" on rank 1, and "0..0.5" on rank 0: /m;
  assertMatch(mixed.ranks[1].stderr, says);
  assertEquals(await place.digests(), {});
});

/** Waits until the first two trials train at once in a folder, each of another rank. */
async function trialsOf(place: Workplace): Promise<Process[]> {
  const deadline = performance.now() + 60_000;
  for (const run of ["default_run-001", "default_run-002"]) {
    const hasBegun = () => isLonger(place.at(`data/runs/${run}/metrics.jsonl`), 0);
    assert(await until(hasBegun, () => performance.now() > deadline), `${run} never began`);
  }
  const trials = await findTrials(place);
  assertEquals([trials.length, new Set(trials.map(({ parent }) => parent)).size], [2, 2]);
  return trials;
}

/** The processes of trials that run in a folder. */
async function findTrials(place: Workplace): Promise<Process[]> {
  return (await processesIn(place.path)).filter(({ words }) => words.some((word) => word.endsWith("tasks/train.ts")));
}

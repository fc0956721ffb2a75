/** train-mpi as its users start it: the same model as train makes, and what becomes of a job that loses a rank. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readSafetensors } from "../../../lib/safetensors/reader.ts";
import { assertClose } from "../../support/assert_close.ts";
import { assertOneSpoke, HAS_MPI, jobIn, type JobOutcome, MpiJob } from "../../support/mpi_job.ts";
import { type Process, processesIn, runJob, runMixed } from "../../support/mpi_job.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const options = { ignore: !HAS_MPI };

/** 240 training rows in batches of 50: the last step of an epoch has 40. */
const SMALL = ["--num-dataset=300", "--hidden-size=7,5", "--batch-size=50", "--learning-rate=0.05"];

/** Runs a job to its end, with this exit code. */
async function train(place: Workplace, ranks: number, args: readonly string[], code = 0): Promise<JobOutcome> {
  const outcome = await runJob(await jobIn(place, "train-mpi", ranks, args));
  assertEquals([outcome.code, outcome.isLate], [code, false], JSON.stringify(outcome));
  return outcome;
}

/** All weights of a run, by name. */
async function weightsOf(place: Workplace, run: string): Promise<Record<string, Float32Array>> {
  const { tensors } = await readSafetensors(place.at(`data/runs/${run}/model.safetensors`));
  assertEquals([...tensors.keys()].filter((name) => name.endsWith("weight")).length, 3);
  return Object.fromEntries([...tensors].map(([name, { data }]) => [name, data as Float32Array]));
}

function metricsOf(place: Workplace, run: string): Promise<Record<string, number>[]> {
  return place.readLines(`data/runs/${run}/metrics.jsonl`);
}

permitted("train-mpi makes the model that train makes, and one rank alone prints and writes", options, async () => {
  await using place = await Workplace.create();
  const args = [...SMALL, "--num-epochs=20", "--optimizer=momentum"];
  const outcome = await train(place, 3, [...args, "--run-name=ranks"]);
  // It has made the dataset, for all.
  const csv = "gen-data: wrote data/cubic.csv, 300 rows (it was missing)\n";
  const scaled = "data/cubic.scaled.safetensors";
  assertStringIncludes(outcome.ranks[0].stdout, `${csv}scale: wrote ${scaled} (it was missing)\n`);
  const { stdout } = await place.succeed("train", [...args, "--run-name=alone"]);
  assertStringIncludes(stdout, `scale: skipped, ${scaled} is current`);
  assertOneSpoke(outcome);
  assertStringIncludes(outcome.ranks[0].stdout, "\nrank 2 of 3 on ");
  assertEquals((await metricsOf(place, "ranks")).at(-1)!.step, 100);
  const found = await weightsOf(place, "ranks");
  const expected = await weightsOf(place, "alone");
  for (const [name, data] of Object.entries(expected)) assertClose(found[name], data, { atol: 1e-5, rtol: 0 });
  const losses = (lines: Record<string, number>[]) => lines.flatMap(({ trainLoss, valLoss }) => [trainLoss, valLoss]);
  assertClose(losses(await metricsOf(place, "ranks")), losses(await metricsOf(place, "alone")), {
    atol: 1e-5,
    rtol: 0,
  });
});

permitted("train-mpi that loses a rank ends, and goes on bit for bit from its last checkpoint", options, async () => {
  await using place = await Workplace.create();
  const args = [...SMALL, "--num-epochs=40", "--optimizer=adam", "--sync-every=3", "--checkpoint-every=28"];
  await train(place, 2, [...args, "--run-name=whole"]);
  await using job = await MpiJob.start(await jobIn(place, "train-mpi", 2, [...args, "--run-name=broken"]));
  await job.until(0, /^rank 1 of 2 on /m);
  const pid = await pidOfRank(place, 1); // not the first rank's
  await job.until(0, /^epoch +[2-9]/m);
  Deno.kill(pid, "SIGKILL");
  const ended = await job.ended;
  assert(ended.code !== 0 && !ended.isLate, JSON.stringify(ended));
  assertMatch(ended.launcher, /rank 1\b.*exited on signal 9/s);
  const resumed = await train(place, 2, ["--resume=broken"]);
  assertStringIncludes(resumed.ranks[0].stdout, "scale: skipped, data/cubic.scaled.safetensors is current");
  assertMatch(resumed.ranks[0].stdout, /^resume: data\/runs\/broken from step \d+, /m);
  assertEquals(await weightsOf(place, "broken"), await weightsOf(place, "whole"));
  assertEquals(await metricsOf(place, "broken"), await metricsOf(place, "whole"));
});

permitted("train-mpi asked to end saves what it has, and another number of ranks goes on", options, async () => {
  await using place = await Workplace.create();
  const args = [...SMALL, "--num-epochs=100000", "--run-name=stopped"];
  await using job = await MpiJob.start(await jobIn(place, "train-mpi", 2, args));
  await job.until(0, /^epoch +1/m);
  Deno.kill(await pidOfRank(place, 1), "SIGTERM"); // not the one that writes
  const ended = await job.ended;
  assertEquals([ended.code, ended.isLate], [143, false], JSON.stringify(ended));
  assertOneSpoke(ended);
  assertMatch(ended.ranks[0].stdout, /^continue with: mpirun -n 2 deno task train-mpi --resume stopped$/m);
  const { step } = (await metricsOf(place, "stopped")).at(-1)!;
  const more = await train(place, 3, ["--resume=stopped", `--num-epochs=${step / 5 + 2}`, "--force"]);
  assertStringIncludes(more.ranks[0].stderr, "warning: it ran on 2 ranks, and now on 3: ");
  const alone = await place.succeed("train", ["--resume=stopped", `--num-epochs=${step / 5 + 3}`, "--force"]);
  assertStringIncludes(alone.stderr, "warning: it ran on 3 ranks, and now on 1: ");
});

permitted("train-mpi has no folds on one rank either, and its run goes on in train", options, async () => {
  const lines = Array.from({ length: 40 }, (_, i) => `${i},${i % 7}\n`).join("");
  await using place = await Workplace.create({ "t.csv": `x,y\n${lines}` });
  const run = ["--hidden-size=4", "--members=2", "--numeric-embedding=none", "--num-epochs=1", "--run-name=one"];
  await train(place, 1, ["--data=t.csv", "--target=y", ...run]);
  assertEquals(JSON.parse(await place.read("data/runs/one/config.json")).FOLDS, "0");
  const { stdout } = await place.succeed("train", ["--resume=one", "--num-epochs=2"]);
  assertMatch(stdout, /^validation +4 /m);
});

permitted("train-mpi refuses once what is wrong, and ranks that want different things", options, async () => {
  await using place = await Workplace.create();
  const wrong = await train(place, 2, ["--sync-every=0", "--learning-rate=-1"], 2);
  assertOneSpoke(wrong);
  assertStringIncludes(wrong.ranks[0].stderr, `--sync-every is "0": allowed is`);
  const faults = ["--batch-size=1", "--trace", "--on-nan=halve-lr"];
  const refused = await train(place, 2, ["--num-dataset=100", ...faults], 2);
  const reasons = [
    '--batch-size is "1": 2 ranks share a batch, and each needs at least one row of it',
    "TRACE and DEBUG_TENSORS show the steps of one process",
    '--on-nan is "halve-lr": steps that several processes share cannot be undone',
  ];
  for (const says of reasons) assertStringIncludes(refused.ranks[0].stderr, says);
  const mixed = await runMixed(place, "train-mpi", ["--num-dataset=100"], ["--seed=1", "--seed=2"]);
  assertEquals(mixed.code, 2, JSON.stringify(mixed));
  assertEquals(mixed.ranks[0].stderr, "");
  assertMatch(mixed.ranks[1].stderr, /^error: rank 1 of 2 on \S+: SEED is "2" on rank 1, and "1" on rank 0: /m);
});

permitted("train-mpi whose loss is not finite ends with the step and what to do", options, async () => {
  const lines = (from: number) => Array.from({ length: 80 }, (_, i) => `${from + i},${(from + i) % 9}\n`).join("");
  await using place = await Workplace.create({ "t/a.csv": `x,y\n${lines(0)}`, "t/b.csv": `x,y\n${lines(0.5)}` });
  const table = ["--data=t", "--target=y", "--features=x", "--num-epochs=50", "--learning-rate=1e20"];
  const narrow = ["--hidden-size=4", "--members=1", "--numeric-embedding=none"];
  const outcome = await train(place, 2, [...table, ...narrow], 1);
  assertMatch(outcome.ranks[0].stderr, /^error: .* step \d+/m);
  assertStringIncludes(outcome.ranks[0].stdout, "scale: wrote data/t.scaled.safetensors (it was missing)\n");
  assertStringIncludes(outcome.ranks[0].stderr, "what to do: a lower LEARNING_RATE");
  assertEquals(outcome.ranks[1].stderr, "");
});

/** Which process a rank is: its environment says so. */
async function pidOfRank(place: Workplace, rank: number): Promise<number> {
  const isRank = ({ environment }: Process) => environment.includes(`OMPI_COMM_WORLD_RANK=${rank}`);
  const found = (await processesIn(place.path)).find(isRank);
  assert(found, `rank ${rank} does not run`);
  return found.pid;
}

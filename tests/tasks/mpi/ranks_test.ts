/** What rank 0 does for all ranks, in one process and in a job, and what processes know before MPI is there. */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { fromFirst, onFirst } from "../../../tasks/mpi/ranks.ts";
import { isFirst, launchCommand } from "../../../tasks/mpi/run_ranks.ts";
import { holdLock } from "../../support/lock_holder.ts";
import { HAS_MPI, jobIn, MpiJob, runJob } from "../../support/mpi_job.ts";
import { asRanks } from "../../support/rank_group.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const options = { ignore: !HAS_MPI };

/** A run that takes a moment. */
const SMALL = ["--num-dataset=100", "--num-epochs=1", "--hidden-size=4"];

Deno.test("onFirst() gives rank 0 its result, and signs of life to the others; fromFirst() gives it to all", async () => {
  const work = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1200));
    return { rows: 3 };
  };
  const calls = [0, 0, 0];
  const results = await asRanks(3, (ranks) => {
    const broadcast = (bytes: Uint8Array<ArrayBuffer>) => {
      calls[ranks.rank]++;
      return ranks.broadcast(bytes);
    };
    return onFirst({ ...ranks, broadcast }, work);
  });
  assertEquals(results, [{ rows: 3 }, undefined, undefined]);
  assert(calls[0] >= 3 && calls.every((count) => count === calls[0]), `${calls}`);
  assertEquals(await asRanks(2, (ranks) => fromFirst(ranks, () => "a")), ["a", "a"]);
  await asRanks(2, (ranks) => assertRejects(() => onFirst(ranks, () => Promise.reject(new Error("no"))), Error, "no"));
});

permitted("train-mpi waits for rank 0, which waits for a dataset, longer than RANK_TIMEOUT", options, async () => {
  await using place = await Workplace.create();
  await using holder = await holdLock(place, `lockDataset("cubic", "")`);
  await using job = await MpiJob.start(await jobIn(place, "train-mpi", 2, [...SMALL, "--rank-timeout=2s"]));
  await job.until(0, /^waiting for process \d+, which/m, "stderr");
  await new Promise((resolve) => setTimeout(resolve, 3000));
  await holder.kill();
  const { code, ranks } = await job.ended;
  assertEquals(code, 0, JSON.stringify(ranks));
  assertMatch(ranks[0].stdout, /^scale: wrote /m);
});

permitted("train-mpi says in one sentence that a rank does not see what rank 0 has written", options, async () => {
  await using place = await Workplace.create();
  await using elsewhere = await Workplace.create();
  const job = await jobIn(place, "train-mpi", 2, SMALL);
  const second = [":", "-n", "1", "-wdir", elsewhere.path, Deno.execPath(), ...job.command];
  const { code, ranks } = await runJob({ ...job, launch: ["-n", "1"], command: [...job.command, ...second] });
  assertEquals([code, ranks[0].stderr], [1, ""], JSON.stringify(ranks));
  const lacks = String.raw`rank 1 of 2 on \S+: .*cubic\.scaled\.safetensors: there is no .*, but rank 0 has it`;
  assertMatch(ranks[1].stderr, new RegExp(`^error: ${lacks}: all ranks need the same data folder\n$`));
});

const environment = (variables: Record<string, string>) => new Map(Object.entries(variables));

Deno.test("isFirst() is told by mpirun, before PMIx, before Slurm", () => {
  const cases: [boolean, Record<string, string>][] = [
    [true, {}],
    [true, { OMPI_COMM_WORLD_RANK: "0", PMIX_RANK: "0", SLURM_PROCID: "1" }],
    [false, { OMPI_COMM_WORLD_RANK: "1", PMIX_RANK: "1", SLURM_PROCID: "0" }],
    [true, { PMIX_RANK: "0", SLURM_PROCID: "0" }],
    [false, { PMIX_RANK: "10", SLURM_PROCID: "10" }],
    [true, { SLURM_PROCID: "0" }],
    [false, { SLURM_PROCID: "1" }],
  ];
  for (const [first, names] of cases) assertEquals(isFirst(environment(names)), first, JSON.stringify(names));
});

Deno.test("launchCommand() names srun where that started the ranks, else mpirun, within a job of Slurm, too", () => {
  const cases = [
    ["srun --mpi=pmix -n 3", "SLURM_PROCID", "PMIX_RANK"],
    ["mpirun -n 3", "OMPI_COMM_WORLD_RANK", "PMIX_RANK"],
    ["mpirun -n 3", "OMPI_COMM_WORLD_RANK", "SLURM_PROCID"],
  ];
  for (const [command, ...names] of cases) {
    assertEquals(launchCommand(3, new Map(names.map((name) => [name, "0"]))), command);
  }
});

permitted("train-mpi --help is said by the first process alone, whatever launched it", async () => {
  await using place = await Workplace.create();
  for (const name of ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "SLURM_PROCID"]) {
    const first = await place.succeed("train-mpi", ["--help"], { [name]: "0" });
    assertStringIncludes(first.stdout, "deno task train-mpi: ");
    assertEquals(await place.succeed("train-mpi", ["-h"], { [name]: "1" }), { code: 0, stdout: "", stderr: "" });
  }
});

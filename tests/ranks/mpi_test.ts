/** Ranks of Open MPI on this machine: each test is a job of its own. */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { Mpi } from "../../lib/ranks/mpi.ts";
import { faultOfLaunch, faultOfVersion } from "../../lib/ranks/mpi_library.ts";
import { HAS_MPI, MpiJob, rankScript, runJob } from "../support/mpi_job.ts";
import { IS_PERMITTED, permitted } from "../support/permitted.ts";
import { Workplace } from "../support/run_task_process.ts";

const options = { ignore: !HAS_MPI };
const host = HAS_MPI && IS_PERMITTED
  ? new TextDecoder().decode((await new Deno.Command("uname", { args: ["-n"] }).output()).stdout).trim()
  : "";

for (const count of [1, 2, 3, 4]) {
  permitted(`Mpi reduces, broadcasts, gathers, waits and sends, ranks: ${count}`, options, async () => {
    const ranks = Array.from({ length: count }, (_, rank) => {
      return { stdout: `rank ${rank} of ${count} is right, on ${host} ${rank} of ${count}\n`, stderr: "" };
    });
    const outcome = await runJob({ ranks: count, command: rankScript("support/mpi_rank.ts", "all") });
    assertEquals(outcome, { code: 0, ranks, launcher: "", isLate: false });
  });
}

permitted("Mpi.open() without mpirun is the only rank", options, async () => {
  await using place = await Workplace.create();
  const outcome = await place.runDeno(rankScript("support/mpi_rank.ts", "all"));
  assertEquals(outcome, { code: 0, stdout: `rank 0 of 1 is right, on ${host} 0 of 1\n`, stderr: "" });
});

permitted("Mpi.open() says in one line what is missing, and what to install", async () => {
  await using place = await Workplace.create();
  const says = async (library: string) =>
    (await place.runDeno(rankScript("support/mpi_rank.ts", "open", library))).stdout;
  const install = "install Open MPI 4 or later: `deno task setup --mpi`, or Debian's openmpi-bin and libopenmpi3\n";
  assertEquals(await says("libmpi.so.0"), `NotFound: Found no MPI library under the name libmpi.so.0: ${install}`);
  if (Deno.build.os !== "linux") return;
  const other = await says("libc.so.6");
  assertMatch(other, /^NotSupported: .*libc\.so\.6.*MPI_\w+.*\n$/);
  assertStringIncludes(other, install);
});

Deno.test("faultOfLaunch() lets pass one process, and one that mpirun has started on several hosts", () => {
  const faultOf = (variables: Record<string, string>) => faultOfLaunch(new Map(Object.entries(variables)));
  assertEquals(faultOf({}), undefined);
  assertEquals(faultOf({ SLURM_STEP_NUM_TASKS: "1" }), undefined);
  assertEquals(faultOf({ SLURM_STEP_NUM_TASKS: "2", OMPI_COMM_WORLD_SIZE: "1" }), undefined);
  assertMatch(faultOf({ SLURM_STEP_NUM_TASKS: "4" })!, /^srun has started 4 processes, .* srun --mpi=pmix, /);
});

permitted("train-mpi refuses processes of srun that MPI does not join", options, async () => {
  await using place = await Workplace.create();
  const says =
    "error: srun has started 2 processes, and MPI takes each for a job of its own: start them by srun --mpi=pmix";
  await place.refuse(1, [says], "train-mpi", ["--num-dataset=100"], { SLURM_STEP_NUM_TASKS: "2" });
  // Who may not read the environment is not asked about it.
  const { code } = await place.runDeno(rankScript("support/mpi_rank.ts", "all"), { SLURM_STEP_NUM_TASKS: "2" });
  assertEquals(code, 0);
});

Deno.test("Mpi.open() refuses a time limit that is none", async () => {
  for (const timeoutSeconds of [0, -1, NaN, Infinity]) {
    const says = `The time limit of MPI must be a positive number of seconds, not ${timeoutSeconds}`;
    await assertRejects(() => Mpi.open({ timeoutSeconds }), RangeError, says);
  }
});

Deno.test("faultOfVersion() takes Open MPI 4 and later, and names all others", () => {
  const install = "install Open MPI 4 or later: `deno task setup --mpi`, or Debian's openmpi-bin and libopenmpi3";
  for (const version of ["4.1.4, package: Debian OpenMPI, ident: 4.1.4", "5.0.0rc1", "10.2.1"]) {
    assertEquals(faultOfVersion(`Open MPI v${version}`), undefined, version);
  }
  assertEquals(faultOfVersion("Open MPI v3.1.6, package: x"), `is Open MPI v3.1.6, which is too old: ${install}`);
  const mpich = "MPICH Version:\t4.0.2\nMPICH Release date:\tThu Apr  7 12:34:45 CDT 2022\nMPICH ABI:\t14:2:2\n";
  const differ = `whose handles differ from those of Open MPI: ${install}`;
  assertEquals(faultOfVersion(mpich), `is MPICH Version: 4.0.2, ${differ}`);
  assertEquals(faultOfVersion(""), `is an unknown MPI, ${differ}`);
});

const DELAYS = {
  hang: "does not answer",
  dawdle: "works on after allReduce, its call 3",
  leave: "calls close instead",
};
for (const [what, how] of Object.entries(DELAYS)) {
  permitted(`Mpi names a rank that does not come within the time limit: ${what}`, options, async () => {
    const outcome = await runJob({ ranks: 3, command: rankScript("support/mpi_rank.ts", "on", what, "3") });
    assertEquals([outcome.code, outcome.isLate], [1, false], outcome.launcher);
    const [{ stderr }, ...others] = outcome.ranks;
    const waited = String.raw`rank 0 \(\S+\) has waited \d\.\d s for the others in allReduce, its call 4`;
    assertMatch(stderr, new RegExp(String.raw`^error: ${waited}; not there: rank 2 \(\S+\) ${how}\n$`));
    assertEquals(others.map(({ stderr }) => stderr), ["", ""], "the lowest rank that waits speaks, alone");
  });
}

permitted("Mpi ends all ranks where one throws, which tells why", options, async () => {
  const outcome = await runJob({ ranks: 3, command: rankScript("support/mpi_rank.ts", "on", "throw", "60") });
  assertEquals([outcome.code, outcome.isLate], [1, false], outcome.launcher);
  assertStringIncludes(outcome.ranks[2].stderr, "RangeError: the last rank has had enough");
});

permitted("Mpi ends all ranks where one is killed", options, async () => {
  await using job = await MpiJob.start({ ranks: 3, command: rankScript("support/mpi_rank.ts", "on", "", "60") });
  const pids = await Promise.all([0, 1, 2].map(async (rank) => Number((await job.until(rank, /^pid (\d+)/m))[1])));
  Deno.kill(pids[1], "SIGKILL");
  const { code, launcher, isLate } = await job.ended;
  assertEquals([code, isLate], [137, false], launcher);
  assertStringIncludes(launcher, "rank 1");
  const deadline = performance.now() + 10_000;
  for (const pid of pids) {
    while (await isRunning(pid)) assert(performance.now() < deadline, `process ${pid} runs on`);
  }
});

/** Whether a process works; one that has ended may wait for ever for somebody who asks how. */
async function isRunning(pid: number): Promise<boolean> {
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/status`], stderr: "null" }).output();
  return /^State:\s+[^ZX]/m.test(new TextDecoder().decode(stdout));
}

/** Ranks of Open MPI on several hosts, one of which is cut off. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { MpiHosts, WHY_NO_HOSTS } from "../support/mpi_hosts.ts";
import { MpiJob, rankScript, runJob } from "../support/mpi_job.ts";

const options = { ignore: WHY_NO_HOSTS !== undefined };

/** With these, daemons of Open MPI miss each other after 3 s; by default after 8 min. */
const SOON = ["time", "intvl", "probes"].flatMap((name) => ["--mca", `oob_tcp_keepalive_${name}`, "1"]);

Deno.test("Mpi with 4 ranks on 3 hosts that reach each other by TCP alone", options, async () => {
  await using hosts = await MpiHosts.create(3);
  const outcome = await runJob({ ...hosts.job, ranks: 4, command: rankScript("support/mpi_rank.ts", "all") });
  assertEquals([outcome.code, outcome.launcher], [0, ""], JSON.stringify(outcome.ranks));
  assertEquals(outcome.ranks.map(({ stdout }) => stdout.trim()), [
    "rank 0 of 4 is right, on host1 0 of 2",
    "rank 1 of 4 is right, on host2 0 of 1",
    "rank 2 of 4 is right, on host3 0 of 1",
    "rank 3 of 4 is right, on host1 1 of 2",
  ]);
});

Deno.test("Mpi.allReduce() of 2 or 4 ranks sends 2 (n - 1) / n of the bytes, the least there is", options, async () => {
  for (const ranks of [2, 4]) {
    await using hosts = await MpiHosts.create(ranks);
    const times = 20;
    const length = 2 ** 18;
    const sent = async (times: number) => {
      const before = await hosts.sentBy(1);
      const command = rankScript("support/mpi_rank.ts", "sum", `${times}`, `${length}`);
      const outcome = await runJob({ ...hosts.job, ranks, command });
      assertEquals([outcome.code, outcome.launcher], [0, ""], JSON.stringify(outcome.ranks));
      return await hosts.sentBy(1) - before;
    };
    // What starting and ending a job sends is no part of it; headers of TCP are.
    const share = (await sent(times) - await sent(0)) / (times * length * Float32Array.BYTES_PER_ELEMENT);
    const least = 2 * (ranks - 1) / ranks;
    assert(share > 0.99 * least && share < 1.1 * least, `${share} with ${ranks} ranks`);
  }
});

/** Starts a job that reduces again and again, and cuts one host off in the middle. */
async function startAndCut(hosts: MpiHosts, timeoutSeconds: number, launch: readonly string[] = []): Promise<MpiJob> {
  const { job } = hosts;
  const command = rankScript("support/mpi_rank.ts", "on", "", `${timeoutSeconds}`);
  const started = await MpiJob.start({ ...job, launch: [...job.launch, ...launch], ranks: 3, command });
  for (const rank of [0, 1, 2]) await started.until(rank, new RegExp(`of rank ${rank} on host${rank + 1}$`, "m"));
  await hosts.cutOff(2);
  return started;
}

Deno.test("Mpi ends where the launcher misses a host", options, async () => {
  await using hosts = await MpiHosts.create(3);
  await using job = await startAndCut(hosts, 60, SOON);
  const { code, launcher, isLate } = await job.ended;
  assertEquals(isLate, false, launcher);
  assertEquals(code > 0, true);
  assertStringIncludes(launcher, "lost communication with a remote daemon");
  assertStringIncludes(launcher, `on node ${hosts.addresses[2]}`);
});

Deno.test("Mpi names on both sides the ranks of hosts that are cut off", options, async () => {
  await using hosts = await MpiHosts.create(3);
  await using job = await startAndCut(hosts, 3);
  const says = async (rank: number) => (await job.until(rank, /^error: .*\n/m, "stderr"))[0];
  const waits = String.raw`has waited \d+\.\d s for the others in allReduce, its call \d+; not there:`;
  const error = (rank: string, others: string) => new RegExp(`^error: ${rank} ${waits} ${others}\n`);
  const [first, second, third] = [1, 2, 3].map((host) => String.raw`rank ${host - 1} \(host${host}\)`);
  assertMatch(await says(0), error(first, `${third} does not answer`));
  assertMatch(await says(2), error(third, `${first} does not answer; ${second} does not answer`));
  // The launcher would wait for the daemon on the lost host.
  await hosts.remove();
});

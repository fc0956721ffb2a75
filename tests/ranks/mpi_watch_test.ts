/** Watches of ranks within one process, whose messages arrive at once. */

import { assertEquals, assertMatch } from "@std/assert";
import { type Post, Watch } from "../../lib/ranks/mpi_watch.ts";
import { Workplace } from "../support/run_task_process.ts";
import { permitted } from "../support/permitted.ts";

const TIMEOUT = 0.3;

type Message = Float64Array<ArrayBuffer>;

/** What ranks do together, until one gives up: who, and why. Undefined in place of a rank is one that does not answer. */
async function giveUp(
  ranks: readonly (((watch: Watch) => void) | undefined)[],
  { lost = () => false, mute }: { lost?: (from: number, to: number) => boolean; mute?: number } = {},
): Promise<{ rank: number; reason: string }> {
  const boxes = ranks.map((): { from: number; message: Message }[] => []);
  const hosts = ranks.map((_, rank) => `node${rank}`);
  const given = Promise.withResolvers<{ rank: number; reason: string }>();
  // The last looks first, in case that one speaks who should not.
  const watches = [...ranks.entries()].reverse().map(([rank, begin]) => {
    if (begin === undefined) return undefined;
    const post: Post = {
      send: (message, to) => void (lost(rank, to) || boxes[to].push({ from: rank, message })),
      poll: () => boxes[rank].shift(),
    };
    const speak = (reason: string) => rank === mute || given.resolve({ rank, reason });
    const watch = new Watch({ rank, hosts, timeoutSeconds: TIMEOUT, post, giveUp: speak });
    begin(watch);
    return watch;
  });
  // A watch does not keep a process alive.
  const alive = setInterval(() => {}, 1000);
  try {
    return await given.promise;
  } finally {
    clearInterval(alive);
    for (const watch of watches) watch?.stop();
  }
}

const works = (watch: Watch) => (watch.begin("broadcast"), watch.end());
const waits = (watch: Watch) => (works(watch), watch.begin("allReduce"));
const WAITED = /^rank (\d+) \(node\1\) has waited \d\.\d s for the others in allReduce, its call 2; /;

/** The reason that a rank gives, behind who it is and where it waits. */
async function reasonOf(given: ReturnType<typeof giveUp>, rank: number): Promise<string> {
  const { rank: speaker, reason } = await given;
  assertEquals(speaker, rank, reason);
  assertMatch(reason, WAITED);
  return reason.replace(WAITED, "");
}

Deno.test("Watch names each rank that keeps others waiting, by the lowest that waits", async () => {
  const other = (watch: Watch) => (works(watch), watch.begin("gather"));
  const behind = (watch: Watch) => watch.begin("barrier");
  assertEquals(
    await reasonOf(giveUp([works, undefined, waits, waits, other, behind]), 2),
    "not there: rank 0 (node0) works on after broadcast, its call 1; rank 1 (node1) does not answer; " +
      "rank 4 (node4) calls gather instead; rank 5 (node5) waits in barrier, its call 1",
  );
});

Deno.test("Watch lets another rank speak where the lowest that waits does not, or cannot be reached", async () => {
  const works2 = "rank 2 (node2) works on after broadcast, its call 1";
  assertEquals(await reasonOf(giveUp([waits, waits, works], { mute: 0 }), 1), `not there: ${works2}`);
  const lost = (from: number, to: number) => from === 0 || to === 0;
  const reason = await reasonOf(giveUp([waits, waits, works], { lost, mute: 0 }), 1);
  assertEquals(reason, `not there: rank 0 (node0) does not answer; ${works2}`);
});

Deno.test("Watch forgets what it heard before it asked", async () => {
  // Heard by the first, which waits from then on; then the other is gone.
  const given = Promise.withResolvers<string>();
  const letters = [{ from: 1, message: Float64Array.of(1, 9, 0, 1) }];
  const post: Post = { send: () => {}, poll: () => letters.pop() };
  const watch = new Watch({ rank: 0, hosts: ["a", "b"], timeoutSeconds: TIMEOUT, post, giveUp: given.resolve });
  watch.begin("barrier");
  const alive = setInterval(() => {}, 1000);
  assertMatch(await given.promise, /not there: rank 1 \(b\) does not answer$/);
  clearInterval(alive);
});

permitted("Watch keeps no process alive", async () => {
  await using place = await Workplace.create();
  const { href } = new URL("../../lib/ranks/mpi_watch.ts", import.meta.url);
  const options = "{ rank: 0, hosts: [], timeoutSeconds: 600, post: { poll() {} } }";
  const code = `const { Watch } = await import(${JSON.stringify(href)}); new Watch(${options}); console.log("made")`;
  const outcome = await place.runDeno(["eval", "--no-config", "--no-lock", code]);
  assertEquals(outcome, { code: 0, stdout: "made\n", stderr: "" });
});

Deno.test("Watch says where all have come, and names no more than 20 ranks", async () => {
  assertEquals(await reasonOf(giveUp([waits, waits]), 0), "all are there, yet nothing gets through");
  const many = Array.from({ length: 30 }, () => undefined);
  const reason = await reasonOf(giveUp([waits, ...many]), 0);
  assertEquals([reason.match(/does not answer/g)?.length, reason.endsWith("; 10 more")], [20, true]);
});

Deno.test("Watch lets calls take as long as they like that are within the limit, one by one", async () => {
  let watch: Watch | undefined;
  let isOver = false;
  const given = giveUp([(own) => watch = own]).then(() => isOver = true);
  for (let call = 0; call < 10; call++) {
    watch!.begin("barrier");
    await new Promise((resolve) => setTimeout(resolve, 200 * TIMEOUT));
    watch!.end();
  }
  assertEquals(isOver, false);
  watch!.begin("barrier"); // this one does not return
  await given;
});

Deno.test("Watch gives up where ranks cannot be reached at all", async () => {
  const refuse = () => {
    throw new Deno.errors.ConnectionAborted("MPI_Isend failed");
  };
  assertEquals(await giveUp([waits, works], { lost: refuse }), { rank: 0, reason: "MPI_Isend failed" });
});

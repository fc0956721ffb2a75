/** How a search hands its trials to workers, and how ranks ask and answer; tests/tasks/tune/task_tune_mpi_test.ts has them all at work. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { answerQuestions, type Mailbox, Questions } from "../../../tasks/mpi/mailbox.ts";
import type { Trial } from "../../../tasks/tune/trial.ts";
import { environmentOfTrial } from "../../../tasks/tune/trial_environment.ts";
import { handOut, search, type Worker } from "../../../tasks/tune/trials.ts";

function trialsOf(count: number): Trial[] {
  const trial = (i: number) => ({ run: `a-00${i + 1}`, drawn: { "--x": `${i}` }, args: [], texts: {} });
  return Array.from({ length: count }, (_, i) => trial(i));
}

/** Nothing has changed. */
const checkNone = (trials: readonly Trial[]) => Promise.resolve(trials.map(() => ({ made: "", changes: [] })));

/** A worker that has ended a trial when it is told so, and notes what it was given. */
class SlowWorker implements Worker {
  readonly given: string[] = [];
  end = (_loss: number) => {};

  constructor(readonly host: string, readonly begun: number[] = []) {}

  look = () => Promise.resolve(this.begun);
  check = checkNone;

  run({ run }: Trial) {
    this.given.push(run);
    return new Promise<Record<string, number>>((resolve) => this.end = (loss) => resolve({ loss }));
  }
}

const turn = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("handOut() gives the next trial to the worker that is free first", async () => {
  const quick = new SlowWorker("a");
  const slow = new SlowWorker("b");
  const ended: number[] = [];
  const all = handOut(trialsOf(4), [slow, quick], ({ at }) => ended.push(at));
  for (let i = 0; i < 3; i++) {
    await turn();
    quick.end(i);
  }
  await turn();
  assertEquals([slow.given, quick.given, ended], [["a-001"], ["a-002", "a-003", "a-004"], [1, 2, 3]]);
  slow.end(9);
  assertEquals((await all).map(({ at, host, outcome }) => [at, host, outcome]), [
    ...[0, 1, 2].map((loss) => [loss + 1, "a", { loss }]),
    [0, "b", { loss: 9 }],
  ]);
});

Deno.test("handOut() leaves what was begun to those who have it", async () => {
  // All of the second's disk; the third trial is on both, as on one that they share.
  const first = new SlowWorker("a", [2]);
  const second = new SlowWorker("b", [0, 1, 2]);
  const all = handOut(trialsOf(4), [first, second], () => {});
  for (let i = 0; i < 4; i++) {
    await turn();
    first.end(0);
    second.end(0);
  }
  await all;
  assertEquals([first.given, second.given], [["a-003", "a-004"], ["a-001", "a-002"]]);
});

Deno.test("search() says where trials ran, where there are several hosts, and sorts ties by number", async () => {
  const print = async (hosts: string[]) => {
    const lines: string[] = [];
    const outcomes = [{ loss: 0.5 }, "it broke", { loss: 0.25 }, { loss: 0.25 }];
    const workers = hosts.map((host, i): Worker => ({
      host,
      look: () => Promise.resolve([]),
      check: checkNone,
      run: async ({ drawn }) => {
        if (i === 0) await turn(); // the other is quicker
        return outcomes[Number(drawn["--x"])];
      },
    }));
    assertEquals(await search(trialsOf(4), workers, (text) => lines.push(text)), 0);
    return lines.join("\n").replaceAll(/ {2}\d+\.\d s/g, "  s").split("\n");
  };
  assertEquals(await print(["here", "there"]), [
    "trial 2/4  --x 1  it broke  s  on there",
    "trial 3/4  --x 2  validation loss 0.25  s  on there",
    "trial 4/4  --x 3  validation loss 0.25  s  on there",
    "trial 1/4  --x 0  validation loss 0.5  s  on here",
    "run    host   x    loss",
    "a-003  there  2    0.25",
    "a-004  there  3    0.25",
    "a-001  here   0     0.5",
    "a-002  there  1  failed",
    "best: data/runs/a-003 on there",
  ]);
  assertEquals((await print(["here", "here"])).slice(4), [
    "run    x    loss",
    "a-003  2    0.25",
    "a-004  3    0.25",
    "a-001  0     0.5",
    "a-002  1  failed",
    "best: data/runs/a-003",
  ]);
});

Deno.test("search() names the best of the trials that are as now, and says which are not", async () => {
  const outcomes = [{ loss: 1 }, { loss: 2 }, { loss: 3 }, "it broke"];
  const cases: [made: string[], changed: number[], best: string | undefined, warnings: number][] = [
    [["a", "a", "a"], [], "best: data/runs/a-001", 0],
    [["a", "b", "b"], [0], "best: data/runs/a-002", 2],
    [["a", "a", "b"], [0, 1], "best: data/runs/a-003", 3],
    [["a", "a", "a"], [0, 1, 2], "best: data/runs/a-001", 3],
    [["a", "b", "a"], [0, 1, 2], undefined, 4],
  ];
  for (const [made, changed, best, count] of cases) {
    const lines: string[] = [];
    const warnings: string[] = [];
    const worker: Worker = {
      host: "",
      look: () => Promise.resolve([]),
      run: ({ drawn }) => Promise.resolve(outcomes[Number(drawn["--x"])]),
      check: (trials) =>
        Promise.resolve(trials.map(({ drawn }) => {
          const at = Number(drawn["--x"]);
          return { made: made[at], changes: changed.includes(at) ? [`it is ${at}`, "so"] : [] };
        })),
    };
    const code = await search(trialsOf(4), [worker], (line) => lines.push(line), (line) => warnings.push(line));
    const said = [code, lines.find((line) => line.startsWith("best: ")), warnings.length];
    assertEquals(said, [0, best, count], warnings.join("\n"));
    const told = (at: number) =>
      `warning: a-00${at + 1} differs from a trial of now: it is ${at}, so; the same command makes it anew`;
    assertEquals(warnings.slice(0, changed.length), changed.map(told));
  }
});

/** Ranks within this process. */
function mailboxes(size: number): Mailbox[] {
  const boxes = Array.from({ length: size }, () => [] as { from: number; bytes: Uint8Array<ArrayBuffer> }[]);
  return boxes.map((box, from) => ({
    send: (bytes, to) => {
      boxes[to].push({ from, bytes });
      return Promise.resolve();
    },
    poll: () => box.shift(),
  }));
}

Deno.test("Questions.ask() brings each rank's answer, in whichever order they come, until the end", async () => {
  const [first, ...others] = mailboxes(3);
  const order: unknown[] = [];
  const ends = others.map((mailbox, i) =>
    answerQuestions(mailbox, 60, async (question) => {
      await new Promise((resolve) => setTimeout(resolve, i === 0 ? 100 : 0));
      return `rank ${i + 1}: ${question}`;
    })
  );
  const questions = new Questions(first, 60);
  await Promise.all([1, 2].map(async (rank) => order.push(await questions.ask(rank, "é"))));
  order.push(await questions.ask(1, 2));
  assertEquals(order, ["rank 2: é", "rank 1: é", "rank 1: 2"]);
  await questions.end([1, 2], 7);
  assertEquals(await Promise.all(ends), [7, 7]);
});

Deno.test("Questions.ask() waits for whoever gives signs of life, and tells who is silent", async () => {
  const [first, second] = mailboxes(3);
  const questions = new Questions(first, 1);
  const end = answerQuestions(second, 1, () => new Promise((resolve) => setTimeout(resolve, 2500, "late")));
  const silent = assertRejects(() => questions.ask(2, ""), Deno.errors.TimedOut, "rank 2 has given no sign of life");
  assertEquals(await questions.ask(1, ""), "late");
  await silent;
  await questions.end([1], 0);
  await end;
});

Deno.test("Questions.ask() fails where messages do", async () => {
  const send = () => Promise.reject(new Error("lost"));
  await assertRejects(() => new Questions({ send, poll: () => undefined }, 1).ask(1, ""), Error, "lost");
  const poll = () => {
    throw new Error("broken");
  };
  await assertRejects(() => new Questions({ send: () => Promise.resolve(), poll }, 1).ask(1, ""), Error, "broken");
});

Deno.test("environmentOfTrial() keeps all but what makes a process a rank", () => {
  const own = { PATH: "/bin", OMPI_COMM_WORLD_RANK: "1", PMIX_RANK: "1", SEED: "3", TRIAL_THREADS: "9" };
  const kept = { PATH: "/bin", SEED: "3", NO_COLOR: "1" };
  assertEquals(environmentOfTrial(own, 2), { ...kept, TRIAL_THREADS: "2" });
  assertEquals(environmentOfTrial(own), { ...kept, TRIAL_THREADS: "all" });
  assert(own.PMIX_RANK, "the process' own stays");
});

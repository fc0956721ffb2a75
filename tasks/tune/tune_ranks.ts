/** The search on the ranks of an MPI job: each free rank takes the next trial. */

import type { TaskConfig } from "../settings/config.ts";
import { lockSearch } from "../prepare/locks.ts";
import { answerQuestions, Questions } from "../mpi/mailbox.ts";
import { describeDevices, gatherDevices, type RankDevice, warnOfSharing } from "../mpi/rank_devices.ts";
import { checkSame, onFirst, type Ranks } from "../mpi/ranks.ts";
import { describeError } from "../settings/run_task.ts";
import { type Outcome, runTrial, type Trial } from "./trial.ts";
import { planTrials, search, splitRanges } from "./trials.ts";
import { lookHere, type Worker } from "./workers.ts";

/** What the first rank asks another. */
type Question = { readonly look: readonly Trial[] } | { readonly run: Trial };

export async function tune(config: TaskConfig, ranks: Ranks): Promise<number> {
  using stack = new DisposableStack();
  const { mailbox } = ranks;
  const line = splitRanges(Deno.args);
  // Every rank reads files and an environment of its own, and its trials do.
  await checkSame(ranks.communicator, { ...config.texts, ...line.ranges });
  const trials = await onFirst(ranks.communicator, async () => {
    const planned = planTrials(config, line);
    stack.use(await lockSearch(config.runName));
    return planned;
  });
  // Trials inherit the environment, and with it the GPU.
  const devices = await gatherDevices(ranks, ranks.gpu?.chosen?.name ?? "");
  const here = workerHere(ranks);
  if (!trials || !devices) {
    return await answerQuestions(mailbox, config.rankTimeout, (question) => answer(here, question)) as number;
  }
  tellDevices(devices);
  const questions = new Questions(mailbox, config.rankTimeout);
  const others = devices.map((_, rank) => rank).slice(1);
  const code = await search(trials, [here, ...others.map((rank) => workerAt(rank, devices[rank].host, questions))]);
  await questions.end(others, code);
  return code;
}

/** Tells which GPU each rank has, where they were chosen. */
function tellDevices(devices: readonly RankDevice[]): void {
  for (const line of describeDevices(devices)) console.log(line);
  for (const line of warnOfSharing(devices)) console.error(line);
}

/** This rank. Whatever keeps it from a trial fails that one trial. */
function workerHere({ host, threads }: Ranks): Worker {
  return {
    host,
    look: lookHere,
    run: async (trial) => {
      try {
        return await runTrial(trial, threads);
      } catch (error) {
        return describeError("tune-mpi", error).replace(/^error: /, "");
      }
    },
  };
}

/** Another rank, as the first one sees it. */
function workerAt(rank: number, host: string, questions: Questions): Worker {
  const ask = (question: Question) =>
    questions.ask(rank, question).catch((error) => {
      error.message += ` (${host}); trials that have ended are kept, and the same command goes on from there`;
      throw error;
    });
  return {
    host,
    look: (look) => ask({ look }) as Promise<number[]>,
    run: (run) => ask({ run }) as Promise<Outcome>,
  };
}

function answer(here: Worker, question: unknown): Promise<number[] | Outcome> {
  const asked = question as Question;
  return "look" in asked ? here.look(asked.look) : here.run(asked.run);
}

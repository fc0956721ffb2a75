/** The search on the ranks of an MPI job: each free rank takes the next trial. */

import type { TaskConfig } from "../settings/config.ts";
import { lockSearch } from "../prepare/locks.ts";
import { answerQuestions, Questions } from "../mpi/mailbox.ts";
import { gatherDevices, tellDevices } from "../mpi/rank_devices.ts";
import { checkSame, onFirst, type Ranks } from "../mpi/ranks.ts";
import { printLine, warnLine } from "../settings/lines.ts";
import { describeError } from "../settings/run_task.ts";
import { type Check, checkTrials, type Outcome, runTrial, sourcesOfTrial, type Trial } from "./trial.ts";
import { lookHere, planTrials, search, splitRanges, type Worker } from "./trials.ts";

/** What rank 0 asks another rank. */
type Question = { readonly look: readonly Trial[] } | { readonly run: Trial } | { readonly check: readonly Trial[] };

export async function tune(config: TaskConfig, ranks: Ranks): Promise<number> {
  using stack = new DisposableStack();
  const { mailbox } = ranks;
  const line = splitRanges(Deno.args);
  // Ranks and their trials read the files and the environment of their host.
  await checkSame(ranks.communicator, { ...config.texts, ...line.ranges });
  const trials = await onFirst(ranks.communicator, async () => {
    const planned = planTrials(config, line);
    stack.use(await lockSearch(config.runName));
    await sourcesOfTrial(planned[0]);
    return planned;
  });
  // Trials inherit the environment, and with it the GPU.
  const devices = await gatherDevices(ranks, ranks.gpu?.chosen?.name ?? "");
  const here = workerHere(ranks);
  if (!trials || !devices) {
    return await answerQuestions(mailbox, config.rankTimeout, (question) => answer(here, question)) as number;
  }
  tellDevices(devices, { note: printLine, warning: warnLine });
  const questions = new Questions(mailbox, config.rankTimeout);
  const others = devices.map((_, rank) => rank).slice(1);
  const code = await search(trials, [here, ...others.map((rank) => workerAt(rank, devices[rank].host, questions))]);
  await questions.end(others, code);
  return code;
}

/** This rank. An error fails one trial, not the search. */
function workerHere({ host, threads }: Ranks): Worker {
  return {
    host,
    look: lookHere,
    check: checkTrials,
    run: async (trial) => {
      try {
        return await runTrial(trial, threads);
      } catch (error) {
        return describeError("tune-mpi", error).replace(/^error: /, "");
      }
    },
  };
}

/** Another rank, as rank 0 sees it. */
function workerAt(rank: number, host: string, questions: Questions): Worker {
  const ask = (question: Question) =>
    questions.ask(rank, question).catch((error) => {
      error.message += ` (${host}); finished trials stay; the same command continues from there`;
      throw error;
    });
  return {
    host,
    look: (look) => ask({ look }) as Promise<number[]>,
    run: (run) => ask({ run }) as Promise<Outcome>,
    check: (check) => ask({ check }) as Promise<Check[]>,
  };
}

function answer(here: Worker, question: unknown): Promise<number[] | Outcome | Check[]> {
  const asked = question as Question;
  if ("check" in asked) return here.check(asked.check);
  return "look" in asked ? here.look(asked.look) : here.run(asked.run);
}

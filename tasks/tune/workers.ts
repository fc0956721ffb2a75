/** Who runs the trials of a search: one worker in `tune`, and each rank of an MPI job in `tune-mpi`. */

import { isBegun, type Outcome, runTrial, type Trial } from "./trial.ts";

/** Runs trials, one at a time. */
export interface Worker {
  /** Its machine's name. */
  readonly host: string;
  /** The places, in the list, of trials that an earlier search began where this worker is. */
  look(trials: readonly Trial[]): Promise<number[]>;
  /** Runs one to its end. */
  run(trial: Trial): Promise<Outcome>;
}

/** A trial that has ended. */
export interface Ended {
  readonly trial: Trial;
  /** Its place in the list. */
  readonly at: number;
  readonly outcome: Outcome;
  /** Where its folder is. */
  readonly host: string;
  readonly seconds: number;
}

/** Looks through the runs of this machine. */
export async function lookHere(trials: readonly Trial[]): Promise<number[]> {
  const begun: number[] = [];
  for (const [at, trial] of trials.entries()) {
    // What cannot be read is told when it is run.
    if (await isBegun(trial).catch(() => false)) begun.push(at);
  }
  return begun;
}

/** This process by itself. */
export const THIS_PROCESS: Worker = { host: "", look: lookHere, run: (trial) => runTrial(trial) };

/**
 * Hands trials out, first come first served: a worker that is free takes the next. What an earlier search began goes to
 * workers that have it, for their machines may have disks of their own.
 */
export async function handOut(
  trials: readonly Trial[],
  workers: readonly Worker[],
  onEnd: (ended: Ended) => void,
): Promise<Ended[]> {
  const looks = workers.length > 1 ? await Promise.all(workers.map((worker) => worker.look(trials))) : [];
  const begun = looks.map((places) => new Set(places));
  const isSomewhere = new Set(looks.flat());
  const left = new Set(trials.keys());
  const all: Ended[] = [];
  await Promise.all(workers.map(async (worker, i) => {
    for (;;) {
      const at = left.values().find((at) => !isSomewhere.has(at) || begun[i].has(at));
      if (at === undefined) return;
      left.delete(at);
      const trial = trials[at];
      const start = performance.now();
      const outcome = await worker.run(trial);
      const ended = { trial, at, outcome, host: worker.host, seconds: (performance.now() - start) / 1000 };
      all.push(ended);
      onEnd(ended);
    }
  }));
  return all;
}

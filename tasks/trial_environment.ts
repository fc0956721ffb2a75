/** What a trial's process finds in its environment, and what it reads there. */

/** How many threads a trial may take where several run side by side. */
const THREADS = "TRIAL_THREADS";

/** What a launcher of MPI tells its ranks; a process that believes it would take itself for one. */
const LAUNCHERS = /^(OMPI|OPAL|ORTE|PRTE|PMIX|PMI)_/;

/**
 * The environment of a trial.
 *
 * @param own That of this process.
 * @param threads How many the trial may take; all cores if left out.
 * @returns It, without what makes this process a rank.
 */
export function environmentOfTrial(own: Readonly<Record<string, string>>, threads?: number): Record<string, string> {
  const kept = Object.entries(own).filter(([name]) => !LAUNCHERS.test(name) && name !== THREADS);
  return { ...Object.fromEntries(kept), NO_COLOR: "1", ...threads === undefined ? {} : { [THREADS]: `${threads}` } };
}

/** How many threads this process may take as a trial; undefined where it is none, or has the machine for itself. */
export function threadsOfTrial(): number | undefined {
  const threads = Number(Deno.env.get(THREADS));
  return Number.isInteger(threads) && threads > 0 ? threads : undefined;
}

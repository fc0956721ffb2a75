/** What a search gives to the process of a trial besides its command line, and how the trial reads it. */

/** Threads that a trial may take, or {@linkcode ALL}. Only trials have this variable. */
const THREADS = "TRIAL_THREADS";
const ALL = "all";

/** What an MPI launcher tells its ranks; a trial that read it would take itself for a rank. */
const LAUNCHERS = /^(OMPI|OPAL|ORTE|PRTE|PMIX|PMI)_/;

export function environmentOfTrial(own: Readonly<Record<string, string>>, threads?: number): Record<string, string> {
  const kept = Object.entries(own).filter(([name]) => !LAUNCHERS.test(name));
  return { ...Object.fromEntries(kept), NO_COLOR: "1", [THREADS]: `${threads ?? ALL}` };
}

/** Threads that this process may take as a trial; undefined if it is none, or has the machine for itself. */
export function threadsOfTrial(): number | undefined {
  const threads = Number(Deno.env.get(THREADS));
  return Number.isInteger(threads) && threads > 0 ? threads : undefined;
}

/**
 * Resolves when the search ends whose trial this process is: however that happens, the system then closes this process'
 * stdin. A trial that continued would keep its run locked.
 */
export function endOfSearch(): Promise<void> | undefined {
  return Deno.env.has(THREADS) ? drain(Deno.stdin) : undefined;
}

async function drain(input: { read(bytes: Uint8Array): Promise<number | null> }): Promise<void> {
  while (await input.read(new Uint8Array(64)) !== null);
}

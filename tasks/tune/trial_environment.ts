/** What a search gives to the process of a trial beside its command line, and what that makes of it. */

/** How many threads a trial may take where several run side by side, or {@linkcode ALL}. Set for trials alone. */
const THREADS = "TRIAL_THREADS";
const ALL = "all";

/** What a launcher of MPI tells its ranks; a process that believes it would take itself for one. */
const LAUNCHERS = /^(OMPI|OPAL|ORTE|PRTE|PMIX|PMI)_/;

/** The environment of a trial. */
export function environmentOfTrial(own: Readonly<Record<string, string>>, threads?: number): Record<string, string> {
  const kept = Object.entries(own).filter(([name]) => !LAUNCHERS.test(name));
  return { ...Object.fromEntries(kept), NO_COLOR: "1", [THREADS]: `${threads ?? ALL}` };
}

/** How many threads this process may take as a trial; undefined where it is none, or has the machine for itself. */
export function threadsOfTrial(): number | undefined {
  const threads = Number(Deno.env.get(THREADS));
  return Number.isInteger(threads) && threads > 0 ? threads : undefined;
}

/**
 * Waits for the end of the search whose trial this process is. However that ends, the system then closes this process'
 * stdin, and a trial that trained on would keep its run locked.
 */
export function endOfSearch(): Promise<void> | undefined {
  return Deno.env.has(THREADS) ? drain(Deno.stdin) : undefined;
}

async function drain(input: { read(bytes: Uint8Array): Promise<number | null> }): Promise<void> {
  while (await input.read(new Uint8Array(64)) !== null);
}

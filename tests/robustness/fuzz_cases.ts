/** The cases of a fuzz, one after the other, and what its parts share. */

import { Dice } from "./mutations.ts";

/** How many files were read, and how many refused. */
export type FuzzCounts = Record<"read" | "refused", number>;

/** Which cases are run. */
export interface FuzzOptions {
  /** How many. */
  count: number;
  /** Fixes all of them; each case by itself. */
  seed: number;
  /** Called before each case. */
  onCase?: (index: number) => void;
  /** The one case that is run; all if left out. */
  only?: number;
}

/** Reads one mutated file, and says whether it was read; notes what was done to it. */
type Case = (dice: Dice, acts: string[], index: number) => Promise<boolean>;

/** Runs cases in the working folder, a temporary one. The first that does anything but read or refuse its file is named. */
export async function runCases(part: string, options: FuzzOptions, run: Case): Promise<FuzzCounts> {
  const { count, seed, onCase, only } = options;
  const counts: FuzzCounts = { read: 0, refused: 0 };
  for (let index = only ?? 0; index < (only === undefined ? count : only + 1); index++) {
    onCase?.(index);
    const acts: string[] = [];
    try {
      counts[await run(new Dice(seed, `${part} ${index}`), acts, index) ? "read" : "refused"]++;
    } catch (error) {
      throw new Error(`${part}, seed ${seed}, case ${index} (${acts.join(", ")}): ${error}`, { cause: error });
    }
  }
  return counts;
}

/** Why a second reader refuses a file. */
export class Refusal extends Error {}

/** What a second reader finds; nothing where it refuses the file. */
export function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** Throws where two values differ. */
export function same(what: string, found: unknown, expected: unknown): void {
  const [a, b] = [found, expected].map((value) => typeof value === "string" ? value : JSON.stringify(value));
  if (a !== b) throw new Error(`${what}: ${a.slice(0, 300)}, expected ${b.slice(0, 300)}`);
}

/** Frees what the cases before left: a file's memory is to be measured, not theirs. */
export function collectGarbage(): void {
  (globalThis as { gc?: () => void }).gc?.();
}

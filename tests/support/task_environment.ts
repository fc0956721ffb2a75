/** The environment of tasks that tests start. */

import { KEYS } from "../../tasks/settings/settings.ts";

export type Environment = Record<string, string>;

/**
 * Of the software adapter's threads only the one that is always there. Others shorten no step of the small networks here:
 * they wait for each other, and for a core where test files run beside each other. Tests' own devices keep all threads.
 */
const SINGLE_THREADED = { LP_NUM_THREADS: "0" };

/** What runs of tests leave out unless they are asked for it: each takes time. */
const LEFT_OUT: Environment = { REPORT: "false", SELF_TEST: "false" };

/** Tells Deno where to write what ran. A task writes some twenty files of it, and a fifth of its time goes into them. */
export const COVERAGE = "DENO_COVERAGE_DIR";

/** What a task reads anew at each start: settings, and INIT_CWD, where the user of `deno task test` stood. */
const READ_ANEW: readonly string[] = [...KEYS, "INIT_CWD"];

/** The settings of an environment, `null` for those that {@linkcode environmentOf} leaves out; undefined if it has more. */
export function settingsOf(env: Environment): Record<string, string | null> | undefined {
  if (Object.keys(env).some((key) => !READ_ANEW.includes(key))) return undefined;
  const whole = environmentOf(env);
  return Object.fromEntries(Object.keys(env).map((key) => [key, whole[key] ?? null]));
}

/**
 * This process' environment without settings and without coverage, and more. What is set to nothing is as if nobody had set
 * it.
 */
export function environmentOf(env: Environment): Environment {
  const unset: string[] = [...READ_ANEW, COVERAGE];
  const kept = Object.entries(Deno.env.toObject()).filter(([key]) => !unset.includes(key));
  const whole: Environment = { ...Object.fromEntries(kept), ...SINGLE_THREADED, ...LEFT_OUT, ...env };
  for (const key of Object.keys(LEFT_OUT)) if (whole[key] === "") delete whole[key];
  return whole;
}

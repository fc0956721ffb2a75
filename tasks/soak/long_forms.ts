/** What is too long for the gate. */

import { endure, faultsOf, type Tenth } from "./endurance.ts";
import { describeError } from "../settings/run_task.ts";
import { formatTable } from "../show/text_table.ts";

const USAGE = `Usage: deno task soak [--short]

Trains 1,000,000 steps, once alone and once with an evaluation at each epoch. Fails if memory grows by over 5% after a
garbage collection, if live GPU buffers are not constant, or if the last tenth of the steps, in the best of four tries, is
over 10% slower than the median of all. Then it runs the long forms of tests.

  --short  60,000 steps in all, which may become up to half slower, and no long forms`;

/** Long forms of tests, as arguments of deno: each must exit with 0. */
const LONG_FORMS: readonly (readonly [name: string, args: readonly string[]])[] = [
  ["deno test alone, without permissions", ["test", "--no-prompt"]],
  ["a run killed at 30 random moments", ["run", "-A", "tests/support/kill_runs.ts", "--kills", "30"]],
  ["20,000 mutated files of each kind", ["run", "-A", "tests/robustness/fuzz.ts", "--count", "20000", "--seed", "1"]],
  ["every mutant of the backward passes", ["run", "-A", "tests/robustness/mutate_backward.ts"]],
  ["speed next to all peers", ["run", "-A", "tasks/bench.ts", "--quick", "--floor"]],
];

const MEGABYTE = 2 ** 20;

async function train(steps: number, evaluated: boolean, slowing: number): Promise<string[]> {
  console.log(`== ${steps} steps${evaluated ? ", with an evaluation an epoch" : ""}`);
  const tenths = await endure({ steps, evaluated, slowing });
  console.log(formatTenths(tenths));
  return faultsOf(tenths, slowing);
}

function formatTenths(tenths: readonly Tenth[]): string {
  const rows = tenths.map(({ step, rate, resident, buffers, bytes }) => [
    `${step}`,
    `${Math.round(rate)}`,
    (resident / MEGABYTE).toFixed(1),
    `${buffers}`,
    `${bytes}`,
  ]);
  return formatTable([["after step", "steps/s", "resident MB", "GPU buffers", "their bytes"], ...rows], 0);
}

async function runLongForm(name: string, args: readonly string[]): Promise<string[]> {
  console.log(`== ${name}`);
  const cwd = new URL("../../", import.meta.url);
  const options: Deno.CommandOptions = { args: [...args], cwd, stdout: "inherit", stderr: "inherit" };
  const { code } = await new Deno.Command(Deno.execPath(), options).output();
  return code === 0 ? [] : [`${name}: deno ${args.join(" ")} ended with ${code}`];
}

async function soak(isShort: boolean): Promise<number> {
  const steps = isShort ? 30_000 : 1_000_000;
  const slowing = isShort ? 0.5 : 0.1;
  const faults = [...await train(steps, false, slowing), ...await train(steps, true, slowing)];
  if (!isShort) { for (const [name, args] of LONG_FORMS) faults.push(...await runLongForm(name, args)); }
  for (const fault of faults) console.error(`error: ${fault}`);
  if (faults.length === 0) console.log("nothing grew, nothing became slower");
  return faults.length > 0 ? 1 : 0;
}

export async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(USAGE);
    return 0;
  }
  const unknown = args.filter((arg) => arg !== "--short");
  for (const argument of unknown) console.error(`error: ${argument}: soak takes --short alone`);
  if (unknown.length > 0) return 2;
  try {
    return await soak(args.length > 0);
  } catch (error) {
    console.error(describeError("soak", error));
    return 1;
  }
}

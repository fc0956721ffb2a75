/**
 * Flips each operator of each backward pass in turn, and shows those that no check of the project catches:
 *
 *     deno run -A tests/robustness/mutate_backward.ts [--sample N --seed S] [--only TEXT] [--all]
 *
 * `--only` keeps mutants whose name has the text; `--all` shows what caught each. Mutants that compute the same, listed with
 * their reasons in backward_functions.ts, must survive. With `--sample` one of them is checked for each folder, besides the
 * sample of the others. The exit code is 1 where another one survives.
 */
import { parseArgs } from "@std/cli/parse-args";
import { EQUIVALENT } from "./backward_functions.ts";
import type { Mutant } from "./mutants.ts";
import { allMutants, checkMutants, sample } from "./mutation.ts";

async function main(): Promise<number> {
  const flags = parseArgs(Deno.args, { string: ["sample", "seed", "only"], boolean: ["all"], default: { seed: "1" } });
  const every = await allMutants();
  const equivalent = new Set(Object.keys(EQUIVALENT));
  const unknown = equivalent.difference(new Set(every.map(({ name }) => name)));
  for (const name of unknown) console.log(`no such mutant  ${name}`);
  const chosen = every.filter(({ name }) => name.includes(flags.only ?? ""));
  const [same, others] = [true, false].map((is) => chosen.filter(({ name }) => equivalent.has(name) === is));
  const sampled = flags.sample ? sample(others, Number(flags.sample), Number(flags.seed)) : others;
  const mutants = [...flags.sample ? oneOfEachFolder(same) : same, ...sampled];
  const start = performance.now();
  let faults = unknown.size;
  let caught = 0;
  let alive = 0;
  await checkMutants(mutants, (name, caughtBy) => {
    const wanted = (caughtBy === "") === equivalent.has(name);
    if (caughtBy !== "") caught++;
    else if (wanted) alive++;
    if (!wanted) faults++;
    const verdict = caughtBy === "" ? (wanted ? "the same" : "SURVIVED") : wanted ? "caught" : "NOT THE SAME";
    if (flags.all || !wanted) console.log(`${verdict}  ${name}${caughtBy && `  by ${caughtBy}`}`);
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`${caught} of ${mutants.length - alive} mutants caught, ${alive} compute the same, in ${seconds} s`);
  return faults === 0 ? 0 : 1;
}

function oneOfEachFolder(mutants: readonly Mutant[]): Mutant[] {
  const byFolder = Map.groupBy(mutants, ({ file }) => file.slice(0, file.lastIndexOf("/")));
  return [...byFolder.values()].map(([first]) => first);
}

if (import.meta.main) Deno.exit(await main());

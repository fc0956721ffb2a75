/**
 * Flips each operator of each backward pass in turn, and shows those that no check of the project catches:
 *
 *     deno run -A tests/mutate_backward.ts [--sample N --seed S] [--only TEXT] [--all]
 *
 * `--only` keeps mutants whose name has the text; `--all` shows what caught each. The exit code is 1 where one survives.
 */
import { parseArgs } from "@std/cli/parse-args";
import { allMutants, sample, verdictsOf } from "./mutation.ts";

async function main(): Promise<number> {
  const flags = parseArgs(Deno.args, { string: ["sample", "seed", "only"], boolean: ["all"], default: { seed: "1" } });
  const every = (await allMutants()).filter(({ name }) => name.includes(flags.only ?? ""));
  const mutants = flags.sample ? sample(every, Number(flags.sample), Number(flags.seed)) : every;
  const start = performance.now();
  let caught = 0;
  for await (const { mutant: { name }, caughtBy } of verdictsOf(mutants)) {
    if (caughtBy !== "") caught++;
    if (caughtBy === "") console.log(`survived  ${name}`);
    else if (flags.all) console.log(`caught    ${name}  by ${caughtBy}`);
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`${caught} of ${mutants.length} mutants caught, in ${seconds} s`);
  return caught === mutants.length ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());

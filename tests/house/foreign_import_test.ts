/** The library in a project elsewhere: README.md says which entries of its deno.json make it work. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { pathInProject, Workplace } from "../support/run_task_process.ts";
import { permitted } from "../support/permitted.ts";

const CLONE = pathInProject("").replace(/\/$/, "");
const VERSION = "jsr:@backhand/backhand@^0.1.0";

/** A script that uses the library, and what is its name there. */
function scriptWith(name: string): string {
  return `import { Device, Tensor } from "${name}";
    using device = await Device.request();
    using x = Tensor.from(device, [1, 2], [2]);
    console.log([...await x.read()].join());`;
}

/** Runs a script in a project elsewhere. */
async function runElsewhere(place: Workplace, config: Record<string, unknown>, script: string, ...flags: string[]) {
  await place.write("deno.json", JSON.stringify(config));
  await place.write("main.ts", script);
  return await place.runDeno(["run", "--no-prompt", ...flags, "main.ts"]);
}

permitted("a project elsewhere imports the library by an entry in its own deno.json", async () => {
  const links = { links: [CLONE], imports: { "@backhand/backhand": VERSION } };
  const mpi = 'import { Mpi } from "@backhand/backhand/mpi"; console.log(typeof Mpi.open);';
  const cases: [config: Record<string, unknown>, script: string, said: string, ...flags: string[]][] = [
    [{ imports: { backhand: `${CLONE}/mod.ts` } }, scriptWith("backhand"), "1,2\n", "--allow-env"],
    [links, scriptWith("@backhand/backhand"), "1,2\n", "--allow-env"],
    [links, mpi, "function\n"], // by its own path, without all else
  ];
  for (const [config, script, said, ...flags] of cases) {
    await using place = await Workplace.create();
    const { code, stdout, stderr } = await runElsewhere(place, config, script, ...flags);
    assertEquals([code, stdout], [0, said], stderr);
  }
});

permitted("a project elsewhere uses a model that train wrote, as lib/model_file/README.md says", async () => {
  const readme = await Deno.readTextFile(pathInProject("lib/model_file/README.md"));
  const script = readme.match(/```ts ignore\n([\s\S]*?)```/)![1].replace("../backhand/", "");
  const config = { imports: { backhand: `${CLONE}/mod.ts` } };
  await using place = await Workplace.create();
  await place.succeed("train", ["--num-dataset=100", "--num-epochs=1"]);
  const { code, stdout, stderr } = await runElsewhere(place, config, script, "--allow-read", "--allow-env");
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /^\[ -?\d+(\.\d+)?, -?\d+(\.\d+)? \]\n$/);
});

permitted("the path alone is not enough: @std stands in the entries of the library's own deno.json", async () => {
  await using place = await Workplace.create();
  const { code, stderr } = await runElsewhere(place, {}, scriptWith(`${CLONE}/mod.ts`), "--allow-env");
  assertEquals(code, 1);
  assertStringIncludes(stderr, 'Import "@std/csv" not a dependency');
});

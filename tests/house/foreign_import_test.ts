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

permitted("a project elsewhere imports the library by an entry in its own deno.json", async () => {
  const entries: [string, Record<string, unknown>][] = [
    ["backhand", { imports: { backhand: `${CLONE}/mod.ts` } }],
    ["@backhand/backhand", { links: [CLONE], imports: { "@backhand/backhand": VERSION } }],
  ];
  for (const [name, config] of entries) {
    await using place = await Workplace.create({ "deno.json": JSON.stringify(config), "main.ts": scriptWith(name) });
    const { code, stdout, stderr } = await place.runDeno(["run", "--no-prompt", "--allow-env", "main.ts"]);
    assertEquals([code, stdout], [0, "1,2\n"], stderr);
  }
});

permitted("a project elsewhere uses a model that train wrote, as lib/model_file/README.md says", async () => {
  const readme = await Deno.readTextFile(pathInProject("lib/model_file/README.md"));
  const code = readme.match(/```ts ignore\n([\s\S]*?)```/)![1].replace("../backhand/", "");
  const config = { imports: { backhand: `${CLONE}/mod.ts` } };
  await using place = await Workplace.create({ "deno.json": JSON.stringify(config), "main.ts": code });
  await place.succeed("train", ["--num-dataset=100", "--num-epochs=1"]);
  const { code: exitCode, stdout, stderr } = await place.runDeno([
    "run",
    "--no-prompt",
    "--allow-read",
    "--allow-env",
    "main.ts",
  ]);
  assertEquals(exitCode, 0, stderr);
  assertMatch(stdout, /^\[ -?\d+(\.\d+)?, -?\d+(\.\d+)? \]\n$/);
});

permitted("a project elsewhere imports MPI by its own path, without all else", async () => {
  const config = { links: [CLONE], imports: { "@backhand/backhand": VERSION } };
  await using place = await Workplace.create({
    "deno.json": JSON.stringify(config),
    "main.ts": 'import { Mpi } from "@backhand/backhand/mpi"; console.log(typeof Mpi.open);',
  });
  const { code, stdout, stderr } = await place.runDeno(["run", "--no-prompt", "main.ts"]);
  assertEquals([code, stdout], [0, "function\n"], stderr);
});

permitted("the path alone is not enough: @std stands in the entries of the library's own deno.json", async () => {
  await using place = await Workplace.create({ "deno.json": "{}", "main.ts": scriptWith(`${CLONE}/mod.ts`) });
  const { code, stderr } = await place.runDeno(["run", "--no-prompt", "--allow-env", "main.ts"]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, 'Import "@std/csv" not a dependency');
});

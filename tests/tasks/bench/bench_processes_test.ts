/** What the bench starts: workers, programs in a terminal, and peers whose versions are pinned. */

import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { readOptions } from "../../../tasks/bench.ts";
import { interruptWorkers, runToEnd, runWorker, type Start } from "../../../tasks/bench/processes.ts";
import { ConfigError } from "../../../tasks/settings/config.ts";
import { permitted } from "../../support/permitted.ts";
import { pathInProject, Workplace } from "../../support/run_task_process.ts";

permitted("deno task bench reads its flags, refuses others, and says what it takes", async () => {
  assertEquals(readOptions([]), { quick: false, floor: false, loads: false, json: undefined });
  const both = ["--quick", "--floor", "--json", "-"];
  assertEquals(readOptions(both), { quick: true, floor: true, loads: false, json: "-" });
  assertEquals(readOptions(["--loads"]), { quick: false, floor: false, loads: true, json: undefined });
  for (const faults of [["--fast", "--quick=yes", "--json=", "now"], ["--quick", "--floor"]]) {
    const error = assertThrows(() => readOptions([...faults, "--loads"]), ConfigError);
    assertEquals(error.faults.length, faults.length, error.faults.join("\n"));
  }
  await using place = await Workplace.create();
  assertStringIncludes((await place.succeed("bench", ["--help"])).stdout, "--quick");
  await place.refuse(2, ["--fast: unknown flag; the nearest is --floor"], "bench", ["--fast"]);
});

permitted("runToEnd() gives a program a terminal of 80 columns or none, and answers what it says", async () => {
  await using place = await Workplace.create({
    "say.ts": 'console.log(Deno.stdout.isTerminal() ? `columns: ${Deno.consoleSize().columns}` : "columns: none");',
  });
  for (const [terminal, columns] of [[{ columns: 80, rows: 24 }, "80"], [undefined, "none"]] as const) {
    const start: Start = { script: place.at("say.ts"), args: ["it's"], flags: [], cwd: place.path, terminal };
    const heard: string[] = [];
    await runToEnd(start, { on: /^columns: (\w+)\b/m, by: ([_, said]) => Promise.resolve(void heard.push(said)) });
    assertEquals(heard, [columns]);
    const rows = { on: /rows/, by: () => Promise.resolve() };
    await assertRejects(() => runToEnd(start, rows), Error, "it never printed rows");
    const failing = { on: /columns/, by: () => Promise.reject(new RangeError("of the answer")) };
    await assertRejects(() => runToEnd(start, failing), RangeError, "of the answer");
    await assertRejects(() => runToEnd({ ...start, script: place.at("none.ts") }), Error, "it ended with exit code 1");
  }
});

permitted("runWorker() says why a worker failed; interruptWorkers() ends one, and no other starts", async () => {
  const start = { script: "tasks/bench/backhand.ts", flags: ["--allow-env"], args: ["training", "1", "narrow", "1"] };
  await assertRejects(() => runWorker(start), Error, "There is no workload narrow: there are seed, wide, deep, hand");

  const long = { script: "tasks/bench/adapter/limits.ts", flags: ["--allow-env", "--allow-read"], args: ["1000"] };
  const interrupted = assertRejects(() => runWorker(long), Deno.errors.Interrupted);
  await new Promise((resolve) => setTimeout(resolve, 500));
  interruptWorkers();
  await interrupted;
  await assertRejects(() => runWorker(long), Deno.errors.Interrupted);
});

permitted("peers.lock pins the peers; deno.lock leaves them out, or every task would download them", async () => {
  const read = async (path: string) => JSON.parse(await Deno.readTextFile(pathInProject(path))).specifiers;
  const specifiers = (await Promise.all(["tfjs", "jaxjs"].map(async (name) => {
    const text = await Deno.readTextFile(pathInProject(`tasks/bench/${name}.ts`));
    return [...text.matchAll(/"(npm:[^"]+)"/g)].map(([_, specifier]) => specifier);
  }))).flat();
  assert(specifiers.length > 4);
  const pinned = await read("tasks/bench/peers.lock");
  const everywhere = await read("deno.lock");
  assertEquals(specifiers.filter((specifier) => !(specifier in pinned)), []);
  assertEquals(specifiers.filter((specifier) => specifier in everywhere), []);
  const stale = Object.entries(everywhere).filter(([name, version]) => (pinned[name] ?? version) !== version);
  assertEquals(stale, [], "what both hold has one version");
});

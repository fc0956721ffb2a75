/** Two processes at once on the same files: they wait for each other, or one is refused, and nothing mixes. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readSafetensors } from "../../../lib/safetensors/reader.ts";
import { holdLock, readUntil } from "../../support/lock_holder.ts";
import { isLonger, until, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

/** Milliseconds in which a process goes on that a lock has kept, or ends when it is told to. */
const PROMPT = 5000;

const CSV = "data/cubic.csv";
const SCALED = "data/cubic.scaled.safetensors";

/** Runs tasks at once, in processes of their own; all must succeed. */
async function atOnce(place: Workplace, calls: readonly [task: string, ...args: string[]][]): Promise<string[]> {
  const outcomes = await Promise.all(calls.map(([task, ...args]) => place.succeed(task, args, {})));
  return outcomes.map(({ stdout }) => stdout);
}

/** Names of files that are not whole. */
async function partials(place: Workplace): Promise<string[]> {
  return Object.keys(await place.digests()).filter((name) => name.endsWith(".partial"));
}

/** The values of the scaled dataset, as a text; its metadata holds the time at which the CSV file was made. */
async function valuesIn(place: Workplace): Promise<string> {
  const { tensors } = await readSafetensors(place.at(SCALED));
  return JSON.stringify([...tensors].map(([name, { shape, data }]) => [name, shape, [...data]]));
}

permitted("gen-data four times at once leaves one of the datasets that each alone makes", async () => {
  await using place = await Workplace.inSeries("train");
  const alone = [];
  for (const rows of ["60000", "80000"]) {
    await place.succeed("gen-data", ["--num-dataset", rows]);
    alone.push(await place.read(CSV));
  }
  const outputs = await atOnce(place, [
    ["gen-data", "--num-dataset", "60000"],
    ["gen-data", "--num-dataset", "60000"],
    ["gen-data", "--num-dataset", "80000", "--generate-dataset"],
    ["gen-data", "--num-dataset", "60000", "--generate-dataset"],
  ]);
  const last = alone.indexOf(await place.read(CSV));
  assert(last !== -1, `the dataset is another one: ${outputs}`);
  assertEquals(JSON.parse(await place.read(`${CSV}.json`)).made.numDataset, [60_000, 80_000][last]);
  assertEquals(await partials(place), []);
});

permitted("scale beside gen-data of another size leaves what one after the other would", async () => {
  await using place = await Workplace.inSeries("train");
  const alone = [];
  for (const rows of ["1000", "200000"]) {
    await place.succeed("gen-data", ["--num-dataset", rows]);
    await place.succeed("scale");
    alone.push(await valuesIn(place));
  }
  const first = place.succeed("scale", [], {}); // in a process of its own
  // From its second pass on another CSV file would give it other rows than the first one saw.
  await until(() => isLonger(place.at(`${SCALED}.partial`), -1));
  const [{ stdout }] = await Promise.all([first, atOnce(place, [["gen-data", "--num-dataset", "1000"], ["scale"]])]);
  assertStringIncludes(stdout, ": 160000 training");
  assert(alone.includes(await valuesIn(place)), "the scaled dataset holds other values");
  assertEquals(await partials(place), []);
});

permitted("two trainings at once on one recipe each train on the dataset that their settings ask for", async () => {
  const small = ["--num-epochs=1", "--batch-size=full", "--hidden-size=4", "--split=0.9,0.1,0"];
  const calls = ["300", "20000"].map((rows) =>
    ["train", "--num-dataset", rows, ...small, "--run-name", `of_${rows}`] as const
  );
  await using place = await Workplace.inSeries("train");
  for (const [task, ...args] of calls) await place.succeed(task, args);
  const models = async () =>
    Object.entries(await place.digests("data/runs")).filter(([name]) => /^[^.]+\/model/.test(name)).toSorted();
  const alone = await models();
  assertEquals(alone.length, 2);
  await Deno.remove(place.at(CSV));
  // Both wait, so that they then prepare at the same moment.
  await using holder = await holdLock(place, `lockDataset("cubic", "")`);
  const children = await Promise.all(calls.map(([task, ...args]) => place.start(task, args)));
  const said = children.map(({ stdout }) => new Response(stdout).text());
  for (const { stderr } of children) assertStringIncludes(await readUntil(stderr, "\n"), `process ${holder.pid}`);
  await holder.kill();
  for (const { status } of children) assertEquals((await status).code, 0);
  for (const text of await Promise.all(said)) assertStringIncludes(text, "scale: wrote");
  assertEquals(await models(), alone);
  assertEquals(await partials(place), []);
});

permitted("gen-data waits for whoever has the dataset; when that process is killed, one of two makes it", async () => {
  await using place = await Workplace.create();
  await using holder = await holdLock(place, `lockDataset("cubic", "writes ${CSV}")`);
  const children = await Promise.all([1, 2].map(() => place.start("gen-data", ["--num-dataset", "200"])));
  const told = await Promise.all(children.map(({ stderr }) => readUntil(stderr, "\n")));
  for (const line of told) assertEquals(line, `waiting for process ${holder.pid}, which writes ${CSV}\n`);
  const interrupted = await place.start("scale");
  assertStringIncludes(await readUntil(interrupted.stderr, "\n"), `process ${holder.pid}`);
  let since = performance.now();
  interrupted.kill("SIGINT");
  assertEquals((await interrupted.status).code, 130);
  assert(performance.now() - since < PROMPT, "Ctrl-C while waiting takes too long");
  await interrupted.stdout.cancel();

  assertEquals(await place.digests(), {});
  since = performance.now();
  await holder.kill();
  const said = await Promise.all(children.map(({ stdout }) => new Response(stdout).text()));
  const [first, second] = said.toSorted((a) => a.includes("200 rows") ? -1 : 1);
  assertStringIncludes(first, "200 rows");
  assertStringIncludes(second, "nothing to do");
  for (const { status } of children) assertEquals((await status).code, 0);
  assert(performance.now() - since < PROMPT, "the lock of a dead process is not free at once");
});

permitted("tune refuses a second search under its name, and leaves a trial alone that is being trained", async () => {
  await using place = await Workplace.create();
  const small = ["--num-dataset=200", "--num-epochs=1", "--hidden-size=4", "--split=0.9,0.1,0"];
  const search = [...small, "--learning-rate=1e-3..1e-2", "--trials=1", "--run-name=a"];
  await place.succeed("tune", search);
  await Deno.remove(place.at("data/runs/a-001/summary.json"));
  const before = await place.digests("data/runs");
  {
    await using holder = await holdLock(place, `lockSearch("a")`);
    const says = `RUN_NAME is "a": a search with this name is running (process ${holder.pid}, since`;
    await place.refuse(2, [says], "tune", search);
  }
  await using _holder = await holdLock(place, `lockRun("a-001")`);
  const { code, stdout } = await place.run("tune", search);
  assertEquals(code, 1);
  assertStringIncludes(stdout, `RUN_NAME is "a-001": a training with this name is running`);
  assertEquals(await place.digests("data/runs"), before);
});

permitted("two predict --output, or two exports, to one path leave the files of one of them", async () => {
  await using place = await Workplace.inSeries("export");
  for (const [run, width] of [["narrow", "3"], ["wide", "40"]]) {
    await Deno.mkdir(place.at(run));
    const flags = ["--num-dataset=200", "--num-epochs=1", "--split=0.9,0.1,0", "--hidden-size", width];
    await place.succeed("train", [...flags, "--run-name", run]);
  }
  const rows = (from: number) => "x\n" + Array.from({ length: 20_000 }, (_, i) => from + i / 1000).join("\n") + "\n";
  for (const [name, from] of [["a.csv", -90], ["b.csv", 0]] as const) await place.write(name, rows(from));
  const call = ([task, ...args]: [string, ...string[]]) => [task, args] as const;
  const predict = (input: string, output: string) =>
    ["predict", "--run-name=wide", "--input", input, "--output", output] as [string, ...string[]];
  const toPytorch = (run: string, output: string) =>
    ["export", "--format=pytorch", "--run-name", run, "--output", output] as [string, ...string[]];
  for (const name of ["a", "b"]) await place.succeed(...call(predict(`${name}.csv`, `${name}.out`)));
  await atOnce(place, [predict("a.csv", "out"), predict("b.csv", "out")]);
  const predicted = await place.digests();
  assert([predicted["a.out"], predicted["b.out"]].includes(predicted["out"]), "the predictions mix");

  for (const run of ["narrow", "wide"]) await place.succeed(...call(toPytorch(run, `${run}/net.py`)));
  await using holder = await holdLock(place, `lockExport("net.py")`);
  const waiting = await Promise.all(["narrow", "wide"].map(async (run) => {
    const [task, ...args] = toPytorch(run, "net.py");
    const child = await place.start(task, args);
    assertEquals(await readUntil(child.stderr, "\n"), `waiting for process ${holder.pid}, which writes net.py\n`);
    return child;
  }));
  await holder.kill();
  for (const child of waiting) {
    assertStringIncludes(await new Response(child.stdout).text(), "wrote net_torch.safetensors");
    assertEquals((await child.status).code, 0);
  }
  const now = await place.digests();
  const pair = (folder: string) => [now[`${folder}net.py`], now[`${folder}net_torch.safetensors`]];
  assert([pair("narrow/"), pair("wide/")].some((whole) => whole.join() === pair("").join()), "the exports mix");
  assertEquals(await partials(place), []);
});

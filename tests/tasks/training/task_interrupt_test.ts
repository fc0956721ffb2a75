/** Ctrl-C at any stage: the process ends at once, and no half-written file stands under a real name. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readSafetensors } from "../../../lib/safetensors/reader.ts";
import { isLonger, stagesOf, until, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

/** Seconds from Ctrl-C to the end of the process: more than a moment, even on a busy machine, is too long. */
const PROMPT = 5;

const SMALL = ["--num-dataset", "300", "--num-epochs", "1"];

/** Interrupts a process once a condition holds, and awaits its end. */
async function interruptWhen(child: Deno.ChildProcess, isTime: () => Promise<boolean>): Promise<Deno.CommandOutput> {
  let isOver = false;
  const output = child.output().finally(() => isOver = true);
  if (!await until(isTime, () => isOver)) {
    throw new Error(`ended before it was interrupted: ${new TextDecoder().decode((await output).stderr)}`);
  }
  const since = performance.now();
  child.kill("SIGINT");
  const ended = await output;
  assertEquals(new TextDecoder().decode(ended.stderr).includes("error"), false);
  const seconds = (performance.now() - since) / 1000;
  assert(ended.code === 0 || seconds < PROMPT, `took ${seconds} s to end`);
  return ended;
}

/** How a process ended: by the signal, or of itself with the same code. */
const howEnded = ({ signal, code }: Deno.CommandOutput) => [signal, code];

permitted("Ctrl-C at any stage leaves dataset and earlier runs whole, and the next run works", async (t) => {
  await using place = await Workplace.inSeries("train");
  await place.succeed("train", SMALL);
  const run = await place.digests("data/runs/default_run");
  const csv = "data/cubic.csv";
  const scaled = "data/cubic.scaled.safetensors";
  const dataset = async () =>
    Object.fromEntries(Object.entries(await place.digests("data")).filter(([name]) => !name.includes("/")));
  const whole = await dataset();
  /** What a killed process leaves half-written, and what is left of that. */
  const leave = () => Promise.all([csv, `${csv}.json`, scaled].map((name) => place.write(`${name}.partial`, "half")));
  const left = async () => Object.keys(await dataset()).filter((name) => name.endsWith(".partial"));

  await t.step("while training", async () => {
    const child = await place.start("train", ["--num-dataset", "300", "--num-epochs", "10000000"]);
    const metrics = place.at("data/runs/default_run/metrics.jsonl");
    assertEquals(howEnded(await interruptWhen(child, () => isLonger(metrics, 200))), [null, 130]);
    assertEquals(await dataset(), whole);
    assertEquals(await place.digests("data/runs/default_run.1"), run);
    const files = Object.keys(await place.digests("data/runs/default_run")).sort();
    const others = files.filter((name) => !name.startsWith("checkpoints/"));
    assertEquals(others, ["config.json", "layers.jsonl", "metrics.jsonl", "origin.json"]);
    await place.refuse(1, ["data/runs/default_run/model.safetensors: there is no such file"], "predict", ["1"]);
    const after = Object.keys(await place.digests("data"));
    for (const name of after.filter((name) => name.endsWith(".safetensors"))) {
      assert((await readSafetensors(place.at(`data/${name}`))).tensors.size > 0, name);
    }
  });
  await t.step("while a dataset is made", async () => {
    const child = await place.start("gen-data", ["--num-dataset", "50000000"]);
    const partial = place.at(`${csv}.partial`);
    assertEquals(howEnded(await interruptWhen(child, () => isLonger(partial, 500_000))), ["SIGINT", 130]);
    const { "cubic.csv.partial": _, ...others } = await dataset();
    assertEquals(others, whole);
  });
  await t.step("the next run removes what is half-written", async () => {
    await leave();
    await place.succeed("gen-data", ["--num-dataset", "300"]);
    assertEquals(await left(), ["cubic.scaled.safetensors.partial"]);
    await leave();
    assertEquals(stagesOf(await place.succeed("train", SMALL)), { "gen-data": "skipped", scale: "skipped" });
    assertEquals(await left(), []);
    const again = await place.digests("data/runs/default_run");
    assertEquals(again["model.safetensors"], run["model.safetensors"]);
  });
  await t.step("while it is scaled", async () => {
    const before = await Deno.readFile(place.at(scaled));
    const { stdout } = await place.succeed("gen-data", ["--num-dataset", "300000"]);
    assertStringIncludes(stdout, "300000 rows");
    const child = await place.start("scale");
    const ended = await interruptWhen(child, () => isLonger(place.at(`${scaled}.partial`), 0));
    assertEquals(howEnded(ended), ["SIGINT", 130]);
    assertEquals(await Deno.readFile(place.at(scaled)), before);

    // The shorter file must not keep the end of the longer one that was given up.
    assertEquals(stagesOf(await place.succeed("train", SMALL)), { "gen-data": "wrote", scale: "wrote" });
    assertEquals((await dataset())["cubic.csv"], whole["cubic.csv"]);
    assertEquals((await readSafetensors(place.at(scaled))).tensors.get("train.x")!.shape, [240, 1]);
    assertEquals(await left(), []);
  });
});

permitted("a dataset whose maker was killed right before its file went into place is put there", async () => {
  await using place = await Workplace.inSeries("train");
  await place.succeed("gen-data", ["--num-dataset", "200"]);
  const earlier = await place.read("data/cubic.csv");
  const made = await place.read("data/cubic.csv.json");
  await place.succeed("gen-data", ["--num-dataset", "300"]);
  const later = await place.read("data/cubic.csv");
  await Deno.rename(place.at("data/cubic.csv"), place.at("data/cubic.csv.partial"));
  await place.write("data/cubic.csv", earlier);
  const { stdout } = await place.succeed("gen-data", ["--num-dataset", "300"]);
  assertStringIncludes(stdout, "nothing to do");
  assertEquals(await place.read("data/cubic.csv"), later);

  // Killed a moment earlier, it left the note of the one before: what lies aside is not known to be whole.
  await place.succeed("gen-data", ["--num-dataset", "200"]);
  await place.write("data/cubic.csv.partial", later);
  assertStringIncludes((await place.succeed("gen-data", ["--num-dataset", "200"])).stdout, "nothing to do");
  assertEquals(await place.read("data/cubic.csv"), earlier);
  assertEquals(JSON.parse(await place.read("data/cubic.csv.json")).made, JSON.parse(made).made);
});

permitted("Ctrl-C while model and report are written is answered, and both are written", async () => {
  await using place = await Workplace.create();
  const child = await place.start("train", [...SMALL, "--quiet", "--report", "true"]);
  const model = place.at("data/runs/default_run/model.safetensors");
  const { code, stderr } = await interruptWhen(child, () => isLonger(model, 0));
  const told = "finishing: model and report are being written; another Ctrl-C ends that\n";
  assertEquals([code, new TextDecoder().decode(stderr)], [0, told]);
  assert(await isLonger(place.at("data/runs/default_run/report.html"), 10_000));
});

/** deno task predict, run as a user runs it. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readSafetensors, writeSafetensors } from "../../../lib/safetensors/reader.ts";
import { NO_ADAPTER, parsePredictions, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const model = "data/runs/default_run/model.safetensors";

permitted("predict with a run of the recipe linear, and one of xor", async (t) => {
  await using place = await Workplace.inSeries("predict");
  await place.succeed("train", ["--recipe", "linear", "--batch-size", "32", "--num-epochs", "50"]);
  await place.succeed("train", ["--recipe", "xor", "--num-epochs", "300", "--run-name", "pairs"]);
  await t.step("takes numbers and files, and writes to stdout and to files", (t) => takesRows(t, place));
  await t.step("refuses what it cannot use, and leaves the output as it was", () => refusesRows(place));
  await t.step("refuses a model file that is cut short, of another kind or shape", () => refusesModels(place));
});

async function takesRows(t: Deno.TestContext, place: Workplace): Promise<void> {
  await t.step("numbers of any sign, a row after the other", async () => {
    const outcome = await place.succeed("predict", ["-3.5", ".5", "+1e0", "-2", "-.25E1"]);
    const { header, rows } = parsePredictions(outcome);
    assertEquals([header, outcome.stderr], ["x,predicted_y", ""]);
    assertEquals(rows.map(([x]) => x), [-3.5, 0.5, 1, -2, -2.5]);
    for (const [x, y] of rows) assert(Math.abs(y - (2 * x + 1)) < 0.1, `y(${x}) is predicted as ${y}`);
  });
  await t.step("another run, with rows of two numbers", async () => {
    const outcome = await place.succeed("predict", ["--run-name", "pairs", "1", "0", "1", "1"]);
    const { header, rows } = parsePredictions(outcome);
    assertEquals([header, rows.map((row) => row.slice(0, 2))], ["x1,x2,predicted_y", [[1, 0], [1, 1]]]);
    assertEquals(rows.map((row) => Math.round(row[2])), [1, 0]);
  });
  await t.step("a file with columns in another order, and more of them", async () => {
    await place.write("new.csv", "\ufeffx2,note,x1\r\n0,not a number,1\r\n0,,0\r\n");
    const outcome = await place.succeed("predict", ["--input", "new.csv", "--run-name=pairs"]);
    const { header, rows } = parsePredictions(outcome);
    assertEquals([header, rows.map((row) => row.slice(0, 2))], ["x1,x2,predicted_y", [[1, 0], [0, 0]]]);
    assertEquals(rows.map((row) => Math.round(row[2])), [1, 0]);
  });
  await t.step("more rows than are read at once, to a file", async () => {
    const xs = Array.from({ length: 10_000 }, (_, i) => i / 1000 - 5);
    await place.write("many.csv", `x\n${xs.join("\n")}\n`);
    const { stdout } = await place.succeed("predict", ["--input", "many.csv", "--output=out.csv"]);
    assertEquals(stdout, "wrote out.csv: 10000 predictions\n");
    const { header, rows } = parsePredictions({ code: 0, stdout: await place.read("out.csv"), stderr: "" });
    assertEquals([header, rows.map(([x]) => x)], ["x,predicted_y", xs]);
    assert(rows.every(([x, y]) => Math.abs(y - (2 * x + 1)) < 0.1), "a prediction is off");
    assertEquals(Object.keys(await place.digests()).filter((name) => name.includes("partial")), []);
  });
  await t.step("paths from the folder that deno task was called in", async () => {
    await place.write("below/few.csv", "x\n4\n");
    const args = ["--input", "few.csv", "--output", "../beside.csv"];
    const { stdout } = await place.succeed("predict", args, { INIT_CWD: await Deno.realPath(place.at("below")) });
    assertStringIncludes(stdout, "beside.csv: 1 predictions");
    assertMatch(await place.read("beside.csv"), /^x,predicted_y\r?\n4,(8\.9|9)/);
    const { header } = parsePredictions(await place.succeed("predict", ["1"], { INIT_CWD: place.at("below") }));
    assertEquals(header, "x,predicted_y", "the run is the project's");
  });
  await t.step("numbers to a file, and the file is replaced", async () => {
    await place.succeed("predict", ["-1", "--output", "out.csv"]);
    assertMatch(await place.read("out.csv"), /^x,predicted_y\r?\n-1,-?[\d.e-]+\r?\n$/);
  });
}

async function refusesRows(place: Workplace): Promise<void> {
  await place.write("out.csv", "precious\n");
  await place.write("zw.csv", "z,w\n1,2\n");
  await place.write("late.csv", `x\n${"1\n".repeat(9000)}two\n`);
  const cases: [code: number, args: string, ...says: string[]][] = [
    [2, "", "nothing to predict from"],
    [2, "3 --input out.csv", "there are numbers (3)", "--input out.csv"],
    [2, "1 0 1 --run-name pairs", "a row has 2 numbers (x1, x2), found 3 in all"],
    [2, "1,5 2 NaN 1e999", '"1,5" is not a number', '"NaN" is not finite', '"1e999" is beyond the range'],
    [1, "1 --run-name nope", "data/runs/nope/model.safetensors", "`deno task train --run-name nope` makes it"],
    [1, "--input nope.csv", "Cannot read nope.csv: there is no such file"],
    [1, "--input zw.csv", 'zw.csv:1: there is no column "x"; there are z, w'],
    [1, "--input late.csv", 'late.csv:9002, column "x": "two" is not a number'],
    [1, "--input data/runs", "Cannot read data/runs: it is a folder"],
  ];
  for (const [code, args, ...says] of cases) {
    // An empty environment asks for a process of its own, here for its stdin.
    const env = args === "" ? {} : undefined;
    await place.refuse(code, says, "predict", [...args.split(" ").filter(Boolean), "--output", "out.csv"], env);
  }
  await place.refuse(1, ["no adapter"], "predict", ["1", "--output", "out.csv"], NO_ADAPTER);
  const nowhere = { "no/such/out.csv": "there is no folder no/such", "data/runs": "it is a folder" };
  for (const [output, why] of Object.entries(nowhere)) {
    await place.refuse(1, [`Cannot write ${output}: ${why}`], "predict", ["1", "--output", output]);
  }
  await place.write("in.csv", "x\n1\n");
  for (const output of ["in.csv", "./data/../in.csv", place.at("in.csv")]) {
    const says = [`--output ${output} is the same file as --input in.csv`];
    await place.refuse(2, says, "predict", ["--input", "in.csv", "--output", output]);
  }
  assertEquals(await place.read("out.csv"), "precious\n");
}

async function refusesModels(place: Workplace): Promise<void> {
  const path = place.at(model);
  const whole = await Deno.readFile(path);
  const run = model.split("/").at(-2)!;
  await Deno.remove(path);
  await place.refuse(1, [model, `\`deno task train --resume ${run}\` restores it`], "predict", ["1", "2"]);
  await place.succeed("train", [`--resume=${run}`]);
  assertEquals(await Deno.readFile(path), whole);
  const { tensors, metadata } = await readSafetensors(path);
  const weight = tensors.get("0.weight")!;
  const bias = tensors.get("0.bias")!;
  const width = bias.data.length;
  const save = async (change: Record<string, unknown>, meta: Record<string, string> = {}) => {
    const all = { ...Object.fromEntries(tensors), ...change } as Record<string, typeof bias | undefined>;
    const kept = Object.entries(all).filter(([_, tensor]) => tensor !== undefined);
    await writeSafetensors(path, Object.fromEntries(kept) as Record<string, typeof bias>, { ...metadata, ...meta });
  };
  const refuse = async (...says: string[]) => await place.refuse(1, [model, ...says], "predict", ["1", "2"]);

  for (const bytes of [whole.slice(0, -1), whole.slice(0, 100), whole.slice(0, 3), new Uint8Array(0)]) {
    await place.write(model, bytes);
    await refuse();
  }
  await place.write(model, "x,y\n1,2\nnot a model at all\n");
  await refuse("not a safetensors file");
  await Deno.copyFile(place.at("data/linear.scaled.safetensors"), path);
  await refuse("this is no model of `deno task train`");

  const bad = { shape: [width - 1], data: bias.data.slice(1) };
  const cases: [Parameters<typeof save>, ...says: string[]][] = [
    [[{ "0.bias": bad }], "0.bias is", `[${width - 1}]`, `[${width}]`],
    [[{ "0.weight": { shape: [width, 1], data: weight.data } }], "does not fit together"],
    [[{ "2.bias": undefined }], "2.bias"],
    [[{ "4.weight": { shape: [1, 1], data: Float32Array.of(1) } }], "4.weight"],
    [[{}, { table: metadata.table.replace('"x"', '"z"') }], "does not fit together"],
    [[{}, { layers: '["Linear","Swish","Linear"]' }], 'unknown kind "Swish"'],
    [[{}, { scaler: "{" }], "does not fit together"],
  ];
  for (const [changes, ...says] of cases) {
    await save(...changes);
    await refuse(...says);
  }

  await place.write(model, whole);
  assertStringIncludes((await place.succeed("predict", ["1"])).stdout, "x,predicted_y");
}

/** What names in a file from elsewhere can do: nothing to a terminal, to code that is written, or to files outside. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import { DataError } from "../../lib/base/errors.ts";
import { Linear } from "../../lib/core/layers.ts";
import { softmaxCrossEntropy } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { printable, showJson } from "../../lib/base/printable.ts";
import { saveModel } from "../../lib/model_file/saved_model.ts";
import { Scaler } from "../../lib/data/scaler.ts";
import { TableEmbedding } from "../../lib/tabular/table_embedding.ts";
import { encodedNames, type Table } from "../../lib/data/table.ts";
import { ConfigError } from "../../tasks/settings/config.ts";
import { type Config, SETTINGS } from "../../tasks/settings/settings.ts";
import { forStdout } from "../../tasks/predict/predict_run.ts";
import { describeError } from "../../tasks/settings/run_task.ts";
import { scaledPathOf } from "../../tasks/prepare/scaled_dataset.ts";
import { formatTable } from "../../tasks/show/text_table.ts";
import { permittedGpuTest } from "../support/gpu_test_case.ts";
import { type Outcome, Workplace } from "../support/run_task_process.ts";

/** Names that try to end a comment, a text, a template or a line, to run as code, or to steer a terminal. */
const NAMES = [
  "*/ globalThis.PWNED = 1; /*",
  '"]); globalThis.PWNED = 1; //',
  "`${globalThis.PWNED = 1}`",
  '\\"; globalThis.PWNED = 1; "',
  '"""\nimport os\nos.PWNED()\n"""',
  "a\nPWNED = 1\nb",
  "a\r\u2028PWNED = 2\u2029b",
  "\u202ePWNED\u2066 fair name",
  "\u001b]0;PWNED\u0007\u001b[2J\u009b31mred",
  "{PWNED!r}%(PWNED)s\u0000",
];

/** What a terminal obeys, but for line ends. */
const OBEYED = /[^\P{Cc}\r\n]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

/** Columns, categories and classes of such names. */
const TABLE: Table = {
  inputs: [
    ...NAMES.map((name) => ({ kind: "numeric", name, fill: 1 } as const)),
    { kind: "categorical", name: "PWNED", categories: NAMES, fill: NAMES[0] },
  ],
  target: { kind: "classes", name: `class ${NAMES[8]}`, classes: NAMES },
  missing: "mean",
};

/** A run whose model holds all of them. */
async function saveRun(device: Device, place: Workplace, name: string): Promise<void> {
  const features = encodedNames(TABLE.inputs);
  const column = (name: string) => ({ name, min: 0, max: 1, mean: 0, deviation: 1 });
  // The last column holds names, and those that were never seen.
  const names = NAMES.length + 1;
  const inputs = features.map((name) => name === "PWNED" ? { ...column(name), names } : column(name));
  const scalers = { inputs: new Scaler("none", inputs), targets: new Scaler("none", NAMES.map(column)) };
  const embedding = new TableEmbedding({
    columns: [...NAMES.map(() => ({ kind: "number" } as const)), { kind: "names", names }],
  });
  await Deno.mkdir(place.at(`data/runs/${name}`), { recursive: true });
  using model = new Model(device, [embedding, new Linear(embedding.outputs, NAMES.length)]);
  await saveModel(place.at(`data/runs/${name}/model.safetensors`), model, {
    table: TABLE,
    features,
    targets: NAMES,
    scalers,
    loss: softmaxCrossEntropy,
    settings: { [NAMES[0]]: NAMES[8], RUN_NAME: "../../up" },
    source: { name: "../../../etc/passwd", sha256: "0".repeat(64) },
  });
}

function assertHarmless({ stdout, stderr }: Outcome): void {
  assertEquals(`${stdout}${stderr}`.match(OBEYED)?.[0], undefined);
}

permittedGpuTest("names in a model print as text, in predict, evaluate and their errors", async (device) => {
  await using place = await Workplace.inSeries("predict");
  await saveRun(device, place, "evil");
  const run = ["--run-name=evil"];
  const row = Object.fromEntries([...NAMES.map((name) => [name, 1]), ["PWNED", "x"]]);
  const json = await place.succeed("predict", [...run, `--row=${JSON.stringify(row)}`]);
  assertHarmless(json);
  assertEquals(Object.keys(JSON.parse(json.stdout).probabilities), NAMES);
  const header = [...NAMES, "PWNED", TABLE.target.kind === "classes" ? TABLE.target.name : ""];
  const quoted = (cells: readonly string[]) => cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join();
  await place.write("rows.csv", `${quoted(header)}\n${quoted([...NAMES.map(() => "1"), NAMES[8], NAMES[8].trim()])}\n`);
  const table = await place.succeed("evaluate", [...run, "--data=rows.csv"]);
  assertHarmless(table);
  assertStringIncludes(table.stdout, "\\u001b]0;PWNED\\u0007");
  assertHarmless(await place.succeed("evaluate", [...run, "--data=rows.csv", "--json"]));
  const csv = await place.succeed("predict", [...run, "--input=rows.csv"]);
  assertStringIncludes(csv.stdout, NAMES[8], "a file gets names as they are");
  assertEquals(forStdout(csv.stdout, true).match(OBEYED)?.[0], undefined);
  for (const args of [["5"], ["--row={}"], [`--row={"${"\\u001b"}[2J":1}`], ["\u001b[2J=1"]]) {
    assertHarmless(await place.refuse(2, ["\\u"], "predict", [...run, ...args]));
  }
  await place.write("other.csv", "\u001b[2J,b\n1,2\n");
  assertHarmless(await place.refuse(1, ["other.csv:1"], "predict", [...run, "--input=other.csv"]));
});

permittedGpuTest("names in a model are texts in the code that export writes, and choose no file", async (device) => {
  await using place = await Workplace.inSeries("export");
  await saveRun(device, place, "evil");
  const before = Object.keys(await place.digests());
  for (const format of ["ts", "pytorch", "onnx"]) {
    assertHarmless(await place.succeed("export", ["--run-name=evil", `--format=${format}`]));
  }
  const made = ["model.onnx", "model.py", "model.ts", "model_torch.safetensors"];
  const expected = [...before, ...made.map((name) => `data/runs/evil/${name}`)];
  assertEquals(Object.keys(await place.digests()).sort(), expected.sort());
  for (const name of ["model.ts", "model.py"]) {
    const text = await place.read(`data/runs/evil/${name}`);
    assertEquals(text.match(OBEYED)?.[0], undefined, name);
    const code = text.replaceAll(/"""[^]*?"""/g, (comment) => comment.includes("PWNED") ? comment : "")
      .replaceAll(/"(?:[^"\\\n]|\\.)*"/g, '""').replaceAll(/\bPWNED(\??: string|: "")/g, "");
    assertEquals(code.match(/.*PWNED.*/)?.[0], undefined, name);
  }
  const { predict } = await import(`file://${place.at("data/runs/evil/model.ts")}`);
  assertEquals(Object.keys(predict({}).probabilities), NAMES);
  assertEquals("PWNED" in globalThis, false);
});

permittedGpuTest("a run that is a link, or holds links, reaches no file outside of data/runs", async (device) => {
  await using place = await Workplace.inSeries("export", { "precious.txt": "precious", "elsewhere/a.txt": "" });
  await saveRun(device, place, "evil");
  await Deno.rename(place.at("data/runs/evil"), place.at("elsewhere/run"));
  await Deno.symlink(place.at("elsewhere/run"), place.at("data/runs/evil"));
  const link = ["data/runs/evil", "this is a link"];
  const run = ["--run-name=evil"];
  for (const [task, argument] of [["predict", "1"], ["export", "--format=ts"]]) {
    const { code, stderr } = await place.run(task, [...run, argument]);
    assertEquals(code, 1);
    for (const words of link) assertStringIncludes(stderr, words);
  }
  await Deno.remove(place.at("data/runs/evil"));
  await Deno.mkdir(place.at("data/runs/evil"));
  await Deno.symlink(place.at("elsewhere/run/model.safetensors"), place.at("data/runs/evil/model.safetensors"));
  await place.refuse(1, ["data/runs/evil/model.safetensors: this is a link"], "export", [...run, "--format=ts"]);
  await Deno.remove(place.at("data/runs/evil"), { recursive: true });
  await saveRun(device, place, "evil");
  for (const name of ["model.onnx", "model.onnx.partial"]) {
    await Deno.symlink(place.at("precious.txt"), place.at(`data/runs/evil/${name}`));
  }
  await place.succeed("export", [...run, "--format=onnx"]);
  assertEquals(await place.read("precious.txt"), "precious");
  assertEquals((await Deno.lstat(place.at("data/runs/evil/model.onnx"))).isSymlink, false);
});

Deno.test("RUN_NAME names a folder in data/runs and nothing else", () => {
  const { parse } = SETTINGS.RUN_NAME;
  const wrong =
    ". .. ... ../up a/b a\\b /abs C:\\x C:x \\\\host\\x ~ ~root $HOME .hidden -rf a. a.. con NUL com1.txt Lpt9".split(
      " ",
    );
  wrong.push("", "a\0b", "a\nb", "a\n", "\x1b[2J", "aux.", "a b", "é", "a:b", "a*", "％2e％2e", "x".repeat(101));
  for (const name of wrong) assertEquals(parse(name), undefined, JSON.stringify(name));
  for (const name of ["a", "default_run", "A-1.b_2", "0", "console", "com10", "nul1", "a..b", "x".repeat(100), "a_"]) {
    assertEquals(parse(name), name);
  }
});

Deno.test("scaledPathOf() stays in data, whatever the CSV file is called", () => {
  const cases: Record<string, string> = {
    "../up/houses.csv": "houses",
    "..": "..",
    "../..csv": ".",
    "...csv": "..",
    "a/": "a",
    "C:\\up\\houses.TSV": "houses",
    "C:houses.csv": "C_houses",
    "a\u001b[2J\0.csv": "a_[2J_",
    "nul": "nul",
  };
  for (const [data, name] of Object.entries(cases)) {
    const path = scaledPathOf({ data } as Config);
    assertEquals(path, `data/${name}.scaled.safetensors`, JSON.stringify(data));
    assert(!new URL(path, "file:///x/").pathname.slice("/x/data/".length).includes("/"));
  }
});

Deno.test("printable() writes out what a terminal obeys, and leaves JSON the same", () => {
  assertEquals(printable("a\u001b[2J\u009b\u202e\n\ud800é🎾"), "a\\u001b[2J\\u009b\\u202e\\u000a\\ud800é🎾");
  assertEquals(printable("a\nb\t", "\n"), "a\nb\\u0009");
  const json = JSON.stringify(NAMES);
  assertEquals(JSON.parse(printable(json)), NAMES);
  assertEquals(formatTable([["a\nb", "x"], ["c", "\u009b1m"]], 2), "a\\u000ab  x\nc         \\u009b1m");
  assertEquals(formatTable([["a\u200bb", "x"], ["c", "\u00a0"]], 2), "a\\u200bb  x\nc         \\u00a0");
});

Deno.test("showJson() is JSON, cut where it is long or deep", () => {
  assertEquals(showJson({ a: [1, "x", null], b: undefined }), '{"a":[1,"x",null],"b":undefined}');
  assertEquals(showJson("x".repeat(61)), `"${"x".repeat(60)}..."`);
  assertEquals(showJson(Array(21).fill(0)), `[${"0,".repeat(20)}...]`);
  assertEquals(showJson([[[[1]]], {}]), "[[[[...]]],{}]");
  assertEquals([showJson(undefined), showJson(null), showJson({ toJSON: 1 })], ["undefined", "null", '{"toJSON":1}']);
});

Deno.test("messages of errors print as text, and are not as long as the file", () => {
  const place = { file: "a\u001b.csv", column: NAMES[8].repeat(99) };
  const error = new DataError(`bad ${NAMES[8]}\nnext ${"x".repeat(1e6)}`, place);
  assert(error.message.length < 20_100, `${error.message.length}`);
  assertEquals(error.message.match(OBEYED)?.[0], undefined);
  assert(describeError("scale", new ConfigError([NAMES.join().repeat(9999)])).length < 150_000);
  assertEquals(describeError("scale", new ConfigError(NAMES)).match(OBEYED)?.[0], undefined);
});

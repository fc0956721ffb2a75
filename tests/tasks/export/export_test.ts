/** The formats of deno task export, each run where it will be used and compared with a plain float64 pass. */

import { permitted } from "../../support/permitted.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { readSafetensors, writeSafetensors } from "../../../lib/safetensors/reader.ts";
import type { ExportedModel } from "../../../tasks/export/exported_model.ts";
import { writePython } from "../../../tasks/export/pytorch.ts";
import { torchWeights } from "../../../tasks/export/pytorch_network.ts";
import { writeTypeScript } from "../../../tasks/export/typescript.ts";
import { assertClose } from "../../support/assert_close.ts";
import { expectedOf, importPredict, MODELS, ONE, PLAIN, predictByOnnx, rowsFor } from "./export_cases.ts";
import { python } from "./python.ts";
import type { RawRow } from "../../support/onnx_process.ts";
import { Workplace } from "../../support/run_task_process.ts";

/** What a written predictor gives. */
type Prediction = Record<string, number> | { class: string; probabilities: Record<string, number> };

/** Compares predictions with the float64 pass; relative to the largest number of each target. */
function assertPredictions(model: ExportedModel, rows: readonly RawRow[], predictions: readonly Prediction[]): void {
  const expected = rows.map((row) => expectedOf(model, row));
  assertEquals(predictions.length, rows.length);
  const { output } = model;
  const isClass = output.kind === "classes";
  for (const name of isClass ? output.classes : output.names) {
    const wanted = expected.map(({ numbers }) => numbers[name]);
    // deno-lint-ignore no-explicit-any -- either a class or numbers
    const found = predictions.map((prediction: any) => (isClass ? prediction.probabilities : prediction)[name]);
    const largest = Math.max(...wanted.map(Math.abs));
    assert(Math.min(...wanted) < 0.9 * Math.max(...wanted) || rows.length === 1, `${name} hardly varies`);
    assertClose(found, wanted, { rtol: 1e-5, atol: 1e-7 * largest });
  }
  if (isClass) assertEquals(predictions.map((row) => `${row.class}`), expected.map((row) => `${row.class}`));
}

permitted("exports take numbers as float32, and bend an outlier to the clip, however large it is", async () => {
  await using place = await Workplace.create();
  const inputs = [{ kind: "numeric", name: "x" }] as const;
  const edges = Float32Array.from({ length: 17 }, (_, i) => i === 8 || i === 9 ? 0.1 : i - 8);
  const columns = { kind: "Columns", columns: [{ kind: "bins", edges }] } as const;
  const ninth = Float32Array.from({ length: 16 }, (_, i) => Number(i === 8));
  const linear = { kind: "Linear", outputs: 1, bias: Float32Array.of(0) } as const;
  const output = { kind: "numbers", names: ["y"], scalings: [ONE] } as const;
  const bins: ExportedModel = {
    ...PLAIN,
    name: "bins",
    inputs,
    scalings: [ONE],
    members: [[columns, { ...linear, inputs: 16, weight: ninth }]],
    output,
  };
  const outlier: ExportedModel = {
    ...bins,
    name: "outlier",
    scalings: [{ shift: 1, factor: 0.5, clip: 3 }],
    members: [[{ ...linear, inputs: 1, weight: Float32Array.of(1) }]],
  };
  // The ninth bin has no width, and the float32 0.1 is its edge. Scaled, 2.5 is 3, and -1.7e308 infinite.
  const cases: [ExportedModel, number[], number[]][] = [
    [bins, [0, 0.1, 0.2], [0, 1, 1]],
    [outlier, [1, 2.5, 1e200, -1.7e308], [0, 3 / Math.sqrt(2), 3, -3]],
  ];
  for (const [model, cells, wanted] of cases) {
    const predict = await importPredict(place, model);
    assertClose(cells.map((x) => predict({ x }).y), wanted, { rtol: 1e-7 });
    const found = await predictByOnnx(place, model, cells.map((x) => ({ x })));
    assertClose(found.map((row) => (row as Record<string, number>).y), wanted, { rtol: 1e-7 });
  }
});

/** Dates with and without a fill, and all parts. */
const DATED: ExportedModel["inputs"] = [
  { kind: "date", name: "sold", origin: 20_000, parts: ["year", "month", "weekday", "hour"] },
  { kind: "date", name: "seen", format: "%m/%d/%y", origin: 20_000, parts: [], fill: 20_000 },
];

permitted("writeTypeScript() types rows and predictions, and imports nothing", async () => {
  await using place = await Workplace.create();
  for (const model of Object.values(MODELS)) {
    const text = writeTypeScript(model, `${model.name}.ts`);
    assertEquals(text.match(/^import\b.*|\bimport\(/gm), null);
    await place.write(`${model.name}.ts`, text);
  }
  const dated = { ...MODELS["probabilities of numbers"], name: "dated", inputs: DATED };
  await place.write("dated.ts", writeTypeScript(dated, "dated.ts"));
  const row = `{ year: 2000, color: "red", "body mass\\n(g)": null, label: "*/" }`;
  await place.write(
    "use.ts",
    `import { predict as price } from "./run1.ts";
import { predict as species } from "./run5.ts";
import "./names_only.ts";
import { predict as chance } from "./pairs.ts";
import { predict as day } from "./dated.ts";
export const number: number = price(${row})["price"];
const { class: name, probabilities } = species(${row});
export const known: "Adélie 🐧" | "Chinstrap" | "__proto__" = name;
export const probability: number = probabilities["Chinstrap"];
day({ sold: "2026-01-31", seen: null });
day({ sold: "2026-01-31", seen: "1/31/26" });
// @ts-expect-error: a date is a text
day({ sold: 20000 });
// @ts-expect-error: a column is missing
chance({ x1: 1 });
// @ts-expect-error: a text is no number
chance({ x1: 1, x2: "2" });
// @ts-expect-error: no such target
chance({ x1: 1, x2: 2 }).w;
`,
  );
  const { code, stderr } = await place.runDeno(["check", "--no-config", "use.ts"]);
  assertEquals(code, 0, stderr);
});

permitted("writeTypeScript() refuses rows by column and cell", async () => {
  await using place = await Workplace.create();
  const model = MODELS["numbers of mixed columns, every layer"];
  const predict = await importPredict(place, model);
  const row = { year: 2000, label: "*/" };
  assertEquals(predict({ ...row, label: " */ ", color: "null " }), predict(row), "spaces around names");
  assertEquals(predict({ ...row, "body mass\n(g)": NaN }), predict(row));
  assertEquals(predict({ ...row, year: " 2e3", [model.targets[0]]: 7 }), predict(row), "as predict takes rows");
  const refused: [Record<string, unknown>, string][] = [
    [{ ...row, year: undefined }, 'column "year" is undefined, need a finite number'],
    [{ ...row, year: "2,000" }, 'column "year" is "2,000", need a finite number'],
    [{ ...row, year: true }, 'column "year" is true, need a finite number'],
    [{ ...row, "body mass\n(g)": Infinity }, "is Infinity, need a finite number"],
    [{ ...row, label: " NA " }, 'column "label" is " NA ", need a text'],
    [{ ...row, label: [] }, 'column "label" is , need a number or a text'],
    [
      { ...row, Year: 1, colour: 2 },
      'there is no column "Year", "colour"; the columns are "year", "color", "body mass',
    ],
  ];
  for (const [cells, says] of refused) assertThrows(() => predict(cells), TypeError, says);
});

permitted("where classes are as likely, exports say the first, but of two under one output the second", async () => {
  await using place = await Workplace.create();
  for (const [outputs, best] of [[1, "yes"], [2, "no"]] as const) {
    const weight = new Float32Array(3 * outputs);
    const bias = new Float32Array(outputs);
    const model = MODELS["two classes under one output"];
    const linear = { kind: "Linear", inputs: 3, outputs, weight, bias } as const;
    const output = { ...model.output, outputs, threshold: outputs === 1 ? 0.5 : undefined } as typeof model.output;
    const tied = { ...model, name: `tied${outputs}`, members: [[model.members[0][0], linear]], output };
    const rows = [{ color: "red" }];
    const predict = await importPredict(place, tied);
    assertEquals([predict(rows[0]).class, (await predictByOnnx(place, tied, rows))[0].class], [best, best]);
    assertPredictions(tied, rows, rows.map(predict));
  }
});

/** The value of a list or number that stands in the Python text. */
function constantOf(text: string, name: string): unknown {
  const [_, list] = text.match(new RegExp(`^${name} = (\\[(?:\\n[^]*?^\\]|.*\\]$))`, "m"))!;
  return JSON.parse(list.replaceAll(/: None\}/g, ": null}").replaceAll(/,\n\]/g, "]"));
}

Deno.test("writePython() has every column, number, class and layer", () => {
  for (const model of Object.values(MODELS)) {
    const text = writePython(model, "w.safetensors");
    const { output } = model;
    // The shares are in the network, in the rows of names not in training.
    const columns = model.inputs.map((column) => {
      const { shares: _, ...own } = { shares: undefined, ...column };
      return { ...own, fill: column.fill ?? null };
    });
    assertEquals(constantOf(text, "COLUMNS"), columns);
    assertEquals(constantOf(text, "SHIFT"), model.scalings.map(({ shift }) => shift));
    assertEquals(constantOf(text, "FACTOR"), model.scalings.map(({ factor }) => factor));
    if (output.kind !== "numbers" && output.temperature) assertStringIncludes(text, `/ ${output.temperature}`);
    if (output.kind === "classes" && output.threshold) assertStringIncludes(text, `>= ${output.threshold})`);
    if (output.kind === "classes") assertEquals(constantOf(text, "CLASSES"), output.classes);
    else assertEquals(constantOf(text, "TARGETS"), output.names);
    if (model.scalings.some(({ clip }) => clip)) {
      assertEquals(constantOf(text, "CLIP"), model.scalings.map(({ clip }) => clip ?? 0));
    }
    if (output.kind === "numbers") {
      assertEquals(constantOf(text, "TARGET_SHIFT"), output.scalings.map(({ shift }) => shift));
      assertEquals(constantOf(text, "TARGET_FACTOR"), output.scalings.map(({ factor }) => factor));
      if (output.ranges) assertEquals(constantOf(text, "TARGET_MAX"), output.ranges.map(({ max }) => max));
    }
  }
  const text = writePython(MODELS["numbers of mixed columns, every layer"], "w.safetensors");
  assertStringIncludes(text, 'with_name("w.safetensors")');
  const layers = text.match(/nn\.Sequential\(\n([^]*?)\n {8}\)/)![1].split("\n").map((line) => line.trim());
  assertEquals(layers.map((line) => line.replace(/^Bins\(.*\),/, "Bins(),")), [
    "Columns([",
    'Waves(),  # "year"',
    'OneHot(4),  # "color"',
    'Bins(),  # "body mass\\n(g)"',
    'Rows(3, 5),  # "label"',
    "]),",
    "ColumnDropout(0.1, [4, 4, 16, 5]),",
    "nn.Linear(29, 7),",
    "nn.Tanh(),",
    "nn.Dropout(0.25),",
    "nn.Linear(7, 6),",
    'nn.GELU(approximate="tanh"),',
    "nn.Linear(6, 5),",
    "nn.LeakyReLU(0.03),",
    "nn.Linear(5, 7),",
    "nn.Linear(7, 2),",
  ]);
});

Deno.test("torchWeights() are named by member and layer, a weight [out, in]", () => {
  const model = MODELS["probabilities of numbers"];
  const linear = { kind: "Linear", inputs: 2, outputs: 3, weight: Float32Array.of(1, 2, 3, 4, 5, 6) } as const;
  const layers = [{ kind: "ReLU" } as const, { ...linear, bias: Float32Array.of(7, 8, 9) }];
  const weight = { shape: [3, 2], data: Float32Array.of(1, 4, 2, 5, 3, 6) };
  const bias = { shape: [3], data: Float32Array.of(7, 8, 9) };
  assertEquals(torchWeights({ ...model, members: [layers] }), { "layers.1.weight": weight, "layers.1.bias": bias });
  assertEquals(Object.keys(torchWeights({ ...model, members: [layers, layers] })), [
    "members.0.layers.1.weight",
    "members.0.layers.1.bias",
    "members.1.layers.1.weight",
    "members.1.layers.1.bias",
  ]);
});

permitted("every format predicts as float64 does: the ONNX runtime, TypeScript, and PyTorch where it is", async (t) => {
  await using place = await Workplace.create();
  const hasTorch = (await python(["-c", "import torch, safetensors.torch"]))?.code === 0;
  for (const [name, model] of Object.entries(MODELS)) {
    const rows = rowsFor(model.inputs, 200);
    await t.step(`encodeOnnx(), ${name}`, async () => {
      for (const some of [rows, rows.slice(0, 1)]) {
        assertPredictions(model, some, await predictByOnnx(place, model, some));
      }
    });
    await t.step(`writeTypeScript(), ${name}`, async () => {
      assertPredictions(model, rows, rows.map(await importPredict(place, model)));
    });
    await t.step(`writePython(), ${name}`, async () => {
      await writeSafetensors(place.at("w.safetensors"), torchWeights(model));
      const { tensors } = await readSafetensors(place.at("w.safetensors"));
      assertEquals(new Set(tensors.values().map(({ shape }) => shape.length)), new Set([1, 2]));
      await place.write("model.py", writePython(model, "w.safetensors"));
      const compiled = await python(["-m", "py_compile", place.at("model.py")]);
      assertEquals(compiled?.code ?? 0, 0, compiled?.stderr);
      if (!hasTorch) return;
      const lines = rows.map((row) => JSON.stringify(row)).join("\n");
      const { code, stdout, stderr } = (await python([place.at("model.py")], lines))!;
      assertEquals(code, 0, stderr);
      assertPredictions(model, rows, stdout.trim().split("\n").map((line) => JSON.parse(line)));
    });
  }
});

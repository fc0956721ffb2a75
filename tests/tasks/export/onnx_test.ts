/** ONNX files: small probabilities, missing cells, names, and what they refuse. */

import { permitted } from "../../support/permitted.ts";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { MISSING_TEXTS } from "../../../lib/data/cells.ts";
import { VERSION } from "../../../lib/base/version.ts";
import type { InputColumn } from "../../../lib/data/table.ts";
import type { ExportedModel } from "../../../tasks/export/exported_model.ts";
import { encodeOnnx, NAMES_NOTE } from "../../../tasks/export/onnx.ts";
import { assertClose } from "../../support/assert_close.ts";
import { expectedOf, MODELS, ONE, PLAIN, predictByOnnx } from "./export_cases.ts";
import { runSession } from "../../support/onnx_process.ts";
import { Workplace } from "../../support/run_task_process.ts";

permitted("encodeOnnx() keeps small probabilities, under one output and several", async () => {
  await using place = await Workplace.create();
  const weight = Float32Array.of(1, 0, 0, 1);
  const bias = new Float32Array(2);
  const pair = {
    ...MODELS["probabilities of numbers"],
    members: [[{ kind: "Linear", inputs: 2, outputs: 2, weight, bias }]],
  };
  const single = { kind: "Linear", inputs: 2, outputs: 1, weight: weight.slice(0, 2), bias: bias.slice(0, 1) };
  const classes = ["no", "yes"];
  const output = { kind: "classes", name: "y", classes } as const;
  const rows = [{ x1: -30, x2: 0 }, { x1: 60, x2: 40 }, { x1: 0, x2: -80 }, { x1: 2, x2: 3 }];
  const models = [
    pair,
    { ...pair, output: { ...output, outputs: 2 } },
    { ...pair, members: [[single]], output: { ...output, outputs: 1, threshold: 0.5 } },
  ] as ExportedModel[];
  for (const model of models) {
    const found = await predictByOnnx(place, model, rows);
    const numbers = found.flatMap((row) => Object.values("probabilities" in row ? row.probabilities : row) as number[]);
    const wanted = rows.flatMap((row) => Object.values(expectedOf(model, row).numbers));
    assertClose(numbers, wanted, { rtol: 1e-5, atol: 1e-37 });
  }
});

permitted("encodeOnnx() takes the texts of missing cells for the fill, even where they are categories", async () => {
  await using place = await Workplace.create();
  const model = MODELS["two classes under one output"];
  const run = async (fill: string | undefined, cells: string[]) => {
    const color = { kind: "categorical", name: "color", categories: ["a", "NA", "c"], fill } as const;
    return await predictByOnnx(place, { ...model, inputs: [color] }, cells.map((color) => ({ color })));
  };
  const [a, c, unseen, ...missing] = await run("a", ["a", "c", "x", ...MISSING_TEXTS]);
  assertEquals(missing, MISSING_TEXTS.map(() => a));
  assertEquals(new Set([a, c, unseen].map((row) => JSON.stringify(row))).size, 3);
  assertEquals(await run(undefined, ["", "NaN", "NA", "c"]), [unseen, unseen, unseen, c]);
  assertEquals(await run("(missing)", ["", "c"]), [unseen, c], "a fill that no training row had");
});

permitted("encodeOnnx() takes a number that means missing for the fill, or for NaN", async () => {
  await using place = await Workplace.create();
  const model = { ...MODELS["probabilities of numbers"], missingTexts: ["-999", "?"] };
  const run = async (fill?: number) => {
    const inputs = [{ kind: "numeric", name: "x1", fill }, { kind: "numeric", name: "x2" }] as const;
    const rows = [{ x1: -999, x2: 1 }, { x1: 3, x2: 1 }, { x1: undefined, x2: 1 }];
    return (await predictByOnnx(place, { ...model, inputs }, rows)).map((row) => (row as Record<string, number>).y);
  };
  const [missing, three, none] = await run(3);
  assertEquals([missing, none], [three, three]);
  const [bare, again] = await run();
  assertEquals([bare, again], [null, three], "JSON has null for NaN");
  const ranged = MODELS["members: numbers within ranges"];
  const inputs = ranged.inputs.map((column) => ({ ...column, fill: undefined }) as InputColumn);
  const rows = [{ year: 2000, color: "red", label: "*/" }]; // no body mass, which bins take
  const found = await predictByOnnx(place, { ...ranged, inputs }, rows);
  assertEquals(Object.values(found[0]), [null, null]);
});

permitted("encodeOnnx() names its values apart from columns, and describes itself", async () => {
  await using place = await Workplace.create();
  const names = ["numeric", "label", "label_", "Concat_9"];
  const categorical = names.map((name) => ({ kind: "categorical", name, categories: ["a"] }) as const);
  const inputs = [{ kind: "numeric", name: "age" }, ...categorical] as const;
  const { output } = MODELS["two classes under one output"];
  const layer = {
    kind: "Linear",
    inputs: 5,
    outputs: 1,
    weight: new Float32Array(5),
    bias: new Float32Array(1),
  } as const;
  const bytes = encodeOnnx({
    ...PLAIN,
    name: "a_run",
    inputs,
    scalings: inputs.map(() => ONE),
    members: [[layer]],
    output,
  });
  await place.write("model.onnx", bytes);
  const texts = Object.fromEntries(names.map((name) => [name, { width: 1, values: ["a"] }]));
  const results = await runSession(place.at("model.onnx"), { ...texts, numeric_: { width: 1, values: [1] } });
  assertEquals(Object.keys(results), ["label__", "probabilities"]);
  const text = new TextDecoder().decode(bytes);
  for (const part of [JSON.stringify(inputs), '["no","yes"]', '["age"]', "backhand", VERSION, "a_run", NAMES_NOTE]) {
    assertStringIncludes(text, part);
  }
});

Deno.test("encodeOnnx() refuses dates, and a column without a name", () => {
  const model = MODELS["probabilities of numbers"];
  const dates = ["sold", "built"].map((name) => ({ kind: "date", name, origin: 0, parts: [] }) as const);
  const cases: [ExportedModel["inputs"], string][] = [
    [[{ kind: "categorical", name: "", categories: ["a"] }], "inputs need names"],
    [dates.slice(0, 1), 'column "sold" holds dates, which a graph cannot read; export with --format ts or'],
    [dates, 'the columns "sold", "built" hold dates'],
  ];
  for (const [inputs, says] of cases) assertThrows(() => encodeOnnx({ ...model, inputs }), RangeError, says);
});

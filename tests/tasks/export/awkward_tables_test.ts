/** Tables as people have them: every export predicts what the library predicts, from the same raw cells. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { isMissing } from "../../../lib/data/cells.ts";
import type { Row } from "../../../lib/model_file/load_model.ts";
import type { InputColumn } from "../../../lib/data/table.ts";
import { TableEncoder } from "../../../lib/data/table_encoder.ts";
import type { ExportedModel } from "../../../tasks/export/exported_model.ts";
import { encodeOnnx } from "../../../tasks/export/onnx.ts";
import { permittedGpuTest } from "../../support/gpu_test_case.ts";
import { IS_PERMITTED, permitted } from "../../support/permitted.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { assertAgree, modelOf, names, TABLES, toExpected } from "./awkward_tables.ts";
import { expectedFrom, importPredict, predictByOnnx } from "./export_cases.ts";
import { python, runExport } from "./python.ts";

/** A row as a program hands it to a graph: names as NumPy writes them, numbers as numbers. */
function forGraph({ inputs, missingTexts }: ExportedModel, row: Row) {
  return Object.fromEntries(inputs.map(({ kind, name }) => {
    const cell = row[name];
    if (cell === null || cell === undefined) return [name, undefined];
    if (kind !== "numeric") return [name, typeof cell === "boolean" ? (cell ? "True" : "False") : `${cell}`];
    return [name, typeof cell === "string" && isMissing(cell, missingTexts) ? undefined : Number(cell)];
  }));
}

for (const name of Object.keys(TABLES)) {
  permittedGpuTest(`writeTypeScript() and encodeOnnx() predict as the library does: ${name}`, async (device) => {
    await using place = await Workplace.create();
    const { model, rows, wanted } = await modelOf(device, place, name);
    const predict = await importPredict(place, model);
    assertAgree(rows.map((row) => toExpected(predict(row))), wanted, rows);
    if (model.inputs.some(({ kind }) => kind === "date")) {
      assertThrows(() => encodeOnnx(model), RangeError, '"sold"');
      return;
    }
    const { beyondGraphs = [] } = TABLES[name];
    const known = rows.map((row, i) => ({ row, wanted: wanted[i] }))
      .filter(({ row }) => !Object.values(row).some((cell) => beyondGraphs.includes(cell)));
    assert(known.length > rows.length / 2);
    const found = await predictByOnnx(place, model, known.map(({ row }) => forGraph(model, row)));
    assertAgree(found.map(toExpected), known.map(({ wanted }) => wanted), known.map(({ row }) => row));
  });
}

const HAS_PYTHON = IS_PERMITTED && await python(["--version"]) !== undefined;

for (const name of HAS_PYTHON ? Object.keys(TABLES) : []) {
  permittedGpuTest(`writePython() predicts as the library does: ${name}`, async (device) => {
    await using place = await Workplace.create();
    const { model, rows, wanted } = await modelOf(device, place, name);
    const encoded: number[][] = await runExport(
      place,
      model,
      "print(json.dumps([model.encode(row) for row in given]))",
      rows,
    );
    assertAgree(encoded.map((row) => expectedFrom(model, row)), wanted, rows);
  });
}

/** Dates that there are not. */
const NO_DATES: Record<string, string[]> = {
  sold: [
    "2023-02-29",
    "2024-13-01",
    "2024-00-10",
    "2024-01-00",
    "2024-01-01T24:00",
    "2024-01-01 1:60",
    "2024-01-01 1:00:60",
  ],
  seen: ["Jan 5, 2022 0:05 AM", "Jan 5, 2022 13:05 PM", "Foo 5, 2022 1:05 AM", "2022-01-05"],
};

permittedGpuTest("writeTypeScript() and writePython() refuse the dates that the library refuses", async (device) => {
  await using place = await Workplace.create();
  const { model, rows } = await modelOf(device, place, "dates");
  const bad = Object.entries(NO_DATES).flatMap(([name, texts]) => texts.map((text) => ({ ...rows[0], [name]: text })));
  const encoder = new TableEncoder(model);
  const out = new Float64Array(encoder.names.length);
  const predict = await importPredict(place, model);
  for (const row of bad) {
    const cells = model.inputs.map(({ name }) => `${row[name]}`);
    assertThrows(() => encoder.encode(cells, out, 0), SyntaxError, "is no such date");
    assertThrows(() => predict(row), TypeError, "need a date such as");
  }
  if (!HAS_PYTHON) return;
  const problems: unknown[] = await runExport(place, model, REFUSALS, bad);
  assertEquals(problems.map((problem) => `${problem}`.includes("need a date such as")), bad.map(() => true));
});

/** Prints why each row is refused; null for one that is not. */
const REFUSALS = `
def problem(row):
    try:
        model.encode(row)
    except ValueError as error:
        return str(error)
print(json.dumps([problem(row) for row in given]))
`;

/** A row in which numbers are NumPy's, and a value for each kind of cell that pandas has. */
const PANDAS_ROWS = `
class Scalar:
    def __init__(self, value):
        self.value = value
    def item(self):
        return self.value

class NAType: pass
class NaTType(datetime.datetime): pass

noon = datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.timezone.utc)
rows = [
    {"x": Scalar(2.0), "name": Scalar(True), "day": noon, "y": 0},
    {"x": "2", "name": "true", "day": datetime.date(2024, 5, 1), "y": 0},
    {"x": float("nan"), "name": 1e20, "day": "01.05.2024"},
    {"x": NAType(), "name": 1e-7, "day": NaTType(2024, 5, 1)},
    {"x": -0.0, "name": -0.0, "day": None},
    {"x": 7, "name": Scalar(0.00001), "day": ""},
    {"x": 1e300, "name": 1.0, "day": ""},
]
bad = [
    {"x": "1,5"}, {"x": True}, {"x": float("inf")}, {"x": "\\u0661"}, {"name": []}, {"name": float("nan")},
    {"day": "2024-05-01"}, {"day": "30.02.2024"}, {"X": 1},
]
def problem(row):
    try:
        model.encode({"x": 1, "name": "True", "day": "01.05.2024", **row})
    except ValueError as error:
        return str(error)
print(json.dumps([[model.encode(row) for row in rows], [problem(row) for row in bad]]))
`;

permitted({
  name: `writePython() takes cells as pandas hands them over, and refuses others by column${
    HAS_PYTHON ? "" : " (needs python3)"
  }`,
  ignore: !HAS_PYTHON,
  fn: async () => {
    await using place = await Workplace.create();
    const categories = ["True", "1e20", "1e-7", "0", "0.00001", "1"];
    const inputs: InputColumn[] = [
      { kind: "numeric", name: "x", fill: 0.5 },
      names("name", categories),
      { kind: "date", name: "day", format: "%d.%m.%Y", origin: 19_844, parts: [], fill: 19_844 },
    ];
    const scalings = inputs.map(() => ({ shift: 0, factor: 1 }));
    const output = { kind: "probabilities", names: ["y"] } as const;
    const model = { name: "pandas", inputs, missingTexts: [], targets: ["y"], scalings, members: [[]], output };
    const [encoded, problems] = await runExport(place, model, PANDAS_ROWS);
    assertEquals(encoded, [
      [2, 0, 0.5],
      [2, 0, 0],
      [0.5, 1, 0],
      [0.5, 2, 0],
      [0, 3, 0],
      [7, 4, 0],
      [1e300, 5, 0],
    ]);
    assertEquals(problems, [
      "column 'x' is '1,5', need a finite number",
      "column 'x' is True, need a finite number",
      "column 'x' is inf, need a finite number",
      "column 'x' is '\u0661', need a finite number",
      "[] is no number and no text",
      "column 'name' is nan, need a text",
      "column 'day' is '2024-05-01', need a date such as 31.01.2026",
      "column 'day' is '30.02.2024', need a date such as 31.01.2026",
      "there is no column ['X']; the columns are ['x', 'name', 'day']",
    ]);
  },
});

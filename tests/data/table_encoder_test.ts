import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { CellError } from "../../lib/data/cells.ts";
import { MISSING_CATEGORY, type Table } from "../../lib/data/table.ts";
import { TableEncoder, TargetEncoder } from "../../lib/data/table_encoder.ts";
import { parseTable } from "../../lib/data/table_json.ts";

const TABLE: Table = {
  inputs: [
    { kind: "categorical", name: "color", categories: ["blue", "red"], fill: "blue" },
    { kind: "numeric", name: "age" },
    { kind: "numeric", name: "size", fill: 2.5 },
    { kind: "categorical", name: "brand", categories: ["x"] },
  ],
  target: { kind: "numeric", names: ["price", "tax"] },
  missing: "mean",
};

function encode(table: Table, cells: (string | undefined)[]): number[] {
  const encoder = new TableEncoder(table);
  const out = new Float64Array(encoder.names.length + 1).fill(9);
  encoder.encode(cells, out, 1);
  assertEquals(out[0], 9);
  return [...out.subarray(1)];
}

Deno.test("TableEncoder.encode() gives numbers as they are and the numbers of categories", () => {
  assertEquals(encode(TABLE, [" red ", " 1e2 ", "-.5", "x"]), [1, 100, -0.5, 0]);
});

Deno.test("TableEncoder.encode() gives an unseen category the number after the last", () => {
  assertEquals(encode(TABLE, ["green", "1", "1", "y"]), [2, 1, 1, 1]);
});

Deno.test("TableEncoder.encode() fills missing cells", () => {
  for (const cell of ["", "  ", "NA", "NaN", "null", undefined]) {
    assertEquals(encode(TABLE, [cell, "1", cell, "x"]), [0, 1, 2.5, 0]);
  }
});

Deno.test("TableEncoder.encode() takes missing cells as a category where they are one", () => {
  const column = { kind: "categorical", name: "c", fill: MISSING_CATEGORY } as const;
  const table = (categories: string[]): Table => ({ ...TABLE, inputs: [{ ...column, categories }] });
  assertEquals(encode(table(["a", MISSING_CATEGORY]), [""]), [1]);
  assertEquals(encode(table(["a", "b"]), [""]), [2]);
});

Deno.test("TableEncoder.encode() refuses cells, naming column and text", () => {
  const noFill = "no fill value: fill it in, or train with --missing mean, median or category";
  const cases: [(string | undefined)[], string][] = [
    [["red", "", "1", "x"], `column "age": the cell is empty, and the column has ${noFill}`],
    [["red", "12 kg", "1", "x"], 'column "age": "12 kg" is not a number; write it as 12'],
    [
      ["red", "?", "1", "x"],
      'column "age": "?" is not a number; if it means that a value is missing, leave the cell blank',
    ],
    [["red", "NA", "1", "x"], `column "age": the cell is "NA", and the column has ${noFill}`],
    [["red", "1", "1", undefined], `column "brand": the cell is empty, and the column has ${noFill}`],
    [["red", "old", "1", "x"], 'column "age": "old" is not a number'],
    [["red", "1", "1,5", "x"], 'column "size": "1,5" is not a number'],
    [["red", "1e999", "1", "x"], 'column "age": "1e999" is beyond the range of a number, about 1.8e308'],
    [["red", "inf", "1", "x"], 'column "age": "inf" is not finite'],
  ];
  for (const [cells, message] of cases) {
    assertEquals(assertThrows(() => encode(TABLE, cells), CellError).message, message);
  }
  assertThrows(() => encode(TABLE, ["red"]), TypeError, "Cannot encode 1 cells: the table has 4 input columns");
});

Deno.test("TargetEncoder.encode() gives values, one-hot and binary", () => {
  const out = new Float64Array(4).fill(9);
  new TargetEncoder(TABLE.target, "values").encode(["3", "-4"], out, 1);
  assertEquals([...out], [9, 3, -4, 9]);
  const target = { kind: "classes", name: "kind", classes: ["a", "b", "c"] } as const;
  const encoder = new TargetEncoder(target, "one-hot");
  encoder.encode([" b "], out, 1);
  assertEquals([...out], [9, 0, 1, 0]);
  assertEquals(encoder.names, ["a", "b", "c"]);
  const binary = new TargetEncoder({ ...target, classes: ["a", "b"] }, "binary");
  binary.encode(["b"], out, 0);
  binary.encode(["a"], out, 1);
  assertEquals([...out], [1, 0, 1, 0]);
  assertEquals(binary.names, ["kind"]);
});

Deno.test("TargetEncoder refuses other forms, missing cells and unknown classes", () => {
  const target = { kind: "classes", name: "kind", classes: ["a", "b", "c"] } as const;
  assertThrows(() => new TargetEncoder(target, "binary"), TypeError, "Cannot encode 3 classes as binary");
  assertThrows(() => new TargetEncoder(target, "values"), TypeError, "Cannot encode 3 classes as values");
  assertThrows(() => new TargetEncoder(TABLE.target, "one-hot"), TypeError, "Cannot encode numbers as one-hot");
  const encode = (cell: string) => new TargetEncoder(target, "one-hot").encode([cell], new Float64Array(3), 0);
  assertThrows(() => encode("NA"), CellError, 'column "kind": the class is missing');
  assertThrows(() => encode("d"), CellError, 'column "kind": the class "d" is in no training row; there are a, b, c');
});

Deno.test("parseTable() reads back what was written, and nothing else", () => {
  const classes: Table = { ...TABLE, target: { kind: "classes", name: "kind", classes: ["a", "b"] } };
  for (const table of [TABLE, classes]) assertEquals(parseTable(JSON.parse(JSON.stringify(table))), table);
  assertEquals(parseTable({ ...TABLE, more: 1, inputs: TABLE.inputs.map((c) => ({ ...c, more: 1 })) }), TABLE);
});

Deno.test("parseTable() refuses anything else, saying where", () => {
  const column = (column: unknown) => ({ ...TABLE, inputs: [column] });
  const target = (target: unknown) => ({ ...TABLE, target });
  const cases: [unknown, string][] = [
    [null, "it is no object"],
    [[], "it is no object"],
    [{ ...TABLE, inputs: [] }, "it has no input columns"],
    [{ ...TABLE, missing: "zero" }, 'its missing is "zero"'],
    [column(7), "input column 1 is no object"],
    [column({ kind: "numeric" }), "input column 1 has no name"],
    [column({ kind: "text", name: "a" }), 'column "a" is of the unknown kind "text"'],
    [column({ kind: "numeric", name: "a", fill: "1" }), 'the fill of column "a" is "1", need a finite number'],
    [column({ kind: "numeric", name: "a", fill: null }), 'the fill of column "a" is null, need a finite number'],
    [
      column({ kind: "categorical", name: "a", categories: ["x", "x"] }),
      'the categories of column "a" are no list of 1 or more different texts',
    ],
    [
      column({ kind: "categorical", name: "a", categories: ["x"], fill: "y" }),
      'the fill of column "a" is "y", need one of its categories',
    ],
    [target(undefined), "its target is no object"],
    [target({ kind: "numeric", names: [] }), "the names of its target are no list of 1 or more different texts"],
    [target({ kind: "classes", name: "c", classes: ["a"] }), "the classes of its target are no list of 2 or more"],
    [target({ kind: "classes", classes: ["a", "b"] }), "its target has no name"],
    [target({ kind: "numeric", names: ["age"] }), 'column "age" is there twice'],
  ];
  for (const [value, message] of cases) {
    assertThrows(() => parseTable(value), SyntaxError, `Cannot read a table: ${message}`);
  }
});

Deno.test("TableEncoder.encode() gives unseen and rare names the number after the last, and counts the unseen", () => {
  const inputs: Table["inputs"] = [
    { kind: "categorical", name: "color", categories: ["blue", "red"], shares: [0.75, 0.25] },
    { kind: "categorical", name: "brand", categories: ["x"], others: ["y", "z"] },
  ];
  const encoder = new TableEncoder({ inputs });
  const out = new Float64Array(2);
  encoder.encode(["green", "y"], out, 0);
  assertEquals([...out], [2, 1]);
  encoder.encode(["green", "w"], out, 0);
  assertEquals([...out], [2, 1]);
  encoder.encode(["teal", "x"], out, 0);
  assertEquals([...out], [2, 0]);
  assertEquals(encoder.unseen, [
    { column: "color", count: 3, first: ["green", "teal"] },
    { column: "brand", count: 1, first: ["w"] },
  ]);
});

Deno.test("TableEncoder.encode() takes equal numbers and booleans in any spelling as one name", () => {
  const inputs: Table["inputs"] = [{
    kind: "categorical",
    name: "c",
    categories: ["1.0", "True", "007"],
    shares: [1, 0, 0],
  }];
  const encoder = new TableEncoder({ inputs });
  const out = new Float64Array(1);
  const cases: [string, number][] = [["1", 0], ["true", 1], ["007", 2]];
  for (const [cell, expected] of cases) {
    encoder.encode([cell], out, 0);
    assertEquals([...out], [expected]);
  }
  assertEquals(encoder.unseen, []);
  const target = new TargetEncoder({ kind: "classes", name: "y", classes: ["0", "True"] }, "binary");
  target.encode(["true"], out, 0);
  assertEquals(out[0], 1);
});

Deno.test("TableEncoder.encode() gives dates as days, the year, and the sine and cosine of what comes again", () => {
  const origin = Date.UTC(2026, 0, 1) / 86_400_000;
  const inputs: Table["inputs"] = [
    {
      kind: "date",
      name: "d",
      format: "%d.%m.%Y %H:%M",
      origin,
      parts: ["year", "month", "weekday", "hour"],
      fill: origin,
    },
  ];
  const encoder = new TableEncoder({ inputs, missingTexts: ["?"] });
  const out = new Float64Array(8);
  encoder.encode(["31.12.2025 18:00"], out, 0); // a Wednesday
  const angles = [2 * Math.PI * 11 / 12, 2 * Math.PI * 2 / 7, 2 * Math.PI * 18 / 24];
  const expected = [-0.25, 2025, ...angles.flatMap((angle) => [Math.sin(angle), Math.cos(angle)])];
  expected.forEach((value, i) => assertAlmostEquals(out[i], value, 1e-9, encoder.names[i]));
  encoder.encode(["?"], out, 0);
  assertEquals([out[0], out[1]], [0, 2026]);
  assertThrows(
    () => encoder.encode(["banana"], out, 0),
    CellError,
    '"banana" is no such date: dates are said to be %d.%m.%Y',
  );
});

Deno.test("parseTable() reads every kind of column back, and refuses what does not fit", () => {
  const table: Table = {
    inputs: [
      { kind: "categorical", name: "a", categories: ["x", "y"], shares: [0.5, 0.5], fill: "x" },
      { kind: "categorical", name: "b", categories: ["x"], others: ["z"] },
      { kind: "date", name: "c", format: "%d.%m.%Y", origin: 19_000.5, parts: ["year", "hour"], fill: 19_000 },
      { kind: "date", name: "d", origin: 0, parts: [] },
    ],
    target: { kind: "numeric", names: ["t"] },
    missing: "mean",
    missingTexts: [],
  };
  assertEquals(parseTable(JSON.parse(JSON.stringify(table))), table);
  const [a, _b, c] = table.inputs;
  const cases: [unknown, string][] = [
    [{ ...a, shares: [1] }, 'the shares of column "a" are not 2 numbers from 0 to 1'],
    [{ ...a, others: ["z"] }, 'column "a" has both shares and others'],
    [{ ...c, origin: "now" }, 'the origin of column "c" is "now", need a finite number'],
    [{ ...c, parts: ["hour", "year"] }, 'the parts of column "c" are'],
    [{ ...c, format: "%d" }, "the date format %d has no year"],
  ];
  for (const [column, message] of cases) {
    assertThrows(() => parseTable({ ...table, inputs: [column] }), SyntaxError, message);
  }
});

Deno.test("TableEncoder.encode() takes a missing text for missing, even if it is a number or a date", () => {
  const inputs = [
    { kind: "numeric", name: "x", fill: 5 },
    { kind: "date", name: "day", origin: 0, parts: [], fill: 7 },
  ] as const;
  const out = new Float64Array(2);
  new TableEncoder({ inputs, missingTexts: ["-999", "1900-01-01"] }).encode([" -999", "1900-01-01 "], out, 0);
  assertEquals([...out], [5, 7]);
  new TableEncoder({ inputs }).encode(["-999", "1970-01-02"], out, 0);
  assertEquals([...out], [-999, 1]);
  const target = new TargetEncoder({ kind: "numeric", names: ["y"] }, "values", ["-999"]);
  assertThrows(() => target.encode(["-999"], out, 0), CellError, "the target is missing");
  const strict = new TableEncoder({ inputs: [{ kind: "numeric", name: "x" }], missingTexts: ["-999"] });
  assertThrows(
    () => strict.encode(["-999"], out, 0),
    CellError,
    'the cell is "-999", and the column has no fill value',
  );
});

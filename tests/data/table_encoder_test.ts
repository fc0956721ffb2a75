import { assertEquals, assertThrows } from "@std/assert";
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

Deno.test("TableEncoder.encode() gives numbers as they are and categories one-hot", () => {
  assertEquals(encode(TABLE, [" red ", " 1e2 ", "-.5", "x"]), [0, 1, 0, 100, -0.5, 1, 0]);
});

Deno.test("TableEncoder.encode() puts an unseen category last", () => {
  assertEquals(encode(TABLE, ["green", "1", "1", "y"]), [0, 0, 1, 1, 1, 0, 1]);
});

Deno.test("TableEncoder.encode() fills missing cells", () => {
  for (const cell of ["", "  ", "NA", "NaN", "null", undefined]) {
    assertEquals(encode(TABLE, [cell, "1", cell, "x"]), [1, 0, 0, 1, 2.5, 1, 0]);
  }
});

Deno.test("TableEncoder.encode() takes missing cells as a category where they are one", () => {
  const column = { kind: "categorical", name: "c", fill: MISSING_CATEGORY } as const;
  const table = (categories: string[]): Table => ({ ...TABLE, inputs: [{ ...column, categories }] });
  assertEquals(encode(table([MISSING_CATEGORY, "a"]), [""]), [1, 0, 0]);
  assertEquals(encode(table(["a"]), [""]), [0, 1]);
});

Deno.test("TableEncoder.encode() refuses cells, naming column and text", () => {
  const cases: [(string | undefined)[], string][] = [
    [["red", "", "1", "x"], 'column "age": the cell is empty, and the column has no fill value'],
    [["red", "NA", "1", "x"], 'column "age": the cell is "NA", and the column has no fill value'],
    [["red", "1", "1", undefined], 'column "brand": the cell is empty, and the column has no fill value'],
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

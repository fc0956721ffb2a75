import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Model } from "../../lib/core/model.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { type EmbeddedColumn, TableEmbedding } from "../../lib/tabular/table_embedding.ts";
import { gpuTest } from "../support/gpu_test_case.ts";

const NUMBER: EmbeddedColumn = { kind: "number" };
/** 0, 1, ... 16. */
const EDGES = Array.from({ length: 17 }, (_, k) => k);
const PI = Math.PI;

/** Rows of zeros with some rows set. */
function rowsOf(rows: number, columns: number, set: Record<number, number[]>): number[] {
  return Array.from({ length: rows }, (_, row) => set[row] ?? Array<number>(columns).fill(0)).flat();
}

gpuTest(
  "waves of a number, and their gradients, agree with values worked out by hand, in each member",
  async (device) => {
    const layer = new TableEmbedding({ columns: [NUMBER], numbers: "pbld", members: 2 });
    using model = new Model(device, [layer]);
    // Member 0: at x = 1 the first wave is at a quarter turn, where its cosine is 0; the others stay at cosine 1.
    model.load({
      "0.waves": rowsOf(32, 2, { 0: [0.25, 0] }),
      "0.mix": rowsOf(34, 3, { 0: [1, 2, 3], 1: [10, 0, 0], 16: [0.5, 0, -1], 33: [4, 5, 6] }),
    });
    using x = Tensor.from(device, [[1], [3]]);
    using dOut = Tensor.from(device, [[7, 1, 1, 1], [1, 2, 3, 4]]);
    using y = device.tidy(() => model.forward(x));
    const values = [...await y.read()];
    [1, 10.5, 0, -1, 3, 4, 5, 6].forEach((value, i) => assertAlmostEquals(values[i], value, 1e-5));
    using dX = device.tidy(() => model.backward(dOut, { wantDX: true })!);
    const gradients = await model.readGradients();
    // -sin u times the mixes, 1 + 2 + 3, is -6; times 2 pi x that is the frequency's, times 2 pi times the frequency it is x's.
    rowsOf(32, 2, { 0: [-12 * PI, -6] }).forEach((value, i) =>
      assertAlmostEquals(gradients["0.waves"][i], value, 1e-4)
    );
    const ones = Object.fromEntries(Array.from({ length: 34 }, (_, f) => [f, f < 17 ? [1, 1, 1] : [2, 3, 4]]));
    rowsOf(34, 3, { ...ones, 0: [0, 0, 0] }).forEach((value, i) => {
      assertAlmostEquals(gradients["0.mix"][i], value, 1e-5);
    });
    const [first, second] = await dX.read();
    assertAlmostEquals(first, 7 - 3 * PI, 1e-5);
    assertEquals(second, 1);
  },
);

gpuTest("bins fill up to the number's own; the outer ones go on, to -3 and 4", async (device) => {
  const columns: EmbeddedColumn[] = [{ kind: "number", edges: EDGES }];
  using model = new Model(device, [new TableEmbedding({ columns, numbers: "piecewise" })]);
  using x = Tensor.from(device, [[2.5], [-2], [-5], [17.5], [25]]);
  using y = device.tidy(() => model.forward(x));
  const bin = (first: number, ...others: number[]) => [first, ...others, ...Array(15 - others.length).fill(0)];
  const full = Array<number>(15).fill(1);
  assertEquals([...await y.read()], [...bin(1, 1, 0.5), ...bin(-2), ...bin(-3), ...full, 2.5, ...full, 4]);
  using dOut = Tensor.from(device, Array.from({ length: 5 }, () => EDGES.slice(1)));
  using dX = device.tidy(() => model.backward(dOut, { wantDX: true })!);
  assertEquals([...await dX.read()], [3, 1, 0, 16, 0]);
});

gpuTest("names are rows of a table that get the gradients of those that picked them", async (device) => {
  const columns: EmbeddedColumn[] = [
    { kind: "names", names: 3, width: 2, shares: [0.5, 0.25, 0.25] },
    NUMBER,
    { kind: "names", names: 2 },
  ];
  using model = new Model(device, [new TableEmbedding({ columns })]);
  model.load({ "0.table": [[1, 2], [3, 4], [5, 6]] });
  using x = Tensor.from(device, [[1, 7, 0], [3, 8, 1], [1, 9, 2], [-1, 9, 0.5]]);
  using y = device.tidy(() => model.forward(x));
  const [known, mixed, strange] = [[3, 4, 7, 1, 0], [2.5, 3.5, 8, 0, 1], [3, 4, 9, NaN, NaN]];
  assertEquals([...await y.read()].slice(0, 18), [...known, ...mixed, ...strange, NaN, NaN, 9]);
  using dOut = Tensor.from(device, [[1, 10, 5, 1, 1], [4, 8, 6, 1, 1], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]);
  using dX = device.tidy(() => model.backward(dOut, { wantDX: true })!);
  assertEquals([...(await model.readGradients())["0.table"]], [2, 4, 2, 12, 1, 2]);
  assertEquals([...await dX.read()], [0, 5, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0]);
});

gpuTest("a name never seen mixes thousands of names, and moves each by its share", async (device) => {
  const names = 9000;
  // More than an invocation may loop over, in one column; the other ends long before.
  const columns: EmbeddedColumn[] = [
    { kind: "names", names, width: 8, shares: Array.from({ length: names }, (_, name) => name < 8192 ? 2 ** -13 : 0) },
    { kind: "names", names: 2, width: 8, shares: [0.5, 0.5] },
  ];
  using model = new Model(device, [new TableEmbedding({ columns })]);
  model.load({ "0.table": Array.from({ length: names + 2 }, () => Array(8).fill(1)) });
  const count = 20;
  using x = Tensor.from(device, Array.from({ length: count }, () => [names, 2]));
  using y = device.tidy(() => model.forward(x));
  assertEquals(new Set(await y.read()), new Set([1]));
  using dOut = Tensor.full(device, [count, 16], 8192);
  device.tidy(() => void model.backward(dOut));
  const gradients = (await model.readGradients())["0.table"];
  const sums = [[0, 8192, count], [8192, names, 0], [names, names + 2, 4096 * count]];
  for (const [from, to, sum] of sums) assertEquals(new Set(gradients.slice(8 * from, 8 * to)), new Set([sum]));
});

Deno.test("TableEmbedding refuses columns that it cannot embed", () => {
  const wrong: [EmbeddedColumn[], string][] = [
    [[{ kind: "names", names: 0 }], "Cannot embed column 0: 0 categories, need at least one"],
    [[NUMBER], "Cannot embed column 0: need 17 edges in order for piecewise bins, found []"],
    [[{ kind: "number", edges: EDGES.with(4, 9) }], "need 17 edges in order for piecewise bins"],
    [[{ kind: "names", names: 2, shares: [1] }], "1 shares for 2 categories, need one from 0 to 1 for each"],
    [[{ kind: "names", names: 2, shares: [1, 2] }], "2 shares for 2 categories"],
    [
      [{ kind: "names", names: 9, width: 4 }, { kind: "names", names: 9, width: 8 }],
      "Cannot embed column 1: rows of 8 values, need at least one, and as many in all columns: 4",
    ],
  ];
  for (const [columns, message] of wrong) {
    assertThrows(() => new TableEmbedding({ columns, numbers: "piecewise" }), RangeError, message);
  }
});

gpuTest("TableEmbedding refuses rows of another length, and to run before it has a place", (device) => {
  const layer = new TableEmbedding({ columns: [NUMBER] });
  assertThrows(() => layer.outputSize(2), TypeError, "Cannot feed 2 values a row to a TableEmbedding of 1 columns");
  using x = Tensor.from(device, [[1]]);
  assertThrows(() => layer.backward(x, false), TypeError, "Cannot run TableEmbedding's backward before its forward");
  assertThrows(() => layer.forward(x), TypeError, "Cannot run a TableEmbedding: it is in no Model yet");
});

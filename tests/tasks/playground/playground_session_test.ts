/** What is behind the playground's page, without the page: rows, training, and the walk through a step. */
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DataError } from "../../../lib/base/errors.ts";
import { Matrix, type ReferenceModel } from "../../../lib/reference/mod.ts";
import { makeRows, prepare } from "../../../tasks/playground/datasets.ts";
import { decodeSafetensors } from "../../../lib/safetensors/bytes.ts";
import { checkFit, checkKind, decodeGiven } from "../../../tasks/playground/given_model.ts";
import { checkOp } from "../../../tasks/playground/op_check.ts";
import type { Op } from "../../../tasks/playground/ops_walk.ts";
import { notesText, parsePasted } from "../../../tasks/playground/pasted.ts";
import { Session } from "../../../tasks/playground/session.ts";
import { ACTIVATION_NAMES, DEFAULTS, fromHash, type Settings, toHash } from "../../../tasks/playground/settings.ts";
import { withShortKernels } from "../../../tasks/playground/serve.ts";
import { formatNumber } from "../../../tasks/show/text_table.ts";
import { gpuTest, permittedGpuTest } from "../../support/gpu_test_case.ts";
import { assertClose } from "../../support/assert_close.ts";

const SMALL: Settings = { ...DEFAULTS.xor, hidden: [3, 2], batchSize: 5 };

function dataOf({ dataset, noise, seed }: Settings) {
  return prepare(makeRows(dataset as "xor", noise, seed), seed);
}

/** The results of a pass in float64, by the names that the operations have. */
function expectedOf(model: ReferenceModel, x: Matrix, y: Matrix): Record<string, ArrayLike<number>> {
  const expected: Record<string, ArrayLike<number>> = {};
  const digits = "₀₁₂₃₄₅₆₇₈₉";
  let number = 0;
  let value = x;
  const names = model.layers.map(({ parameters }) =>
    `${parameters.length > 0 ? "z" : "a"}${digits[parameters.length > 0 ? ++number : number]}`
  );
  model.layers.forEach((layer, i) => {
    if (layer.parameters.length > 0) {
      const bias = layer.parameters[1].data.slice();
      layer.parameters[1].data.fill(0);
      expected[`p${names[i][1]}`] = layer.forward(value).data;
      layer.parameters[1].data.set(bias);
    }
    value = layer.forward(value);
    expected[names[i]] = value.data;
  });
  expected.L = [model.loss.forward(value, y)];
  let d = model.loss.backward(value, y);
  for (let i = model.layers.length - 1; i >= 0; i--) {
    expected[`d${names[i]}`] = d.data;
    d = model.layers[i].backward(d);
    if (names[i][0] !== "z") continue;
    expected[`dW${names[i][1]}`] = model.layers[i].gradients[0].data;
    expected[`db${names[i][1]}`] = model.layers[i].gradients[1].data;
  }
  return expected;
}

const NAMES = {
  forward: ["p₁", "z₁", "a₁", "p₂", "z₂", "a₂", "p₃", "z₃"],
  loss: ["L"],
  backward: ["dz₃", "dW₃", "db₃", "da₂", "dz₂", "dW₂", "db₂", "da₁", "dz₁", "dW₁", "db₁"],
};

gpuTest("Session.walk() has every operation in order, with float64's values, for each activation", async (device) => {
  for (const activation of ACTIVATION_NAMES) {
    const settings = { ...SMALL, activation };
    using session = new Session(device, dataOf(settings), settings);
    await session.train(1);
    const ops = await session.walk();
    const model = await session.reference();
    const { rows, x, y } = session.nextBatch();
    const all = Object.entries(NAMES).flatMap(([phase, names]) => names.map((name) => `${phase} ${name}`));
    assertEquals(ops.map(({ phase, name }) => `${phase} ${name}`), all);
    const expected = expectedOf(model, new Matrix(rows, 2, x), new Matrix(rows, 1, y));
    for (const { name, values, shape } of ops) {
      assertEquals(values.length, shape.reduce((product, size) => product * size, 1), `${activation} ${name}`);
      assertClose(values, expected[name], { rtol: 1e-4, atol: 1e-6 });
    }
  }
});

gpuTest("checkOp() agrees with each gradient, and not with one that is wrong", async (device) => {
  using session = new Session(device, dataOf(SMALL), SMALL);
  const ops = await session.walk();
  const model = await session.reference();
  const { rows, x, y } = session.nextBatch();
  const apart = (op: Op) =>
    Math.max(...checkOp(op, model, x, y, rows).map(({ backward, differences }) => Math.abs(backward - differences)));
  for (const op of ops.filter(({ phase }) => phase === "backward")) {
    assert(apart(op) < 1e-6, `${op.name} is ${apart(op)} apart`);
    assert(apart({ ...op, values: op.values.map((value) => 1.1 * value) }) > 1e-5, op.name);
  }
  assertEquals(checkOp(ops[0], model, x, y, rows), []);
});

gpuTest("Session.update() does the step that was walked through: w - rate * dW under sgd", async (device) => {
  const settings: Settings = { ...SMALL, optimizer: "sgd", learningRate: 0.5 };
  using session = new Session(device, dataOf(settings), settings);
  const ops = await session.walk();
  const before = await session.model.read();
  const updates = await session.update();
  assertEquals([session.step, updates.map(({ name }) => name)], [1, ["W₁", "b₁", "W₂", "b₂", "W₃", "b₃"]]);
  Object.values(before).forEach((values, i) => {
    const gradient = ops.find(({ name }) => name === `d${updates[i].name}`)!.values;
    assertClose(updates[i].values, values.map((value, j) => value - 0.5 * gradient[j]), { rtol: 1e-5, atol: 1e-7 });
  });
  assertEquals(updates[0].formula, "W₁ ← W₁ − η dW₁; η = 0.5");
});

// Small steps, which all threads of the software adapter make slow: the environment says how many.
permittedGpuTest("Session.train() learns every dataset, also with a step of a walk in between", async (device) => {
  for (const [dataset, bound] of [["cubic", 0.02], ["xor", 0.15], ["moons", 0.2], ["spiral", 0.1]] as const) {
    const settings = DEFAULTS[dataset];
    using session = new Session(device, dataOf(settings), settings);
    const { train: first } = await session.measure();
    await session.trainStep();
    await session.train(dataset === "spiral" ? 200 : 100);
    const { train } = await session.measure();
    assert(train < bound && first > 3 * bound, `${dataset}: ${first} became ${train}`);
    assertEquals(session.points.at(-1)!.step, session.step);
    assertEquals(session.step % session.stepsPerEpoch, 0);
  }
});

gpuTest("Session.encode() gives a model that predicts the same, and fits its dataset alone", async (device) => {
  using session = new Session(device, dataOf(SMALL), SMALL);
  await session.train(3);
  using saved = decodeGiven(device, await session.encode(), "a.safetensors");
  assertEquals(await saved.model.read(), await session.model.read());
  checkFit(saved, session.data.rows, "a.safetensors");
  const cubic = makeRows("cubic", 0, 1);
  const message = "it predicts x1 x2 → color, but this dataset has x → y";
  assertThrows(() => checkFit(saved, cubic, "a.safetensors"), DataError, message);
  const { table } = session.data.rows;
  const other = { ...table, target: { kind: "classes", name: "color", classes: ["red", "blue"] } } as const;
  assertThrows(() => checkFit(saved, { ...session.data.rows, table: other }, "a"), DataError, "classes orange blue");
});

gpuTest("checkKind() refuses what only models of tables have, all of it at once", async (device) => {
  using session = new Session(device, dataOf(SMALL), SMALL);
  const { metadata } = decodeSafetensors(await session.encode());
  checkKind(metadata, "a");
  const [first, ...layers] = JSON.parse(metadata.layers);
  const tabular = JSON.stringify([{ kind: "TableEmbedding" }, { kind: "ColumnDropout" }, first, ...layers]);
  const names = { kind: "categorical", name: "town", categories: ["Rome", "Paris"] };
  const table = JSON.stringify({ ...JSON.parse(metadata.table), inputs: [names] });
  const cases: [Record<string, string>, string][] = [
    [{ members: "4" }, "a: it has 4 members: the playground continues one network of numbers, of Linear layers"],
    [{ layers: tabular }, 'a: it has the layers "TableEmbedding", "ColumnDropout": the playground'],
    [
      { table, members: "4", layers: tabular },
      "a: its inputs town are dates or categories; it has 4 members; it has the",
    ],
    [{ members: "x" }, 'its members are "x"'],
  ];
  for (const [texts, says] of cases) {
    assertThrows(() => checkKind({ ...metadata, ...texts }, "a"), DataError, says);
  }
});

Deno.test("makeRows() gives the same rows for a seed, and noise moves them", () => {
  for (const name of ["cubic", "xor", "moons", "spiral"] as const) {
    assertEquals(makeRows(name, 0.1, 7), makeRows(name, 0.1, 7));
    assert(makeRows(name, 0.1, 7).x[0] !== makeRows(name, 0.1, 8).x[0]);
    const moved = name === "cubic" ? "y" : "x";
    assert(makeRows(name, 0, 7)[moved][0] !== makeRows(name, 0.5, 7)[moved][0]);
  }
  const { x, y } = makeRows("cubic", 0, 1);
  assertAlmostEquals(y[3], 0.01 * x[3] ** 3 - 0.1 * x[3] ** 2 + 2 * x[3] + 20, 1e-9);
});

Deno.test("parsePasted() knows numbers, two classes and more, categories, and what says nothing", async () => {
  const line = (_: unknown, i: number) => `${i},${i % 5},${["red", "blue"][i % 2]},same,${["a", "b", "c"][i % 3]}`;
  const lines = Array.from({ length: 12 }, line);
  const text = ["id,size,color,note,kind", ...lines].join("\r\n");
  const rows = await parsePasted(text);
  assertEquals([rows.loss, rows.x.length, rows.y.length], ["softmax", 36, 36]);
  assertEquals(rows.isOneHot, [false, true, true]);
  // The page's network is plain: a column of numbers for each category.
  assertEquals(rows.table.inputs.map(({ kind, name }) => `${kind} ${name}`), [
    "numeric size",
    "numeric color=blue",
    "numeric color=red",
  ]);
  assertEquals([...rows.x.subarray(0, 6)], [0, 0, 1, 1, 1, 0]);
  assertEquals(notesText(rows.notes!), "Left out: id (it identifies the rows), note (only one value).");
  assertEquals((await parsePasted(text, "color")).loss, "bce");
  assertEquals((await parsePasted(text, "size")).loss, "mse");
  const data = prepare(rows, 1);
  assertEquals([data.training.length, data.validation.length], [9, 3]);
});

Deno.test("parsePasted() notes what each column is taken as, and what it filled in", async () => {
  const lines = Array.from(
    { length: 12 },
    (_, i) => `${i === 2 ? "" : 1.5 + i % 2},${i < 3 ? "NA" : "ab"[i % 2]},${i * i}`,
  );
  const { notes, table } = await parsePasted(["a,b\u200b,y", ...lines].join("\n"));
  assertEquals(notes!.columns.map(({ as, holds, missing }) => `${as}: ${holds}: ${missing}`), [
    "numeric: 1.5 to 2.5: 1",
    "categorical: a, b: 3",
    "target: 0 to 121: 0",
  ]);
  const filled = formatNumber(Number(table.inputs[0].fill));
  assertEquals(
    notesText(notes!),
    `a: 1 missing cell is filled with the mean ${filled}. ` +
      "b\\u200b: 3 missing cells are filled with the most frequent name, b.",
  );
});

Deno.test("parsePasted() says why a column is left out, and refuses such a target by the same reason", async () => {
  const dates = "dates: only `deno task train` takes them";
  const cases: [name: string, cell: (i: number) => string, reason: string][] = [
    ["day", (i) => `2024-01-${10 + i}`, dates],
    ["date", (i) => `${13 + i}.1.2024`, dates],
    ["price", (i) => i === 3 ? "$5" : `${i}`, 'numbers and other texts, such as "$5"'],
    ["hole", (i) => i === 4 ? "?" : `${i}`, 'its numbers have placeholders among them, such as "?"'],
    ["prose", (i) => i === 5 ? "x".repeat(1001) : "y", "its texts are too long or too many"],
  ];
  const header = ["x", ...cases.map(([name]) => name)].join(",");
  const lines = Array.from({ length: 12 }, (_, i) => [i * i, ...cases.map(([_, cell]) => cell(i))].join(","));
  const { notes } = await parsePasted([`y,${header}`, ...lines.map((line, i) => `${i},${line}`)].join("\n"), "y");
  assertEquals(notes!.columns.slice(2).map(({ holds }) => holds), cases.map(([_1, _2, reason]) => reason));
  const text = [header, ...lines].join("\n");
  for (const [name, _, reason] of cases.slice(2, 4)) {
    await assertRejects(() => parsePasted(text, name), DataError, `column "${name}": ${reason}`);
  }
});

Deno.test("parsePasted() says what is wrong with a text, and where", async () => {
  const good = ["x,y", ...Array.from({ length: 6 }, (_, i) => `${i},${i * i}`)].join("\n");
  const cases: [text: string, says: string][] = [
    ["", "the file is empty"],
    ["x\n1\n2\n", "one column"],
    [`${good}\n7`, "the pasted CSV:8: this row has 1 cell, the header has 2"],
    [`${good}\n7,`, 'the pasted CSV:8, column "y"'],
    ["x,y\n1,2\n", "1 rows are too few"],
    ["x,y\n1,2\n1,3\n1,4\n1,5\n1,6\n", "no column is left"],
    [`${good}\n"8,9`, "a quote is out of place"],
    ["1,2\n3,4\n", "a header with the names"],
  ];
  for (const [text, says] of cases) await assertRejects(() => parsePasted(text), DataError, says);
});

Deno.test("fromHash() reads what toHash() wrote, and takes defaults for what is wrong", () => {
  const settings: Settings = { ...DEFAULTS.moons, hidden: [4, 5], learningRate: 1e-3 };
  assertEquals(fromHash(toHash(settings)), settings);
  assertEquals(fromHash("#dataset=spiral&noise=7&hidden=0&batchSize=x&seed=-1&constructor=3"), DEFAULTS.spiral);
  assertEquals(fromHash("#hidden="), { ...DEFAULTS.cubic, hidden: [] });
});

Deno.test("withShortKernels() takes comments and indentation out of kernels, and leaves all else", () => {
  const script = "let a=`// head\n\nfn f() {\n  let x = 1; // why\n    // more\n}\n`,b=`  // ${a}\n  c`,c=a/b//2\n;";
  assertEquals(withShortKernels(script), "let a=`fn f() {\nlet x = 1;\n}`,b=`  // ${a}\n  c`,c=a/b//2\n;");
});

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { readConfig } from "../../../tasks/settings/config.ts";
import { makeRows } from "../../../tasks/prepare/generate.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

function rowsOf(args: string): number[][] {
  const config = readConfig("gen-data", args.split(" "), { env: () => undefined, dotenv: "" });
  return [...makeRows(config)].flat();
}

Deno.test("makeRows() follows the cubic, with normal noise beside it", () => {
  const clean = rowsOf("--recipe cubic --num-dataset 5000");
  assertEquals(clean.length, 5000);
  for (const [x, y] of clean) {
    assert(x >= -100 && x < 100);
    assert(Math.abs(y - (((0.01 * x - 0.1) * x + 2) * x + 20)) < 1e-9);
  }
  assert(Math.min(...clean.map(([x]) => x)) < -99 && Math.max(...clean.map(([x]) => x)) > 99);

  const noisy = rowsOf("--recipe cubic --num-dataset 5000 --noise 3");
  assertEquals(noisy.map(([x]) => x), clean.map(([x]) => x));
  const squares = noisy.reduce((sum, [_, y], i) => sum + (y - clean[i][1]) ** 2, 0);
  // A standard error of 0.03.
  assert(Math.abs(Math.sqrt(squares / 5000) - 3) < 0.15);
});

Deno.test("makeRows() follows the line, with uniform noise beside it", () => {
  const rows = rowsOf("--recipe linear");
  const errors = rows.map(([x, y]) => {
    assert(x >= -5 && x < 5);
    return y - (2 * x + 1);
  });
  assertEquals(errors.length, 1000);
  assert(errors.every((error) => Math.abs(error) <= 0.1 + 1e-12));
  assert(Math.max(...errors) > 0.09 && Math.min(...errors) < -0.09);
  // The noise knows nothing of x: their mean product has a standard error of 0.005.
  assert(Math.abs(errors.reduce((sum, error, i) => sum + error * rows[i][0], 0) / 1000) < 0.025);
});

Deno.test("makeRows() repeats the four rows of xor", () => {
  const four = [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]];
  assertEquals(rowsOf("--recipe xor"), four);
  assertEquals(rowsOf("--recipe xor --num-dataset 10"), [...four, ...four, four[0], four[1]]);
});

permitted("gen-data gives the same bytes for the same settings, others for others", async () => {
  await using folder = await Workplace.inSeries("gen-data");
  const make = async (...args: string[]) => {
    assertEquals((await folder.succeed("gen-data", ["--num-dataset", "9000", ...args])).stderr, "");
    return await folder.read("data/cubic.csv");
  };
  const first = await make();
  assertEquals(first.split("\r\n").length, 9002);
  assertEquals(first.slice(0, 5), "x,y\r\n");
  const other = await make("--seed", "7");
  assertNotEquals(other, first);
  assertEquals(await make("--seed", "42"), first);
  assertNotEquals(await make("--noise", "1"), first);
  assertEquals(Object.keys(await folder.digests("data")).sort(), ["cubic.csv", "cubic.csv.json"]);
});

permitted("gen-data skips a dataset that is there, unless told to make it anew", async () => {
  await using folder = await Workplace.inSeries("gen-data");
  await folder.run("gen-data", ["--recipe", "xor"]);
  const mtime = () => Deno.statSync(`${folder.path}/data/xor.csv`).mtime!.getTime();
  const before = mtime();
  const again = await folder.run("gen-data", ["--recipe", "xor"]);
  assertEquals(again.stdout, "data/xor.csv is there, made with these settings: nothing to do\n");
  assertEquals(mtime(), before);
  const anew = await folder.run("gen-data", ["--recipe", "xor", "--generate-dataset"]);
  assert(anew.stdout.startsWith("wrote data/xor.csv: 4 rows"), anew.stdout);
  assertNotEquals(mtime(), before);
  const other = await folder.run("gen-data", ["--recipe", "xor", "--num-dataset", "8"]);
  assert(other.stdout.startsWith("data/xor.csv was made with another NUM_DATASET"), other.stdout);
});

permitted("gen-data does not write over somebody's own file, unless told to", async () => {
  await using folder = await Workplace.inSeries("gen-data");
  const refused = async () => {
    const { code, stdout, stderr } = await folder.run("gen-data", ["--recipe", "xor"]);
    assertEquals([code, stdout], [1, ""]);
    assert(stderr.startsWith("error: data/xor.csv is there and was not made by gen-data"), stderr);
    assertEquals(await folder.read("data/xor.csv"), "mine\n");
  };
  await folder.write("data/xor.csv", "mine\n");
  await refused();
  await folder.run("gen-data", ["--recipe", "xor", "--generate-dataset"]);
  assertEquals((await folder.read("data/xor.csv")).split("\r\n").length, 6);
  // Made by gen-data, then changed.
  await folder.write("data/xor.csv", "mine\n");
  await refused();
});

permitted("gen-data that cannot write its note leaves the dataset before it, and no half of one", async () => {
  const files = { "data/cubic.csv.json.partial/in the way": "", "data/cubic.csv": "kept" };
  await using folder = await Workplace.inSeries("gen-data", files);
  await folder.refuse(1, ["irectory"], "gen-data", ["--num-dataset", "10", "--generate-dataset"]);
});

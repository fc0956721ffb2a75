import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { openScaledDataset } from "../../../tasks/prepare/scaled_dataset.ts";
import { Splitter } from "../../../tasks/prepare/split.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const SCALED = "data/cubic.scaled.safetensors";

/** y = 3 x - 1 over distinct x, so that every row can be told by its x. */
function lineCsv(count: number): string {
  return "x,y\n" + Array.from({ length: count }, (_, i) => `${i},${3 * i - 1}\n`).join("");
}

Deno.test("Splitter gives every row exactly one part, as close to the shares as can be", () => {
  const shares = fc.tuple(fc.nat(100), fc.nat(100), fc.nat(100)).filter(([a]) => a > 0);
  const blocks = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 12 });
  fc.assert(fc.property(shares, blocks, fc.nat(), ([a, b, c], blocks, seed) => {
    const total = a + b + c;
    const splitter = new Splitter([a / total, b / total, c / total], seed);
    const parts = blocks.flatMap((count) => [...splitter.assign(count)]);
    const n = blocks.reduce((sum, count) => sum + count, 0);
    assertEquals(parts.length, n);
    const counts = [0, 1, 2].map((part) => parts.filter((value) => value === part).length);
    assertEquals(counts, splitter.counts);
    const wanted = [a, b, c].map((share) => share / total * n);
    // One row at most in a single block; a short last block may leave another.
    const slack = blocks.length === 1 ? 1 : 2;
    wanted.forEach((rows, part) => assert(Math.abs(counts[part] - rows) < slack + 1e-9));
    if (n % total === 0) assertEquals(counts, wanted.map(Math.round));
    if (c === 0) assertEquals(counts[2], 0);
  }));
});

Deno.test("Splitter draws anew for each block and seed", () => {
  const splitter = new Splitter([0.5, 0.5, 0], 1);
  const first = splitter.assign(100);
  const second = splitter.assign(100);
  assertNotEquals(first, second);
  assertEquals(new Splitter([0.5, 0.5, 0], 1).assign(100), first);
  assertNotEquals(new Splitter([0.5, 0.5, 0], 2).assign(100), first);
  // 50 each, in any place: each half of the block holds 25 with a standard deviation of 2.5.
  const inFirstHalf = first.slice(0, 50).reduce((sum, part) => sum + part, 0);
  assert(inFirstHalf > 12 && inFirstHalf < 38);
});

permitted("scale writes every row once, scaled by the training rows alone", async () => {
  await using folder = await Workplace.inSeries("scale", { "data/cubic.csv": lineCsv(10_000) });
  const { stdout, stderr } = await folder.succeed("scale");
  assertEquals(stderr, "");
  assertEquals(stdout.split("\n")[0], `${SCALED}: 8000 training, 1000 validation and 1000 test rows`);

  // Of the training rows alone: with the others the mean would be a few thousandths off.
  const [_1, _2, _3, meanAfter, deviationAfter] = stdout.split("\n")[3].trim().split(/ +/);
  assert(Math.abs(Number(meanAfter)) < 1e-6);
  assertEquals(deviationAfter, "1");

  using dataset = await openScaledDataset(`${folder.path}/${SCALED}`);
  const { features, targets, scalers, parts } = dataset;
  assertEquals([features, targets], [["x"], ["y"]]);
  assertEquals([parts.train.rows, parts.validation.rows, parts.test.rows], [8000, 1000, 1000]);
  const blocks = await Promise.all(Object.values(parts).map((part) => part.read(0, part.rows)));
  const raw = blocks.map(({ x, y }) => {
    const xs = [...scalers.inputs.inverse(x)].map(Math.round);
    scalers.targets.inverse(y).forEach((value, i) => assertAlmostEquals(value, 3 * xs[i] - 1, 1e-2));
    return xs;
  });
  assertEquals(raw.flat().sort((a, b) => a - b), Array.from({ length: 10_000 }, (_, i) => i));

  const [train] = raw;
  const mean = train.reduce((sum, x) => sum + x, 0) / train.length;
  const deviation = Math.sqrt(train.reduce((sum, x) => sum + (x - mean) ** 2, 0) / train.length);
  assertAlmostEquals(scalers.inputs.columns[0].mean, mean, 1e-8);
  assertAlmostEquals(scalers.inputs.columns[0].deviation, deviation, 1e-8);
  assert(mean !== 4999.5, "the statistics of all rows would pass this test too");
});

permitted("scale prints each column before and after", async () => {
  await using folder = await Workplace.inSeries("scale", { "data/cubic.csv": "x,y\n0,-2\n4,2\n2,0\n2,4\n" });
  const { stdout } = await folder.run("scale", ["--split", "1,0,0", "--scaling-method", "minmax"]);
  assertEquals(stdout.trimEnd().split("\n").slice(1).map((line) => line.trim().split(/ +/)), [
    ["column", "min", "max", "mean", "deviation"],
    ["x", "before", "0", "4", "2", "1.41421"],
    ["after", "0", "1", "0.5", "0.353553"],
    ["y", "before", "-2", "4", "1", "2.23607"],
    ["after", "0", "1", "0.5", "0.372678"],
  ]);
});

permitted("scale gives the same bytes for the same settings", async () => {
  await using folder = await Workplace.inSeries("scale", { "data/cubic.csv": lineCsv(50) });
  const scale = async (...args: string[]) => {
    await folder.succeed("scale", args);
    return await folder.read(SCALED);
  };
  const first = await scale();
  assertNotEquals(await scale("--seed", "1"), first);
  assertEquals(await scale(), first);
});

permitted("scale leaves classes alone under loss bce, and wants them from 0 to 1", async () => {
  await using folder = await Workplace.inSeries("scale", { "data/xor.csv": "x1,x2,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n" });
  await folder.succeed("scale", ["--recipe", "xor", "--scaling-method", "standardize"]);
  using dataset = await openScaledDataset(`${folder.path}/data/xor.scaled.safetensors`);
  const { scalers, parts } = dataset;
  assertEquals([scalers.inputs.method, scalers.targets.method], ["standardize", "none"]);
  assertEquals(await parts.train.read(0, 4), {
    x: Float32Array.of(-1, -1, -1, 1, 1, -1, 1, 1),
    y: Float32Array.of(0, 1, 1, 0),
  });
  assertEquals([parts.test.rows, parts.test.inputs], [0, 2]);

  await folder.write("data/xor.csv", "x1,x2,y\n0,0,0\n\n0,1,2\n");
  const { code, stderr } = await folder.run("scale", ["--recipe", "xor"]);
  assertEquals(code, 1);
  assertEquals(stderr, 'error: data/xor.csv:4, column "y": the target is 2: loss bce needs targets from 0 to 1\n');
});

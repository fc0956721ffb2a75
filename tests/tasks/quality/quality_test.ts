/** deno task quality in its short form, and that it sees what it is there for. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { errorsOf, type Result } from "../../../tasks/quality/measure.ts";
import { readOptions } from "../../../tasks/quality/options.ts";
import { faultsOf, formatResults } from "../../../tasks/quality/results.ts";
import { NAMES } from "../../../tasks/quality/tables.ts";
import { ConfigError } from "../../../tasks/settings/config.ts";
import { permitted } from "../../support/permitted.ts";
import { pathInProject, Workplace } from "../../support/run_task_process.ts";

/** A result on a table of classes. */
function resultOf(error: number, logLoss: number, seed = 1): Result {
  const limits = { error: 0.1, logLoss: 0.5 };
  const baseline = { error: 0.6, logLoss: 1.1 };
  return { table: "iris", seed, rows: 30, errors: { error, logLoss }, baseline, limits, seconds: 1.25 };
}

Deno.test("readOptions() reads the flags, and names all that is wrong", () => {
  const all = { tables: NAMES, seeds: 3, set: {}, folder: undefined, output: undefined, json: false };
  assertEquals(readOptions([]), all);
  assertEquals(readOptions(["--tables", "iris,cars", "--seeds=1", "--json"]), {
    ...all,
    tables: ["iris", "cars"],
    seeds: 1,
    json: true,
  });
  assertEquals(readOptions(["--folder=f", "--output=g", "--set", "hidden-size=64,32,DROPOUT=0"]), {
    ...all,
    tables: [],
    seeds: 1,
    folder: "f",
    output: "g",
    set: { "--hidden-size": "64,32", "--dropout": "0" },
  });
  const wrong: [string, string][] = [
    ["--tables=irs", "--tables: no table irs; the nearest is iris"],
    ["--seeds=0", '--seeds is "0": allowed is a whole number from 1 to 100'],
    ["--set=drop-out=0", "--set: quality takes no drop-out; the nearest is dropout"],
    ["--set=seed=2", "--set: quality takes no seed; the nearest is"],
    ["--set=dropout", '--set: "dropout" gives no setting a value, as members=1 does'],
    ["--output=g", "--output: predictions are written only with --folder"],
    ["--json=yes", '--json is "yes": it takes no value'],
    ["--fast", "--fast: unknown flag"],
  ];
  for (const [flag, says] of wrong) {
    const { faults } = assertThrows(() => readOptions([flag]), ConfigError);
    assertEquals([faults.length, faults[0].startsWith(says)], [1, true], faults.join("\n"));
  }
  assertEquals(assertThrows(() => readOptions(wrong.map(([flag]) => flag)), ConfigError).faults.length > 5, true);
});

Deno.test("faultsOf() names each error over its limit, and one that is no number", () => {
  assertEquals(faultsOf([resultOf(0.1, 0.5)]), []);
  assertEquals(faultsOf([{ ...resultOf(9, 9), limits: undefined }]), []);
  assertEquals(faultsOf([resultOf(0.1001, 0.4), resultOf(0, NaN, 2)]), [
    "iris, seed 1: error is 0.1001, and may be 0.1000 at most",
    "iris, seed 2: log-loss is NaN, and may be 0.5000 at most",
  ]);
  assertEquals(errorsOf({ r2: 0.75, loss: 3 }), { error: 0.5 });
  assertEquals(errorsOf({ r2: 0.75, loss: 3, accuracy: 0.75 }), { error: 0.25, logLoss: 3 });
});

Deno.test("formatResults() shows each training, and means and deviations over seeds", () => {
  const [one, ...more] = formatResults([resultOf(0.1, 0.5)]).split("\n").slice(1);
  assertMatch(one, /^iris +1 +30 +0\.1000 +0\.1000 +0\.6000 +0\.5000 +0\.5000 +1\.1000 +1\.3$/);
  assertEquals(more, []);
  const spread = formatResults([resultOf(0.1, 0.5), resultOf(0.2, 0.5, 2), resultOf(0.3, 0.5, 3)]).split("\n").at(-1)!;
  assertMatch(spread, /^iris +3 +0\.2000 +0\.1000 +0\.5000 +0\.5000 +0\.0000 +0\.5000$/);
});

permitted("tables.lock pins the tables' packages; deno.lock leaves them out", async () => {
  const script = await Deno.readTextFile(pathInProject("tasks/quality/npm_tables.ts"));
  const packages = [...script.matchAll(/"(npm:@?[^/"]+(?:\/[^/"]+)?@[^/"]+)/g)].map(([_, specifier]) => specifier);
  const pinned = async (path: string) => JSON.parse(await Deno.readTextFile(pathInProject(path))).specifiers;
  assertEquals(Object.keys(await pinned("tasks/quality/tables.lock")).sort(), [...new Set(packages)].sort());
  const everywhere = await pinned("deno.lock");
  assertEquals(packages.filter((specifier) => specifier in everywhere), []);
});

permitted("quality: the defaults keep to the limits of two tables, a training that is too short does not", async () => {
  await using place = await Workplace.create();
  const { stdout } = await place.succeed("quality", ["--tables=iris,penguins", "--seeds=1", "--json"]);
  const { results, faults }: { results: Result[]; faults: string[] } = JSON.parse(stdout);
  assertEquals(faults, []);
  assertEquals(results.map(({ table, seed, rows }) => [table, seed, rows]), [["iris", 1, 30], ["penguins", 1, 68]]);
  for (const { limits, baseline } of results) assert(limits!.error < baseline.error / 2, "limits that hold nothing");

  const short = ["--tables=iris", "--seeds=1", "--set=num-epochs=1,learning-rate=1e-9"];
  const failing = ["--tables=iris", "--seeds=1", "--set=dropout=2"];
  const cases: [string, string[]][] = [["error: iris, seed 1: log-loss is ", short], ['--dropout is "2"', failing]];
  for (const [says, args] of cases) {
    const { code, stderr } = await place.run("quality", args, { TMPDIR: place.path });
    assertEquals(code, 1);
    assertStringIncludes(stderr, says);
  }
  assertEquals(await place.digests(), {}, "files are left behind");
});

permitted("quality --folder writes predictions of the test rows, and says what a folder lacks", async () => {
  const rows = (count: number) =>
    ["x,y", ...Array.from({ length: count }, (_, i) => `${i},${2 * i + 0.5}`), ""].join("\n");
  const parts = { "f/a/train.csv": rows(40), "f/a/val.csv": rows(10), "f/a/test.csv": rows(12) };
  await using place = await Workplace.create({ ...parts, "f/note.txt": "no table", "g/b/train.csv": rows(9) });
  const narrow = "--set=num-epochs=1,members=1,hidden-size=4,numeric-embedding=none";
  const args = ["--folder=f", "--output=out", "--seeds=2", narrow];
  assertMatch((await place.succeed("quality", args)).stdout, /^a +1 +12 +\d\.\d+ +- /m);
  for (const name of ["out/a.csv", "out/seed_2/a.csv"]) {
    const [header, ...lines] = (await place.read(name)).trim().split(/\r?\n/);
    assertStringIncludes(header, "predicted_y");
    assertEquals(lines.length, 12);
  }
  await place.refuse(1, ["b has no val.csv and no val.csv.gz"], "quality", ["--folder=g"]);
  await place.refuse(2, ["--tables: f has no table c; it has a"], "quality", ["--folder=f", "--tables=c"]);
});

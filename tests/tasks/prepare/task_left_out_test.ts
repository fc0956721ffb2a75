/** Columns that say nothing in the training rows, texts that mean missing, and what scale tells as JSON. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openScaledDataset } from "../../../tasks/prepare/scaled_dataset.ts";
import { assertClose } from "../../support/assert_close.ts";
import { permitted } from "../../support/permitted.ts";
import { Workplace } from "../../support/run_task_process.ts";

/** What `scale --json` prints. */
interface Told {
  path: string;
  counts: Record<string, number>;
  columns: { name: string; as: string; holds: string; missing: number }[];
  notes: string[];
}

async function told(place: Workplace, ...flags: string[]): Promise<Told> {
  const { stdout, stderr } = await place.succeed("scale", ["--data", "t.csv", "--target", "y", "--json", ...flags]);
  assertEquals(stderr, "");
  return JSON.parse(stdout);
}

/** That all of these are among the notes. */
function assertNotes({ notes }: Told, ...expected: string[]): void {
  assertEquals(notes.filter((note) => expected.includes(note)), expected);
}

const csv = (header: string, rows: number, row: (i: number) => string) =>
  `${header}\n${Array.from({ length: rows }, (_, i) => row(i)).join("\n")}\n`;

permitted(
  "a column that is constant in the training rows is left out under any seed and scaling, and told",
  async () => {
    // Flag and kind differ in the last row alone, and the third column by rounding.
    const table = csv("flag,kind,near,x,y", 40, (i) => {
      const isLast = i === 39;
      return [isLast ? 1 : 0, isLast ? "new" : "old", i === 3 ? "14.620000000000001" : "14.62", i, 2 * i].join(",");
    });
    await using place = await Workplace.inSeries("scale", { "t.csv": table });
    const leftOut = new Set<string>();
    for (const seed of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) {
      const method = ["standardize", "minmax", "none"][seed % 3];
      const { path, columns, notes } = await told(place, "--seed", `${seed}`, "--scaling-method", method);
      using dataset = await openScaledDataset(place.at(path));
      const used = columns.filter(({ as }) => as === "numeric" || as === "categorical").map(({ name }) => name);
      assertEquals(dataset.table.inputs.map(({ name }) => name), used);
      assertEquals(dataset.notes, { columns, notes });
      const flag = columns.find(({ name }) => name === "flag")!;
      if (flag.as === "left out") {
        assertEquals([flag.holds, used], ["0 in all 36 training rows", ["x"]]);
        assertEquals(columns.find(({ name }) => name === "kind")!.holds, "old in all 36 training rows");
      } else assertEquals(used, ["flag", "kind", "x"]);
      const { x, y } = await dataset.parts.train.read(0, 36);
      const inputs = dataset.scalers.inputs.inverse(x).filter((_, i) => (i + 1) % dataset.features.length === 0);
      assertClose(dataset.scalers.targets.inverse(y), inputs.map((value) => 2 * value), { rtol: 1e-5, atol: 1e-5 });
      assertStringIncludes(columns.find(({ name }) => name === "near")!.holds, "in all 36 training rows");
      leftOut.add(flag.as);
    }
    assertEquals(leftOut.size, 2, "the last row trains under some seeds alone");
  },
);

permitted("scale --json prints path, counts, columns and notes, and nothing else", async () => {
  const table = csv("x,k,y", 20, (i) => `${i % 4 ? i : ""},${"abc"[i % 3]},${i}`);
  await using place = await Workplace.inSeries("scale", { "t.csv": table });
  const found = await told(place, "--missing", "median", "--max-categories", "2", "--split", "1,0,0");
  assertEquals(Object.keys(found), ["path", "counts", "columns", "notes"]);
  assertEquals([found.path, found.counts], ["data/t.scaled.safetensors", { train: 20, validation: 0, test: 0 }]);
  assertEquals(found.columns, [
    { name: "x", as: "numeric", holds: "1 to 19", missing: 5 },
    { name: "k", as: "categorical", holds: "a, b, c", missing: 0 },
    { name: "y", as: "target", holds: "0 to 19", missing: 0 },
  ]);
  const filled = "x: 5 missing cells are filled with the median 10";
  assertNotes(
    found,
    filled,
    "k: of the 3 names in training rows each of the 2 most frequent is a category, the others share one (--max-categories)",
  );
  await place.succeed("gen-data", ["--recipe", "xor"]);
  const { stdout } = await place.succeed("scale", ["--recipe", "xor", "--json"]);
  const { path, counts, columns, notes } = JSON.parse(stdout);
  assertEquals([path, counts.train, columns, notes], ["data/xor.scaled.safetensors", 4, [], []]);
  await place.refuse(2, ['--json is "perhaps": allowed is true or false'], "scale", ["--json=perhaps"]);
});

permitted("texts that mean missing are those that are said", async () => {
  const table = csv("land,n,y", 30, (i) => `${["NA", "DE", "FR"][i % 3]},${i % 5 ? i : -999},${i}`);
  await using place = await Workplace.inSeries("scale", { "t.csv": table });
  const filled = await told(place, "--missing-texts", "-999", "--missing", "mean", "--split", "1,0,0");
  using dataset = await openScaledDataset(place.at(filled.path));
  const [land, n] = dataset.table.inputs;
  assertEquals(dataset.table.missingTexts, ["-999"]);
  assert(land.kind === "categorical");
  assertEquals(land.categories, ["DE", "FR", "NA"]);
  assertEquals([n.fill, dataset.scalers.inputs.columns.at(-1)!.min], [15, 1]);
  assertNotes(filled, "n: 6 missing cells are filled with the mean 15");

  const dropped = await told(place, "--missing-texts", "-999,NA", "--missing", "drop", "--split", "1,0,0");
  assertEquals(dropped.counts.train, 16);
  assertNotes(dropped, "14 rows with missing cells are left out");
  await place.succeed("scale", ["--data", "t.csv", "--target", "y", "--missing", "drop"]);
  using usual = await openScaledDataset(place.at(dropped.path));
  assertEquals(usual.table.missingTexts, undefined);
});

/** Tables in a folder of CSV files, as their users name them: trained on, measured on and predicted from. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Random } from "../../../lib/base/random.ts";
import { readSafetensors, readSafetensorsHeader } from "../../../lib/safetensors/reader.ts";
import { parsePredictions, stagesOf, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

/** Rows of a plane. */
function rows(from: number, count = 40): string {
  const row = (i: number) => `${i % 7},${i % 5},${2 * (i % 7) - (i % 5)}`;
  return `a,b,y\n${Array.from({ length: count }, (_, i) => row(from + i)).join("\n")}\n`;
}

/** Houses: numbers, categories whose texts hold line breaks, missing cells, and an identifier that goes up. */
function odd(rows: number): string {
  const random = new Random(7, "houses");
  const pick = (...of: string[]) => of[Math.floor(random.uniform(0, of.length))];
  const lines = Array.from({ length: rows }, (_, i) => [
    i + 1,
    pick(`${random.normal(100, 20)}`, `${Math.round(random.uniform(0, 9))}`, "", "NA"),
    pick("1", "1.0", "2", " 3"),
    pick("brick", '"wo\nod"', '"stone, ""old"""', i > rows / 2 ? "late" : "brick", ""),
    i * 1.5 + random.normal(),
  ]);
  return `id,area,rooms,wall,price\r\n${lines.map((line) => line.join(",")).join("\r\n")}`;
}

const TABLE = ["--data", "plane", "--target", "y"];
const SHORT = ["--num-epochs", "2"];

permitted("train, evaluate and predict take a folder of CSV files", async () => {
  const files = {
    "plane/2024.csv": rows(0),
    "plane/2025.csv": rows(40),
    "more/a.csv": rows(3, 9),
    "more/b.csv": rows(5, 2),
  };
  await using place = await Workplace.inSeries("train", files);
  const first = await place.succeed("train", [...TABLE, ...SHORT, "--validation", "more"]);
  assertEquals(stagesOf(first), { scale: "wrote" });
  assertStringIncludes(first.stdout, "plane.scaled.safetensors: 80 training, 11 validation and 0 test rows");
  const { metadata } = await readSafetensorsHeader(place.at("data/runs/default_run/model.safetensors"));
  assertMatch(metadata.source, /^\{"name":"plane","sha256":"[0-9a-f]{64}"\}$/);
  assertEquals(stagesOf(await place.succeed("train", [...TABLE, ...SHORT, "--validation", "more"])), {
    scale: "skipped",
  });

  const { stdout } = await place.succeed("evaluate", ["--data", "more", "--json"]);
  assertEquals(JSON.parse(stdout).rows, 11);
  const predicted = await place.succeed("predict", ["--input", "more"]);
  assertEquals(parsePredictions(predicted).rows.map(([a, b]) => [a, b]).slice(8), [[4, 1], [5, 0], [6, 1]]);
  const same = "--output more/b.csv is the same file as --input more/b.csv: give it another name";
  await place.refuse(2, [same], "predict", ["--input", "more", "--output", "more/b.csv"]);
  const within = "--output more/new.csv would be a file of the table in --input more: put it elsewhere";
  await place.refuse(2, [within], "predict", ["--input", "more", "--output", "more/new.csv"]);
});

permitted("scale and train refuse a folder that is no table", async () => {
  await using place = await Workplace.inSeries("train", { "plane/a.csv": rows(0), "empty/plane.txt": rows(0) });
  const none = ["Cannot read empty: it is a folder without tables (*.csv, "];
  await place.refuse(1, none, "train", ["--data", "empty", "--target", "y"]);
  await place.write("plane/b.csv", rows(0).replace("a,b,y", "a,c,y"));
  const differs = [
    'plane/b.csv: its header is "a,c,y", and that of plane/a.csv is "a,b,y": all files of a folder need',
  ];
  await place.refuse(1, differs, "scale", TABLE);
});

permitted("scale makes of a folder what it makes of its files put together", async () => {
  const [header, ...rows] = odd(500).split(/(?<=\r\n)/);
  const whole = header + rows.join("");
  // Cut at rows: the cells with line breaks have LF alone. One file has no row, one no last line end.
  const cuts = [0, 3, 3, 90, 91, 400, rows.length];
  const parts: Record<string, string> = {};
  for (let i = 1; i < cuts.length; i++) {
    const text = (i === 3 ? "\ufeff" : "") + header + rows.slice(cuts[i - 1], cuts[i]).join("");
    parts[`odd/part ${i}.csv`] = i === 4 ? text.trimEnd() : text;
  }
  await using place = await Workplace.inSeries("train", { "odd.csv": whole, ...parts });
  for (const missing of ["drop", "median"]) {
    const args = ["--target", "price", "--missing", missing, "--categorical", "rooms"];
    const scale = async (data: string) => {
      const { stdout } = await place.succeed("scale", ["--data", data, ...args]);
      return { stdout, ...await readSafetensors(place.at("data/odd.scaled.safetensors")) };
    };
    const one = await scale("odd.csv");
    const { stdout, tensors, metadata: { source, settings: _, ...others } } = await scale("odd/");
    assertEquals(stdout, one.stdout);
    assertEquals(tensors, one.tensors); // bit for bit
    assertEquals(others, { scaler: one.metadata.scaler, table: one.metadata.table, ...others });
    assertEquals(Object.keys(JSON.parse(source)), Object.keys(parts));
  }
});

permitted("scale names files and lines of a folder", async (t) => {
  const rows = (bad: Record<number, string> = {}) =>
    `x,y\n${Array.from({ length: 40 }, (_, i) => bad[i] ?? `${i % 7},${i % 3}`).join("\n")}`;
  const cases: [bad: Record<number, string>, scaling: string, says: string[]][] = [
    [{ 5: ",1", 38: "NA,2" }, "standardize", ["t: cells are missing; ", "\n  x: 2, at t/b.csv:7, t/b.csv:40"]],
    [{ 30: "tall,2" }, "standardize", [
      't/b.csv:32, column "x": "tall" is not a number, and 79 cells of the column are',
    ]],
    [{ 39: "1e300,2" }, "none", ['t/b.csv:41, column "x": scaled, this value is beyond the range of float32']],
  ];
  await using place = await Workplace.inSeries("train", { "t/a.csv": rows() });
  for (const [bad, scaling, says] of cases) {
    await t.step(says[0], async () => {
      await place.write("t/b.csv", rows(bad));
      await place.refuse(1, says, "scale", ["--data", "t", "--target", "y", "--scaling-method", scaling]);
    });
  }
});

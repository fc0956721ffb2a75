/** deno task compare, as its users run it. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { rangeOf, sparkline } from "../../../tasks/show/sparkline.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const SMALL = ["--num-dataset", "100", "--hidden-size", "4"];

/** The blocks of the text, each by the first words of its header. */
function blocksOf(stdout: string): Record<string, string[][]> {
  const blocks = stdout.trimEnd().split("\n\n").map((block) =>
    block.split("\n").map((line) => line.trim().split(/\s{2,}/))
  );
  return Object.fromEntries(blocks.map(([header, ...rows]) => [header[0], [header, ...rows]]));
}

permitted("compare shows settings that differ, curves over the same epochs, and how runs ended", async (t) => {
  await using place = await Workplace.inSeries("report");
  const train = (name: string, ...flags: string[]) => place.succeed("train", [...SMALL, "--run-name", name, ...flags]);
  await train("narrow", "--num-epochs", "4");
  await train("wide", "--num-epochs", "12", "--hidden-size", "16", "--trace", "5");
  const { stdout, stderr } = await place.succeed("compare", ["narrow", "wide"]);
  const blocks = blocksOf(stdout);
  const linesOf = (run: string) => place.readLines(`data/runs/${run}/metrics.jsonl`);
  const summaryOf = async (run: string) => JSON.parse(await place.read(`data/runs/${run}/summary.json`));

  await t.step("settings", () => {
    assertEquals(blocks.setting, [
      ["setting", "narrow", "wide"],
      ["HIDDEN_SIZE", "4", "16"],
      ["NUM_EPOCHS", "4", "12"],
      ["TRACE", "0", "5"],
    ]);
    assertEquals([stderr, stdout.includes("\x1b"), stdout.includes("note: ")], ["", false, false]);
  });
  await t.step("curves", async () => {
    for (const [title, key] of [["train loss", "trainLoss"], ["validation loss", "valLoss"]] as const) {
      const [header, narrow, wide] = blocks[title];
      assertEquals(header, [title, "epochs 1 to 12", "epoch 1", "epoch 2", "epoch 3", "epoch 4", "epoch 12"]);
      assertEquals([narrow[0], wide[0]], ["narrow", "wide"]);
      assertMatch(narrow[1], /^[▁-█]{4}$/);
      assertMatch(wide[1], /^[▁-█]{12}$/);
      const first = await linesOf("narrow");
      const second = await linesOf("wide");
      const at = (lines: Record<string, number>[], epochs: number[]) =>
        epochs.map((epoch) => Number(lines[epoch - 1][key].toPrecision(4)));
      assertEquals(narrow.slice(2).map(Number), at(first, [1, 2, 3, 4]));
      assertEquals(wide.slice(2).map(Number), at(second, [1, 2, 3, 4, 12]));
    }
  });
  await t.step("ends", async () => {
    const ends = [await summaryOf("narrow"), await summaryOf("wide")];
    const [_, narrow, wide] = blocks.run;
    for (const [i, row] of [narrow, wide].entries()) {
      assertEquals([row[0], row[1], row[2]], [["narrow", "wide"][i], `${[4, 12][i]}`, `${ends[i].steps}`]);
      assertEquals(row[4], `${Math.round(ends[i].stepsPerSecond)}`);
    }
    for (const part of ["train", "validation", "test"]) {
      const [header, ...rows] = blocks[`result, ${part}`];
      assertEquals(header.slice(1), ["rows", "loss", "mse", "rmse", "mae", "r2"]);
      for (const [i, row] of rows.entries()) {
        const expected = header.slice(1).map((name) => Number(ends[i][part][name].toPrecision(6)));
        assertEquals(row.slice(1).map(Number), expected);
      }
    }
  });
  await t.step("--json: all of it", async () => {
    const json = JSON.parse((await place.succeed("compare", ["narrow", "wide", "--json"])).stdout);
    assertEquals(json.runs.map(({ run }: { run: string }) => run), ["narrow", "wide"]);
    assertEquals(json.runs[1].epochs, await linesOf("wide"));
    assertEquals(json.runs[0].summary, await summaryOf("narrow"));
    assertEquals(json.runs[0].settings, JSON.parse(await place.read("data/runs/narrow/config.json")));
    assertEquals([json.differing.HIDDEN_SIZE, json.notes], [["4", "16"], []]);
  });
  await t.step("says what cannot be compared, and what is not finished", async () => {
    await train("absolute", "--num-epochs", "4", "--loss", "mae", "--seed", "7");
    await place.succeed("train", ["--recipe", "xor", "--run-name", "gate"]);
    const other = (await place.succeed("compare", ["narrow", "absolute"])).stdout;
    assertStringIncludes(other, "\n\nnote: LOSS differs: losses are of different kinds and cannot be compared");
    assertStringIncludes(other, "\nnote: SEED differs: the runs are measured on different rows");
    await Deno.remove(place.at("data/runs/wide/summary.json"));
    // Its last line is being written.
    await Deno.writeTextFile(place.at("data/runs/wide/metrics.jsonl"), '{"epoch":13,"tr', { append: true });
    const three = (await place.succeed("compare", ["narrow", "wide", "gate"])).stdout;
    assertStringIncludes(three, "note: RECIPE differs: the runs predict different things; losses and measures");
    assertStringIncludes(three, "note: not finished: wide; `deno task train --resume` continues");
    assertEquals(three.includes("LOSS differs"), false, "what the first note says already");
    const [_1, narrow, _2, gate] = blocksOf(three)["train loss"];
    assertEquals([narrow[1].length, gate[1].length], [1, 24], "one of 24 blocks stands for 42 of 1000 epochs");
    assertMatch(three, /^wide +12 +not finished$/m);
    await place.write("data/runs/wide/summary.json", '{"steps":5}'); // from elsewhere
    assertMatch((await place.succeed("compare", ["narrow", "wide"])).stdout, /^wide +12 +5$/m);
  });
  await t.step("refuses what is no run, and names those that there are", async () => {
    const cases: [says: string[], args: string[]][] = [
      [['there is no run "wider": data/runs/wider/config.json', "there are absolute, gate"], ["narrow", "wider"]],
      [['"../x" is not the name of a run: allowed is 1 to 100 letters'], ["narrow", "../x"]],
      [["compare takes the names of two runs or more, 1 given"], ["narrow"]],
      [['"narrow" is named twice'], ["narrow", "narrow"]],
      [["--json is"], ["narrow", "wide", "--json=maybe"]],
    ];
    for (const [says, args] of cases) await place.refuse(2, says, "compare", args);
    await place.write("data/runs/gate/metrics.jsonl", '{"epoch":1,"trainLoss":1,"valLoss":null}\n{"epoch":"2"}\n');
    const damaged = ["data/runs/gate/metrics.jsonl:2", "this is no epoch of a run"];
    await place.refuse(1, damaged, "compare", ["narrow", "gate"]);
    await place.write("data/runs/gate/config.json", "{");
    await place.refuse(1, ["data/runs/gate/config.json: it holds no JSON object"], "compare", ["narrow", "gate"]);
    await Deno.mkdir(place.at("data/runs/linked"));
    await Deno.symlink(place.at("data/runs/narrow/config.json"), place.at("data/runs/linked/config.json"));
    await place.refuse(1, ["data/runs/linked/config.json: this is a link"], "compare", ["narrow", "linked"]);
  });
});

Deno.test("sparkline() draws on a logarithmic scale that several curves share", () => {
  const curves = [[1000, 100, 10, 1], [10, 10, NaN, 0]];
  const range = rangeOf(curves);
  assertEquals(range, { low: 1, high: 1000 });
  assertEquals(curves.map((curve) => sparkline(curve, range)), ["█▆▃▁", "▃▃ ▁"]);
  assertEquals(sparkline([5, 5], rangeOf([[5, 5]])), "▁▁");
  assertEquals(sparkline([NaN, NaN], rangeOf([[NaN]])), "  ");
});

permitted("compare shows columns that runs did not take as the same, and no others", async () => {
  await using place = await Workplace.inSeries("report");
  const run = async (name: string, kinds?: Record<string, string>) => {
    const columns = kinds && Object.entries(kinds).map(([name, as]) => ({ name, as, holds: "", missing: 0 }));
    await place.write(`data/runs/${name}/config.json`, "{}");
    await place.write(
      `data/runs/${name}/summary.json`,
      JSON.stringify(columns ? { notes: { columns, notes: [] } } : {}),
    );
  };
  await run("a", { area: "numeric", "so\u200bld": "date", y: "target" });
  await run("b", { area: "numeric", "so\u200bld": "left out", y: "target", zip: "categorical" });
  await run("recipe");
  const { stdout } = await place.succeed("compare", ["a", "recipe", "b"]);
  assertEquals(blocksOf(stdout)["column taken as"], [
    ["column taken as", "a", "recipe", "b"],
    ["so\\u200bld", "date", "-", "left out"],
    ["zip", "-", "-", "categorical"],
  ]);
  const json = JSON.parse((await place.succeed("compare", ["a", "b", "--json"])).stdout);
  assertEquals(json.columns, { "so\u200bld": ["date", "left out"], zip: ["", "categorical"] });
  assertEquals((await place.succeed("compare", ["a", "recipe"])).stdout.includes("taken as"), false);

  await run("wide", Object.fromEntries(Array.from({ length: 23 }, (_, i) => [`c${i}`, "numeric"])));
  assertStringIncludes(
    (await place.succeed("compare", ["a", "wide"])).stdout,
    "\nand 6 more columns; --json has all\n",
  );
  await place.write("data/runs/wide/summary.json", '{"notes":{"columns":7}}');
  await place.refuse(1, ["data/runs/wide/summary.json: Cannot read notes of a table"], "compare", ["a", "wide"]);
});

permitted("compare says where there is no run at all, and takes runs of very many epochs", async () => {
  await using place = await Workplace.inSeries("report");
  await place.refuse(2, ['there is no run "a"', 'there is no run "b"', "there is none yet"], "compare", ["a", "b"]);
  for (const [run, from] of [["a", 1], ["b", 2]] as const) {
    const lines = Array.from({ length: 150_000 }, (_, i) => {
      return JSON.stringify({ epoch: i + 1, step: i + 1, trainLoss: from / (i + 1), valLoss: null, learningRate: 0.1 });
    });
    await place.write(`data/runs/${run}/config.json`, "{}");
    await place.write(`data/runs/${run}/metrics.jsonl`, `${lines.join("\n")}\n`);
  }
  const { stdout } = await place.succeed("compare", ["a", "b"]);
  assert(stdout.includes("150000"), stdout);
});

permitted(
  "compare says which files, rows, versions and devices of runs differ, or that this is not known",
  async () => {
    await using place = await Workplace.inSeries("report");
    type Record = { data?: string; DATA?: string; TEST?: string; version?: string; device?: string; settings?: object };
    const hash = (letter: string) => letter.repeat(64);
    const run = async (name: string, { data = "1", DATA = "1", TEST, version = "1.0.0", ...rest }: Record) => {
      const { device = "gpu", settings = {} } = rest;
      const sources = { DATA: hash(DATA), ...TEST === undefined ? {} : { TEST: hash(TEST) } };
      await place.write(`data/runs/${name}/config.json`, JSON.stringify(settings));
      const origin = { version, device, data: hash(data), sources, settings };
      await place.write(`data/runs/${name}/origin.json`, JSON.stringify(origin));
    };
    const different = "the runs are measured on different rows; small differences mean nothing";
    const cases: [b: Record, records: string[][], notes: string[]][] = [
      [{}, [], []],
      [{ data: "2", DATA: "2" }, [["rows", "1", "2"], ["DATA", "1", "2"]], [
        `the content of DATA differs: ${different}`,
      ]],
      [{ TEST: "3", data: "2" }, [["rows", "1", "2"], ["TEST", "", "3"]], [
        `the content of TEST differs: ${different}`,
      ]],
      [{ data: "2" }, [["rows", "1", "2"]], [`the rows differ, although their settings are the same: ${different}`]],
      [{ data: "2", settings: { SCALING_METHOD: "minmax" } }, [["rows", "1", "2"]], ["SCALING_METHOD differs: "]],
      [{ data: "2", settings: { SEED: "7" } }, [["rows", "1", "2"]], ["SEED differs: "]],
      [{ version: "2.0.0" }, [["version", "1.0.0", "2.0.0"]], [
        "the runs are of different versions of Backhand (1.0.0; 2.0.0); results may differ for that alone",
      ]],
      [{ device: "cpu" }, [["device", "gpu", "cpu"]], ["the runs used different devices (gpu; cpu)"]],
    ];
    await run("a", {});
    for (const [b, records, notes] of cases) {
      await run("b", b);
      const { stdout } = await place.succeed("compare", ["a", "b"]);
      const shown = (text: string) => text.length === 1 ? text.repeat(12) : text || "-";
      const told = blocksOf(stdout).record?.slice(1) ?? [];
      assertEquals(told, records.map(([name, ...texts]) => [name, ...texts.map(shown)]), stdout);
      const json = JSON.parse((await place.succeed("compare", ["a", "b", "--json"])).stdout);
      const whole = (text: string) => text.length === 1 ? hash(text) : text;
      assertEquals(json.records, Object.fromEntries(records.map(([name, ...texts]) => [name, texts.map(whole)])));
      const pending = "not finished: a, b; ";
      assertEquals(json.notes.length, notes.length + 1);
      for (const note of [...notes, pending]) {
        assert(json.notes.some((one: string) => one.startsWith(note)), `${note}: ${json.notes}`);
        assertStringIncludes(stdout, `note: ${note}`);
      }
    }
    await Deno.remove(place.at("data/runs/b/origin.json"));
    assertStringIncludes(
      (await place.succeed("compare", ["a", "b"])).stdout,
      "note: no origin.json: b; nothing shows whether rows and version are those of the other runs",
    );
    await place.write("data/runs/b/origin.json", "{}");
    await place.refuse(1, ["data/runs/b/origin.json: it holds no record"], "compare", ["a", "b"]);
  },
);

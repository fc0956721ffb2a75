/** What TerminalView draws, on a model of a screen; task_terminal_test.ts has it in real pseudo-terminals. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { unicodeWidth } from "@std/cli/unicode-width";
import { formatDuration, Pace } from "../../../tasks/show/pace.ts";
import { linesOf, type Picture } from "../../../tasks/show/picture.ts";
import { canRedraw, type Surface } from "../../../tasks/show/screen.ts";
import { Curve, sparklines } from "../../../tasks/show/sparkline.ts";
import { TerminalView } from "../../../tasks/show/terminal_view.ts";
import { cut, wrap } from "../../../tasks/show/text_table.ts";
import { ScreenModel } from "../../support/screen_model.ts";

/** A view on a model of a screen, with a clock that the test moves. */
function stage(columns: number, rows: number, options: { reflows?: boolean; hasColor?: boolean } = {}) {
  const model = new ScreenModel(columns, rows, options.reflows ?? true);
  const writes: string[] = [];
  const clock = { time: 1_000 };
  const write = (text: string) => {
    writes.push(text);
    model.write(text.replaceAll("\n", "\r\n"));
  };
  const size = () => ({ columns: model.columns, rows: model.height });
  const screen = { isTerminal: true, hasColor: options.hasColor, write, now: () => clock.time, size };
  return { model, clock, writes, view: new TerminalView(screen, (text) => write(`${text}\n`)) };
}

const FACTS = { runName: "narrow", stepsPerEpoch: 100, epochs: 10, firstStep: 0 };

/** The picture of a run before its first step. */
const START: Picture = {
  facts: FACTS,
  step: 0,
  stepsPerSecond: undefined,
  secondsLeft: undefined,
  train: new Curve(),
  validation: new Curve(),
  warnings: [],
};

/** Ends an epoch, some time after the one before. */
function goOn({ view, clock }: ReturnType<typeof stage>, epoch: number, milliseconds = 200): void {
  clock.time += milliseconds;
  view.progress(epoch * 100);
  const line = { epoch, step: epoch * 100, trainLoss: 1 / epoch ** 3, valLoss: 2 / epoch ** 3, learningRate: 0.01 };
  view.epoch(line, clock.time / 1000, epoch === 10);
}

Deno.test("TerminalView shows epoch, step, rate, time left, losses and their curves, warnings below", () => {
  const scene = stage(80, 24);
  const { view, model, clock } = scene;
  view.begin(FACTS);
  for (let epoch = 1; epoch <= 4; epoch++) goOn(scene, epoch);
  view.warning("warning: epoch 4: something is odd");
  clock.time += 200;
  view.progress(450);
  const picture = model.linesAtCursor;
  assertEquals(picture, [
    "",
    "narrow  epoch 5/10  step 50/100",
    `${"█".repeat(18)}${"░".repeat(22)} 45%  438 steps/s  0:01 left`,
    "train      0.015625 ▇▄▂▁",
    "validation 0.031250 █▅▃▂",
    "warning: epoch 4: something is odd",
  ]);
  assertEquals(model.cursor[1], 0);
  assertStringIncludes(model.lines[0], "first steps done");
  assertStringIncludes(model.lines[4], "epoch  4/10  train loss 0.015625");
  for (let epoch = 5; epoch <= 10; epoch++) goOn(scene, epoch);
  view.end();
  view.summary({ steps: 1, seconds: 1, stepsPerSecond: 1, run: "" }, "the summary");
  assertEquals(model.lines.slice(11), [
    "train      0.0010000 ▇▅▄▄▃▂▂▂▁▁",
    "validation 0.0020000 █▆▅▄▄▃▃▂▂▂",
    "warning: epoch 4: something is odd",
    "the summary",
    "",
  ]);
});

Deno.test("TerminalView shows the loss of the latest steps, in an epoch that has no end yet too", () => {
  const scene = stage(80, 24);
  const { view, model, clock } = scene;
  view.begin(FACTS);
  clock.time += 200;
  view.progress(50, 0.25);
  assertEquals(model.linesAtCursor.filter((line) => line.startsWith("train")), ["train      0.25000"]);
  goOn(scene, 1);
  clock.time += 200;
  view.progress(150, 0.125);
  assertEquals(model.linesAtCursor.filter((line) => /^(train|valid)/.test(line)), [
    "train      0.12500 ▁",
    "validation 2.0000  █",
  ]);
});

Deno.test("TerminalView leaves nothing behind when the terminal is resized, and never breaks a line", () => {
  for (const reflows of [true, false]) {
    for (const [columns, rows] of [[40, 24], [20, 10], [120, 8], [7, 3], [40, 2], [1, 1]]) {
      const scene = stage(80, 24, { reflows });
      const { view, model, clock } = scene;
      view.begin({ ...FACTS, runName: "a-rather-long-name-of-a-run-that-fills-some-columns" });
      for (let epoch = 1; epoch <= 3; epoch++) goOn(scene, epoch);
      view.warning(`warning: ${"many words ".repeat(12)}`);
      goOn(scene, 4);
      clock.time += 200;
      view.progress(400);
      const kept = model.lines.slice(0, 5).map((line) => reflows ? line : line.slice(0, columns).trimEnd());
      model.resize(columns, rows);
      clock.time += 200;
      view.progress(401);
      const at = `${columns} x ${rows}, ${reflows ? "reflowing" : "cutting"}`;
      const first = model.lines.indexOf("");
      assertEquals(model.lines.slice(0, first), kept, at);
      for (const line of model.lines.slice(first)) {
        assert(unicodeWidth(line) < Math.max(columns, 2), `${at}: ${line}`);
      }
      assert(model.lines.length - first < Math.max(rows, 2), `${at}: the picture is higher than the screen`);
      view.end();
      assertEquals(model.lines.filter((line) => /many words/.test(line)).length, 1, at);
      assertEquals(model.lines.some((line) => /steps\/s|step \d/.test(line)), false, `${at}: ${model.lines.join("|")}`);
    }
  }
});

Deno.test("TerminalView counts wide characters as two columns, and obeys nothing that names hold", () => {
  const scene = stage(40, 24);
  const { view, model } = scene;
  view.begin({ ...FACTS, runName: "価格の予測モデル・二番目の試み・長い名前" });
  goOn(scene, 1);
  view.warning(`warning: column "${"家賃".repeat(20)}\x1b[2J\t" is constant`);
  goOn(scene, 2);
  const picture = model.linesAtCursor;
  assertMatch(picture[1], /^価格.*… {2}epoch 3\/10 {2}step 0\/100$/);
  assertEquals(unicodeWidth(picture[1]) >= 37, true, "the name takes the room there is");
  for (const line of picture) assert(unicodeWidth(line) < 40, line);
  const warning = picture.slice(5).map((line) => line.trim()).join("");
  assertStringIncludes(warning, String.raw`賃\u001b[2J\u0009" is constant`);
  view.end();
});

Deno.test("TerminalView keeps every warning: the last few below the picture, those before above it", () => {
  const scene = stage(60, 24);
  const { view, model } = scene;
  view.warning("warning: before the run");
  assertEquals(model.lines, ["warning: before the run", ""]);
  view.begin(FACTS);
  goOn(scene, 1);
  for (let i = 1; i <= 5; i++) view.warning(`warning: number ${i}`);
  goOn(scene, 2);
  const first = model.cursor[0];
  const numbers = (lines: string[]) => lines.flatMap((line) => line.match(/number (\d)/)?.[1] ?? []);
  assertEquals(numbers(model.lines.slice(0, first)), ["1", "2"]);
  assertEquals(numbers(model.linesAtCursor), ["3", "4", "5"]);
  view.end();
  view.end();
  assertEquals(numbers(model.lines), ["1", "2", "3", "4", "5"]);
  assertEquals(model.lines.at(-2), "warning: number 5");
});

Deno.test("TerminalView draws ten times a second at most, however often it is told, and keeps what it is told", () => {
  const { view, clock, model, writes } = stage(80, 24);
  view.begin({ ...FACTS, firstStep: 1, stepsPerEpoch: 10_000 });
  for (let step = 2; step <= 1_000; step++) {
    clock.time++;
    view.progress(step);
    view.note(`note ${step}`);
  }
  const drawings = writes.filter((text) => text.includes("epoch")).length;
  assert(drawings > 8 && drawings <= 10, `${drawings} drawings within a second`);
  view.end();
  assertEquals(model.lines.slice(0, -1), Array.from({ length: 999 }, (_, i) => `note ${i + 2}`));
});

Deno.test("TerminalView writes no colour unless colours are welcome", () => {
  for (const hasColor of [true, false]) {
    const scene = stage(80, 24, { hasColor });
    scene.view.begin(FACTS);
    goOn(scene, 1);
    scene.view.warning("warning: odd");
    goOn(scene, 2);
    scene.view.end();
    assertEquals(scene.model.hasColor, hasColor);
  }
});

Deno.test("canRedraw() wants a terminal that knows how, and no pipe whose lines may come back to it", () => {
  const terminal: Surface = {
    isStderrTerminal: true,
    isStdoutTerminal: true,
    isStdoutFile: false,
    env: (key) => ({ TERM: "xterm" })[key],
  };
  assertEquals(canRedraw(terminal), true);
  assertEquals(canRedraw({ ...terminal, isStdoutTerminal: false, isStdoutFile: true }), true, "> log");
  assertEquals(canRedraw({ ...terminal, isStdoutTerminal: false }), false, "| tee log");
  assertEquals(canRedraw({ ...terminal, isStderrTerminal: false }), false, "2> log");
  assertEquals(canRedraw({ ...terminal, env: () => "dumb" }), false, "TERM=dumb");
});

Deno.test("linesOf() shows the latest warnings that there is room for, whole, and the very latest at least in part", () => {
  const warnings = ["one", "two words", "three"];
  const told = (columns: number, rows: number, ...more: string[]) =>
    linesOf({ ...START, warnings: [...warnings, ...more] }, columns, rows).slice(2).map(({ text }) => text);
  assertEquals(told(40, 9), ["one", "two words", "three"]);
  assertEquals(told(40, 4), ["two words", "three"]);
  assertEquals(told(6, 5), ["three"], "one that does not fit hides those before it");
  assertEquals(told(10, 4, "a long one of many words"), ["a long one", "  of many…"]);
  assertEquals(told(40, 2), []);
});

Deno.test("linesOf() keeps a space between bar and share, at the end too, in lines that fit", () => {
  for (const step of [0, 90, 450, 999, 1_000]) {
    for (let columns = 1; columns <= 80; columns++) {
      const { text } = linesOf({ ...START, step, stepsPerSecond: 30_508, secondsLeft: 0 }, columns, 24)[1];
      assert(unicodeWidth(text) <= columns, `${columns}: ${text}`);
      if (columns >= 40) assertMatch(text, /^█*░* +\d+% {2}30,508 steps\/s {2}0:00 left$/);
      assert(!/[█░]\d/.test(text), text);
    }
  }
});

Deno.test("cut() and wrap() keep to a width", () => {
  assertEquals([cut("abcd", 4), cut("abcde", 4), cut("家家家", 5), cut("abc", 0)], ["abcd", "abc…", "家家…", ""]);
  assertEquals(wrap("one two three", 8), ["one two", "  three"]);
  assertEquals(wrap("abcdefghijkl\nx", 5), ["abcde", "  fgh", "  ijk", "  l", "x"]);
  assertEquals(wrap("家家家", 4), ["家家", "  家"]);
  assertEquals(wrap("", 4), [""]);
});

Deno.test("sparklines() draws curves on one logarithmic scale, and on a plain one where a value is not above 0", () => {
  assertEquals(sparklines([[1, 10, 100], [1000, 1e7]]), ["▁▂▃", "▄█"]);
  assertEquals(sparklines([[0, 1, 7]]), ["▁▂█"]);
  assertEquals(sparklines([[3, 3]]), ["▁▁"]);
  assertEquals(sparklines([[1, NaN, 2]]), ["▁██"]);
  assertEquals(sparklines([]), []);
});

Deno.test("Curve keeps the shape of any number of values, and the latest", () => {
  const curve = new Curve();
  assertEquals([curve.latest, curve.points(10)], [undefined, []]);
  for (let i = 0; i < 100_000; i++) curve.push(i);
  assertEquals(curve.latest, 99_999);
  const points = curve.points(100);
  assertEquals(points.length, 100);
  points.forEach((point, i) => assert(Math.abs(point - (1000 * i + 500)) < 300, `point ${i} is ${point}`));
});

Deno.test("Pace takes the rate of the last moments, also after a step back, and soon after a run was held", () => {
  const pace = new Pace();
  assertEquals([pace.stepsPerSecond, pace.secondsUntil(5)], [undefined, undefined]);
  for (let time = 0; time <= 20_000; time += 100) pace.mark(time < 10_000 ? time / 100 : time / 10, time);
  assertEquals([pace.stepsPerSecond, pace.secondsUntil(2_500)], [100, 5]);
  pace.mark(100, 20_100);
  assertEquals(pace.stepsPerSecond, undefined);
  pace.mark(110, 20_200);
  assertEquals(pace.stepsPerSecond, 100);

  const held = new Pace();
  for (let time = 0; time <= 2_000; time += 100) held.mark(time, time); // 1,000 steps/s
  for (let time = 2_100; time <= 2_500; time += 100) held.mark(time, 600_000 + time);
  assertEquals(held.stepsPerSecond, 1_000);
});

Deno.test("formatDuration() shows a time as a clock does", () => {
  const texts = [0, 7.4, 59.6, 754, 3_723, 86_400 + 7_200].map(formatDuration);
  assertEquals(texts, ["0:00", "0:07", "1:00", "12:34", "1:02:03", "1 d 2 h"]);
});

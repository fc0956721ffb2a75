/** What users of train see: in pseudo-terminals of several sizes, in files and pipes, under --quiet and --json. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { unicodeWidth } from "@std/cli/unicode-width";
import { ConfigError, readConfig } from "../../../tasks/settings/config.ts";
import { createView } from "../../../tasks/show/create_view.ts";
import { JsonView } from "../../../tasks/show/json_view.ts";
import { QuietView } from "../../../tasks/show/plain_view.ts";
import { runInTerminal, type TerminalOutcome } from "../../support/pseudo_terminal.ts";
import { Workplace } from "../../support/run_task_process.ts";
import type { ScreenModel } from "../../support/screen_model.ts";
import { permitted } from "../../support/permitted.ts";

/** Util-linux has `script` with these options; BSD's takes others. */
const ignore = Deno.build.os !== "linux";

const SMALL = ["--num-dataset", "500", "--hidden-size", "8", "--batch-size", "10"];

/** Warns of weights that start alike. */
const WARNED = [...SMALL, "--num-epochs", "100", "--init", "ones"];

/** A line of the picture that was meant to be taken away. */
const LEFTOVER = /\d left$| step [\d,]+\/|[█░]{5}/;

/** What starts with an escape, but for what Deno itself writes before it starts a program. */
// deno-lint-ignore no-control-regex -- that is what it is about
const ESCAPES = /\x1b(?!\[0G|\[2K|\[J\x1b\[0G|\[J$|\[Jdevice)/;

function assertClean({ code, screen }: TerminalOutcome, expected = 0): void {
  assertEquals(code, expected, screen.lines.join("\n"));
  assertEquals(screen.lines.filter((line) => LEFTOVER.test(line)), []);
  assert(screen.isCursorVisible);
  assertEquals([screen.cursor[1], screen.lines.at(-1)], [0, ""], "the prompt has a line of its own");
}

/** Counts the lines that match a pattern. */
function counterOf({ screen }: TerminalOutcome): (pattern: RegExp) => number {
  return (pattern) => screen.lines.filter((line) => pattern.test(line)).length;
}

/** The picture, where one was drawn to its end. */
function pictureOn({ linesAtCursor: [anchor, ...picture] }: ScreenModel): string[] | undefined {
  return anchor === "" && picture.length > 0 ? picture : undefined;
}

permitted({ name: "train in 80 columns shows a picture, and leaves epochs, curves and summary", ignore }, async () => {
  await using place = await Workplace.create();
  let pictures = 0;
  const outcome = await runInTerminal(place, "train", [...SMALL, "--num-epochs", "400"], {
    during: (_, { screen }) => {
      const [head, bar, ...losses] = pictureOn(screen) ?? [];
      if (!losses?.length) return;
      pictures++;
      assertMatch(head, /^default_run {2}epoch \d+\/400 {2}step \d+\/40$/);
      assertMatch(bar, /^█*░* +\d+%( {2}[\d.,]+ steps\/s {2}[\d:]+ left)?$/);
      assertMatch(losses[0], /^train {6}[\d.]+( +[▁-█]+)?$/);
      if (losses.length > 1) assertMatch(losses[1], /^validation [\d.]+ +[▁-█]+$/);
    },
  });
  assertClean(outcome);
  assert(pictures > 0, "no picture was seen");
  const { screen } = outcome;
  const of = counterOf(outcome);
  assertEquals(of(/^epoch +\d+\/400 {2}train loss/), 51, "every eighth epoch, and the first");
  assertEquals([of(/^train {6}[\d.]+ +[▁-█]{50,}$/), of(/^validation [\d.]+ +[▁-█]{50,}$/)], [1, 1]);
  assertEquals([of(/^in raw units/), of(/^run: data\/runs\/default_run$/), screen.hasColor], [1, 1, true]);
});

permitted({ name: "train resized to 40 columns and ended by Ctrl-C leaves nothing behind", ignore }, async () => {
  await using place = await Workplace.create();
  const hasCurve = (line: string) => /[▁-█]{10,}$/.test(line);
  let isResized = false;
  let narrow: string[] | undefined;
  const outcome = await runInTerminal(place, "train", [...SMALL, "--num-epochs", "1000000", "--init", "ones"], {
    during: async (_, { screen, resize, type }) => {
      const picture = pictureOn(screen);
      if (!picture?.some((line) => line.startsWith("validation"))) return;
      if (!isResized) {
        isResized = true;
        await resize(40, 12);
      } else if (!narrow && picture.every((line) => unicodeWidth(line) < 40) && picture.some(hasCurve)) {
        narrow = picture;
        await type("\x03");
      }
    },
  });
  assertMatch(narrow![0], /^default(_\S+|…) {2}epoch [\d,]+\/1,000,000 {2}st/); // of later epochs less is left of the name
  assertMatch(narrow![1], /^█*░* +\d+% {2}[\d.,]+ steps\/s {2}[\d:dh, ]+ left$/);
  const warned = narrow!.slice(4).map((line) => line.replace(/^ {2}/, " ")).join("");
  assertStringIncludes(warned, "warning: epoch 1: 8 of 8 units of 0.weight have");
  assertClean(outcome, 130);
  const { lines } = outcome.screen;
  const of = counterOf(outcome);
  assertEquals(of(/^warning: epoch 1: 8 of 8 units .* init kaiming or xavier$/), 1, lines.join("\n"));
  assertEquals(of(/^(train|validation) +[\d.]+ +[▁-█]{10,}$/), 2);
  assertMatch(lines.at(-3)!, /^stopped: data\/runs\/default_run, checkpoint at step \d+, \d+ of 40 into epoch \d+$/);
  assertEquals(lines.at(-2), "continue with: deno task train --resume default_run");
});

permitted({ name: "train goes back before a value that is not finite below its picture", ignore }, async () => {
  await using place = await Workplace.create();
  const args = [...SMALL, "--num-epochs", "10", "--learning-rate", "2", "--on-nan", "halve-lr"];
  const outcome = await runInTerminal(place, "train", args);
  assertClean(outcome);
  const of = counterOf(outcome);
  const back = of(/^warning: back at step 0, with 0\.\d+ of the learning rate from here$/);
  assert(back > 0);
  assertEquals([of(/^likely cause: /), of(/^what to do: /), of(/^first steps done/)], [back, back, 1]);
});

permitted({ name: "what goes to a file or a pipe is plain, whatever the other stream goes to", ignore }, async () => {
  await using place = await Workplace.create();
  const isPlain = (text: string) => !text.includes("\x1b") && !/\r(?!\n)/.test(text) && !LEFTOVER.test(text);
  const run = async (name: string, redirect: string, env: Record<string, string> = {}) => {
    const outcome = await runInTerminal(place, "train", [...WARNED, "--run-name", name], { redirect, env });
    assertClean(outcome);
    return { lines: outcome.screen.lines, ...outcome };
  };

  const intoFile = async () => {
    const { lines, screen, output } = await run("a", "> out", { NO_COLOR: "1" });
    assertMatch(output, /steps\/s {2}[\d:]+ left/);
    assertEquals(lines.slice(-4).map((line) => line.split(" ")[0]), ["train", "validation", "warning:", ""]);
    assertEquals(screen.hasColor, false, "NO_COLOR");
    const out = await place.read("out");
    assert(isPlain(out), out);
    assertEquals(out.match(/^epoch .*train loss/gm)?.length, 51);
    assertMatch(out, /^device: [\s\S]*\nrun: data\/runs\/a\n$/);
  };
  const errorsIntoFile = async () => {
    const { output } = await run("b", "2> err");
    assertEquals(output.match(ESCAPES)?.index, undefined, output);
    const err = await place.read("err");
    assert(isPlain(err), err);
    // All four begin at once, and prepare one dataset.
    const told = err.replace(
      /^training +\d+% step.*\n|^waiting for (another process|process \d+, which prepares .*)\n/gm,
      "",
    );
    assertMatch(told, /^warning: epoch 1: .*\n$/);
  };
  const intoPipe = async () => {
    const { output, lines } = await run("c", "| cat");
    assertEquals(output.match(ESCAPES)?.index, undefined, output);
    assertEquals(lines.filter((line) => /^epoch .*train loss/.test(line)).length, 51);
  };
  const toDumb = async () => {
    const { output, lines } = await run("d", "", { TERM: "dumb" });
    assertEquals(output.match(ESCAPES)?.index, undefined, output);
    assertEquals(lines.filter((line) => /^warning: epoch 1/.test(line)).length, 1);
  };
  await Promise.all([intoFile(), errorsIntoFile(), intoPipe(), toDumb()]);
});

permitted("--quiet prints warnings and errors, and nothing else", async () => {
  await using place = await Workplace.inSeries("train");
  const { stdout, stderr } = await place.succeed("train", [...WARNED, "--quiet"]);
  assertEquals(stdout, "");
  assertMatch(stderr, /^warning: epoch 1: .* init kaiming or xavier\n$/);
  const names = Object.keys(JSON.parse(await place.read("data/runs/default_run/config.json")));
  assertEquals(names.filter((name) => name === "QUIET" || name === "JSON"), [], "they are no settings of a run");
});

Deno.test("--quiet and --json stand alone or with true or false, and exclude each other", () => {
  const surroundings = { env: () => undefined, dotenv: "" };
  const view = (...args: string[]) => createView(readConfig("train", args, surroundings)).constructor;
  const views = [view("--quiet"), view("--json=true"), view("--quiet", "true", "--json", "false")];
  assertEquals(views, [QuietView, JsonView, QuietView]);
  assertThrows(() => view("--quiet", "--json"), ConfigError, "--quiet and --json exclude each other");
  assertThrows(() => view("--json=yes"), ConfigError, '--json is "yes": allowed is true or false');
});

permitted("--json prints an object a line, and nothing else", async () => {
  await using place = await Workplace.inSeries("train");
  const { stdout, stderr } = await place.succeed("train", [...WARNED, "--json"]);
  assertEquals(stderr, "");
  const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const of = (kind: string) => lines.filter(({ event }) => event === kind);
  assertEquals([...new Set(lines.map(({ event }) => event))], ["note", "begin", "warning", "epoch", "summary"]);
  for (const start of ["device: ", "gen-data: wrote ", "scale: wrote ", "network: "]) {
    assertEquals(of("note").filter(({ text }) => text.startsWith(start)).length, 1, start);
  }
  const begin = { event: "begin", runName: "default_run", stepsPerEpoch: 40, epochs: 100, firstStep: 0 };
  assertEquals(of("begin"), [begin]);
  assertMatch(of("warning")[0].text, /^epoch 1: .* init kaiming or xavier$/);
  const epochs = of("epoch").map(({ event: _, seconds: __, ...line }) => line);
  assertEquals(epochs, await place.readLines("data/runs/default_run/metrics.jsonl"), "all epochs");
  assert(of("epoch").every(({ seconds }, i, all) => seconds > 0 && seconds >= (all[i - 1]?.seconds ?? 0)));
  const summary = JSON.parse(await place.read("data/runs/default_run/summary.json"));
  assertEquals(lines.at(-1), { event: "summary", run: "data/runs/default_run", ...summary });

  const child = await place.start("train", [...SMALL, "--num-epochs", "1000000", "--json"]);
  let told = "";
  let isAsked = false;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    told += text;
    if (isAsked || !told.includes('"epoch"')) continue;
    isAsked = true;
    child.kill("SIGINT");
  }
  assertEquals((await child.status).code, 130);
  assertEquals(await new Response(child.stderr).text(), "");
  const { step, ...last } = told.trimEnd().split("\n").map((line) => JSON.parse(line)).at(-1);
  assert(step > 0);
  const resume = "deno task train --resume default_run";
  assertEquals(last, { event: "stopped", run: "data/runs/default_run", resume });
  assertStringIncludes(told, '{"event":"epoch",');
});

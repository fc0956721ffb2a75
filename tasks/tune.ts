/**
 * Searches for settings at random: trains a run per trial, and sorts the runs by their loss on the validation part.
 *
 *   deno task tune --trials 20 --learning-rate 1e-4..1e-1:log --hidden-size "32|64|128,64"
 */

import { fileURLToPath } from "node:url";
import project from "../deno.json" with { type: "json" };
import { ConfigError, readConfig, type TaskConfig } from "./config.ts";
import { parseObject, stampOf } from "./dataset_files.ts";
import { lockSearch } from "./locks.ts";
import { RunFolder } from "./run_folder.ts";
import { exitCodeOf } from "./run_task.ts";
import { draw, isRange, parseRange, type Range } from "./search.ts";
import { formatNumber, formatTable } from "./table.ts";

/** A run to be. */
interface Trial {
  /** Its folder's name. */
  readonly run: string;
  /** What was drawn, by flag. */
  readonly drawn: Readonly<Record<string, string>>;
  /** The command line of train. */
  readonly args: readonly string[];
  /** Its settings, as config.json will hold them. */
  readonly texts: TaskConfig["texts"];
}

/** How a trial ended: its measures on the validation part, or why it has none. */
type Outcome = Readonly<Record<string, number>> | string;

/** Measures that the table shows, where a run has them. */
const MEASURES = ["loss", "r2", "accuracy", "macroF1"];

/** Flags of the whole search: its trials have a name of their own, and do not know the other. */
const OWN_FLAGS = ["--trials", "--run-name"];

/**
 * Cuts a command line in two: what is to be searched, and the rest.
 *
 * @param args The command line of tune.
 * @returns The rest in its order, and the text of each range by flag.
 */
export function splitRanges(args: readonly string[]): { plain: string[]; ranges: Record<string, string> } {
  const plain: string[] = [], ranges: Record<string, string> = {};
  for (let i = 0; i < args.length; i++) {
    const [flag, joined] = args[i].split(/=(.*)/s, 2), value = joined ?? args[i + 1];
    if (flag.startsWith("--") && value !== undefined && isRange(value)) {
      ranges[flag] = value;
      if (joined === undefined) i++;
    } else {
      plain.push(args[i]);
    }
  }
  return { plain, ranges };
}

/** What each trial draws, all of it checked before the first one runs. */
function planTrials(config: TaskConfig, plain: readonly string[], texts: Record<string, string>): Trial[] {
  const ranges: Record<string, Range> = {}, faults: string[] = [];
  for (const [flag, text] of Object.entries(texts)) {
    try {
      ranges[flag] = parseRange(text)!;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      faults.push(`${flag}: ${error.message}`);
    }
  }
  if (Object.keys(texts).length === 0) {
    faults.push("there is no range to search: give one, such as --learning-rate 1e-4..1e-1:log");
  }
  if (config.split[1] === 0 && config.validation === "") {
    faults.push(`SPLIT is "${config.texts.SPLIT}": runs are compared by their validation part, which needs rows`);
  }
  for (const flag of OWN_FLAGS.filter((flag) => flag in ranges)) {
    faults.push(`${flag} cannot be searched: the whole search has one`);
  }
  if (faults.length > 0) throw new ConfigError(faults);

  const kept = plain.filter((word, i) =>
    !OWN_FLAGS.includes(word.split("=", 1)[0]) && !OWN_FLAGS.includes(plain[i - 1])
  );
  const width = Math.max(3, `${config.trials}`.length);
  return Array.from({ length: config.trials }, (_, i) => {
    const entries = Object.entries(ranges).map(([flag, range]) =>
      [flag, draw(range, config.seed, `${flag} of trial ${i + 1}`)] as const
    );
    const run = `${config.runName}-${`${i + 1}`.padStart(width, "0")}`;
    const drawn = entries.map(([flag, value]) => `${flag}=${value}`);
    // A report takes as long as a short trial; `deno task report` makes that of the best.
    const report = kept.some((word) => word.split("=", 1)[0] === "--report") ? [] : ["--report=false"];
    const args = [...kept, ...report, ...drawn, `--run-name=${run}`];
    return { run, drawn: Object.fromEntries(entries), args, texts: readConfig("train", args).texts };
  });
}

/**
 * Trains a trial in a process of its own, unless an earlier search did; what that began goes on. Of what the process prints
 * only an error is told.
 */
async function runTrial({ run, args, texts }: Trial): Promise<Outcome> {
  const folder = new RunFolder(run), settings = await readJson(`${folder.path}/config.json`);
  const isBegun = JSON.stringify(settings) === JSON.stringify(texts);
  const earlier = isBegun ? await measuresOf(folder) : undefined;
  if (earlier) return earlier;
  const [, ...words] = project.tasks.train.command.split(" "), script = new URL("train.ts", import.meta.url);
  const config = fileURLToPath(new URL("../deno.json", import.meta.url));
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--config", config, ...words.slice(1, -1), script.href, ...isBegun ? [`--resume=${run}`] : args],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  const measures = code === 0 ? await measuresOf(folder) : undefined;
  if (measures) return measures;
  const said = new TextDecoder().decode(stderr).trim().split("\n");
  return said.find((line) => line.startsWith("error: "))?.slice(7) ?? `train ended with exit code ${code}`;
}

/** The measures of a finished run on its validation part. */
async function measuresOf(folder: RunFolder): Promise<Readonly<Record<string, number>> | undefined> {
  const summary = await readJson(`${folder.path}/summary.json`);
  return summary?.validation as Record<string, number> | undefined;
}

async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  return await stampOf(path) === undefined ? undefined : parseObject(await Deno.readTextFile(path));
}

async function main(config: TaskConfig, plain: readonly string[], ranges: Record<string, string>): Promise<number> {
  const trials = planTrials(config, plain, ranges);
  using _search = await lockSearch(config.runName);
  const outcomes: [Trial, Outcome][] = [];
  for (const [i, trial] of trials.entries()) {
    const start = performance.now(), outcome = await runTrial(trial);
    const drawn = Object.entries(trial.drawn).map((pair) => pair.join(" ")).join("  ");
    const ended = typeof outcome === "string" ? outcome : `validation loss ${formatNumber(outcome.loss)}`;
    console.log(
      `trial ${i + 1}/${trials.length}  ${drawn}  ${ended}  ${((performance.now() - start) / 1000).toFixed(1)} s`,
    );
    outcomes.push([trial, outcome]);
  }
  console.log(formatOutcomes(outcomes));
  const best = sorted(outcomes)[0];
  if (typeof best[1] === "string") return 1;
  console.log(`best: ${new RunFolder(best[0].run).path}`);
  return 0;
}

/** Best first; those without a loss last. */
function sorted(outcomes: readonly [Trial, Outcome][]): [Trial, Outcome][] {
  const lossOf = (outcome: Outcome) => typeof outcome === "string" ? Infinity : outcome.loss;
  return outcomes.toSorted(([, a], [, b]) => lossOf(a) < lossOf(b) ? -1 : lossOf(a) > lossOf(b) ? 1 : 0);
}

function formatOutcomes(outcomes: readonly [Trial, Outcome][]): string {
  const flags = Object.keys(outcomes[0][0].drawn);
  const measures = MEASURES.filter((name) =>
    outcomes.some(([, outcome]) => typeof outcome !== "string" && outcome[name] !== undefined)
  );
  const rows = sorted(outcomes).map(([{ run, drawn }, outcome]) => [
    run,
    ...flags.map((flag) => drawn[flag]),
    // Runs for numbers and runs for classes have other measures.
    ...(typeof outcome === "string"
      ? ["failed"]
      : measures.map((name) => outcome[name] === undefined ? "" : formatNumber(outcome[name]))),
  ]);
  return formatTable([["run", ...flags.map((flag) => flag.slice(2)), ...measures], ...rows]);
}

if (import.meta.main) {
  const { plain, ranges } = splitRanges(Deno.args);
  Deno.exit(await exitCodeOf("tune", plain, (config) => main(config, plain, ranges)));
}

/** The trials of a search: their settings, who runs them, their order by loss. */

import { foldsAsked } from "../prepare/folds.ts";
import { endOfFlags } from "../settings/command_line.ts";
import { ConfigError, readConfig, type TaskConfig } from "../settings/config.ts";
import { settingAt } from "../settings/faults.ts";
import { printLine, warnLine } from "../settings/lines.ts";
import { lockSearch } from "../prepare/locks.ts";
import { RunFolder } from "../runs/folder.ts";
import { draw, isRange, parseRange, type Range } from "./search.ts";
import { formatNumber, formatTable } from "../show/text_table.ts";
import { type Check, checkTrials, isBegun, type Outcome, runTrial, sourcesOfTrial, type Trial } from "./trial.ts";

interface SearchLine {
  /** The words without ranges, in their order. */
  readonly plain: readonly string[];
  /** The text of each range, by flag. */
  readonly ranges: Readonly<Record<string, string>>;
}

/** Measures that the table shows, if a run has them. */
const MEASURES = ["loss", "r2", "accuracy", "macroF1"];

/** Flags of the whole search, which its trials do not get. */
const OWN_FLAGS = ["--trials", "--run-name", "--rank-timeout"];

export function splitRanges(args: readonly string[]): SearchLine {
  const plain: string[] = [];
  const ranges: Record<string, string> = {};
  const end = endOfFlags(args);
  for (let i = 0; i < end; i++) {
    const [flag, joined] = args[i].split(/=(.*)/s, 2);
    const value = joined ?? (i + 1 < end ? args[i + 1] : undefined);
    if (flag.startsWith("--") && value !== undefined && isRange(value)) {
      ranges[flag] = value;
      if (joined === undefined) i++;
    } else {
      plain.push(args[i]);
    }
  }
  return { plain: [...plain, ...args.slice(end)], ranges };
}

/**
 * Draws the settings of all trials, and checks them before the first one runs.
 *
 * @throws {ConfigError} If something is wrong.
 */
export function planTrials(config: TaskConfig, { plain, ranges: texts }: SearchLine): Trial[] {
  const ranges: Record<string, Range> = {};
  const faults: string[] = [];
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
  if (config.split[1] === 0 && config.validation === "" && foldsAsked(config) === 0) {
    const problem = "trials are compared by their validation loss, and there are no validation rows";
    faults.push(`${settingAt("SPLIT", config)}: ${problem}`);
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
    // A report takes as long as a short trial; `deno task report` makes one of the best run.
    const report = kept.some((word) => word.split("=", 1)[0] === "--report") ? [] : ["--report=false"];
    const args = [...kept, ...report, ...drawn, `--run-name=${run}`];
    return { run, drawn: Object.fromEntries(entries), args, texts: readConfig("train", args).texts };
  });
}

/** Runs the trials, prints each one at its end, and then all of them in a table. */
export async function search(
  trials: readonly Trial[],
  workers: readonly Worker[],
  print: (lines: string) => void = printLine,
  warn: (line: string) => void = warnLine,
): Promise<number> {
  const hasHosts = new Set(workers.map(({ host }) => host)).size > 1;
  const all = await handOut(trials, workers, ({ trial, at, outcome, host, seconds }) => {
    const drawn = Object.entries(trial.drawn).map((pair) => pair.join(" ")).join("  ");
    const ended = typeof outcome === "string" ? outcome : `validation loss ${formatNumber(outcome.loss)}`;
    const where = hasHosts ? `  on ${host}` : "";
    print(`trial ${at + 1}/${trials.length}  ${drawn}  ${ended}  ${seconds.toFixed(1)} s${where}`);
  });
  const ranking = sorted(all);
  print(formatEnded(ranking, hasHosts));
  const ended = ranking.filter(({ outcome }) => typeof outcome !== "string");
  if (ended.length === 0) return 1;
  const [best] = await comparable(ended, warn);
  if (best) print(`best: ${new RunFolder(best.trial.run).path}${hasHosts ? ` on ${best.host}` : ""}`);
  return 0;
}

/**
 * The trials that may be compared: those of the rows, the device and the version of now; all, if they have others, but the
 * same. Warns of each trial that is not as now.
 */
async function comparable(ended: readonly Ended[], warn: (line: string) => void): Promise<readonly Ended[]> {
  const checks = new Map<Ended, Check>();
  for (const worker of new Set(ended.map(({ worker }) => worker))) {
    const own = ended.filter((one) => one.worker === worker);
    const found = await worker.check(own.map(({ trial }) => trial));
    own.forEach((one, i) => checks.set(one, found[i]));
  }
  const changed = ended.filter((one) => checks.get(one)!.changes.length > 0);
  for (const one of changed) {
    const changes = checks.get(one)!.changes.join(", ");
    warn(
      `warning: ${one.trial.run} differs from a trial of now: ${changes}; the same command makes it anew`,
    );
  }
  if (changed.length < ended.length) {
    if (changed.length > 0) warn("warning: best is the best of the others");
    return ended.filter((one) => !changed.includes(one));
  }
  if (new Set(ended.map((one) => checks.get(one)!.made)).size === 1) return ended;
  warn("warning: no trial is named best: they differ in their rows, their device or their version, and none is as now");
  return [];
}

/** The best first; those without a loss last. */
function sorted(all: readonly Ended[]): Ended[] {
  const lossOf = ({ outcome }: Ended) => typeof outcome === "string" ? Infinity : outcome.loss;
  // Equals stand in the order of the list: which of several ranks ended first depends on timing.
  return all.toSorted((a, b) => lossOf(a) - lossOf(b) || a.at - b.at);
}

function formatEnded(ranking: readonly Ended[], hasHosts: boolean): string {
  const flags = Object.keys(ranking[0].trial.drawn);
  const measures = MEASURES.filter((name) =>
    ranking.some(({ outcome }) => typeof outcome !== "string" && outcome[name] !== undefined)
  );
  const rows = ranking.map(({ trial: { run, drawn }, outcome, host }) => [
    run,
    ...(hasHosts ? [host] : []),
    ...flags.map((flag) => drawn[flag]),
    // Runs for numbers and runs for classes have different measures.
    ...(typeof outcome === "string"
      ? ["failed"]
      : measures.map((name) => outcome[name] === undefined ? "" : formatNumber(outcome[name]))),
  ]);
  const header = ["run", ...(hasHosts ? ["host"] : []), ...flags.map((flag) => flag.slice(2)), ...measures];
  return formatTable([header, ...rows], hasHosts ? 2 : 1);
}

export interface Worker {
  readonly host: string;
  /** Places in the list of the trials that an earlier search began on this worker's disk. */
  look(trials: readonly Trial[]): Promise<number[]>;
  run(trial: Trial): Promise<Outcome>;
  /** What trials that ended on this worker were made of. */
  check(trials: readonly Trial[]): Promise<Check[]>;
}

export interface Ended {
  readonly trial: Trial;
  readonly at: number;
  readonly outcome: Outcome;
  readonly host: string;
  readonly worker: Worker;
  readonly seconds: number;
}

/** The trials that an earlier search began on this machine's disk. */
export async function lookHere(trials: readonly Trial[]): Promise<number[]> {
  // If one cannot be read, running it gives the error.
  const begun = await Promise.all(trials.map((trial) => isBegun(trial).catch(() => false)));
  return [...trials.keys()].filter((at) => begun[at]);
}

/**
 * Gives each free worker the next trial. A trial that an earlier search began goes to a worker that has it on its disk.
 */
export async function handOut(
  trials: readonly Trial[],
  workers: readonly Worker[],
  onEnd: (ended: Ended) => void,
): Promise<Ended[]> {
  const looks = workers.length > 1 ? await Promise.all(workers.map((worker) => worker.look(trials))) : [];
  const begun = looks.map((places) => new Set(places));
  const isSomewhere = new Set(looks.flat());
  const left = new Set(trials.keys());
  const all: Ended[] = [];
  await Promise.all(workers.map(async (worker, i) => {
    for (;;) {
      const at = left.values().find((at) => !isSomewhere.has(at) || begun[i].has(at));
      if (at === undefined) return;
      left.delete(at);
      const trial = trials[at];
      const start = performance.now();
      const outcome = await worker.run(trial);
      const seconds = (performance.now() - start) / 1000;
      const ended = { trial, at, outcome, host: worker.host, worker, seconds };
      all.push(ended);
      onEnd(ended);
    }
  }));
  return all;
}

export async function main(config: TaskConfig, line: SearchLine): Promise<number> {
  const trials = planTrials(config, line);
  using _search = await lockSearch(config.runName);
  await sourcesOfTrial(trials[0]);
  return await search(trials, [{ host: "", look: lookHere, run: (trial) => runTrial(trial), check: checkTrials }]);
}

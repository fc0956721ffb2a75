/** The trials of a search: their settings, their runs, their order by loss. */

import { endOfFlags } from "../settings/command_line.ts";
import { ConfigError, readConfig, type TaskConfig } from "../settings/config.ts";
import { lockSearch } from "../prepare/locks.ts";
import { RunFolder } from "../runs/folder.ts";
import { draw, isRange, parseRange, type Range } from "./search.ts";
import { formatNumber, formatTable } from "../show/text_table.ts";
import type { Trial } from "./trial.ts";
import { type Ended, handOut, THIS_PROCESS, type Worker } from "./workers.ts";

/** A command line of a search. */
export interface SearchLine {
  /** All but what is to be searched, in its order. */
  readonly plain: readonly string[];
  /** The text of each range, by flag. */
  readonly ranges: Readonly<Record<string, string>>;
}

/** Measures that the table shows, where a run has them. */
const MEASURES = ["loss", "r2", "accuracy", "macroF1"];

/** Flags of the whole search: its trials have a name of their own, and do not know the other. */
const OWN_FLAGS = ["--trials", "--run-name", "--rank-timeout"];

/** Cuts a command line in two: what is to be searched, and the rest. */
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
 * What each trial draws, all of it checked before the first one runs.
 *
 * @throws {ConfigError} If it cannot be.
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

/** Runs trials, prints each that has ended, and then all of them in a table. */
export async function search(
  trials: readonly Trial[],
  workers: readonly Worker[],
  print: (lines: string) => void = console.log,
): Promise<number> {
  const hasHosts = new Set(workers.map(({ host }) => host)).size > 1;
  const all = await handOut(trials, workers, ({ trial, at, outcome, host, seconds }) => {
    const drawn = Object.entries(trial.drawn).map((pair) => pair.join(" ")).join("  ");
    const ended = typeof outcome === "string" ? outcome : `validation loss ${formatNumber(outcome.loss)}`;
    const where = hasHosts ? `  on ${host}` : "";
    print(`trial ${at + 1}/${trials.length}  ${drawn}  ${ended}  ${seconds.toFixed(1)} s${where}`);
  });
  const ranking = sorted(all);
  const [best] = ranking;
  print(formatEnded(ranking, hasHosts));
  if (typeof best.outcome === "string") return 1;
  print(`best: ${new RunFolder(best.trial.run).path}${hasHosts ? ` on ${best.host}` : ""}`);
  return 0;
}

/** Best first; those without a loss last. */
function sorted(all: readonly Ended[]): Ended[] {
  const lossOf = ({ outcome }: Ended) => typeof outcome === "string" ? Infinity : outcome.loss;
  // Which of several ranks ended first is chance.
  const numbered = all.toSorted((a, b) => a.at - b.at);
  return numbered.sort((a, b) => lossOf(a) < lossOf(b) ? -1 : lossOf(a) > lossOf(b) ? 1 : 0);
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
    // Runs for numbers and runs for classes have other measures.
    ...(typeof outcome === "string"
      ? ["failed"]
      : measures.map((name) => outcome[name] === undefined ? "" : formatNumber(outcome[name]))),
  ]);
  const header = ["run", ...(hasHosts ? ["host"] : []), ...flags.map((flag) => flag.slice(2)), ...measures];
  return formatTable([header, ...rows], hasHosts ? 2 : 1);
}

export async function main(config: TaskConfig, line: SearchLine): Promise<number> {
  const trials = planTrials(config, line);
  using _search = await lockSearch(config.runName);
  return await search(trials, [THIS_PROCESS]);
}

/** The text of `compare`: settings and columns that differ, curves, results, and notes on what cannot be compared. */

import { shorten, visible } from "../../lib/base/printable.ts";
import type { Evaluation } from "../../lib/evaluate/evaluation.ts";
import { type Key, KEYS, RECIPE_KEYS, SETTINGS, TABLE_KEYS } from "../settings/settings.ts";
import type { RunRecords } from "../runs/records.ts";
import { type Range, rangeOf, sparkline } from "../show/sparkline.ts";
import { PARTS } from "../prepare/split.ts";
import { formatNumber, formatTable } from "../show/text_table.ts";

/** The width of a curve in characters. */
const WIDTH = 24;

/** The most columns that are shown. */
const MAX_COLUMNS = 20;

/** The most epochs whose losses are shown as numbers, besides the last ones. */
const SHOWN_EPOCHS = 5;

/** Settings that say what is learned, and from which rows. */
const TARGET_KEYS: readonly Key[] = ["RECIPE", "DATA", "TARGET", "TASK"];
const ROW_KEYS: readonly Key[] = [
  "NUM_DATASET",
  "NOISE",
  "MISSING",
  "VALIDATION",
  "TEST",
  "TIME_COLUMN",
  "SPLIT",
  "SEED",
];

/** Settings that the scaled rows depend on. */
const SCALED_KEYS: readonly Key[] = [...RECIPE_KEYS, ...TABLE_KEYS, "SCALING_METHOD", "SPLIT", "FOLDS", "SEED", "LOSS"];

/** Files that rows come from, as records name them. */
const FILES = ["DATA", "VALIDATION", "TEST", "RECIPE"] as const;

const MEASURES = [
  "rows",
  "loss",
  "mse",
  "rmse",
  "mae",
  "r2",
  "accuracy",
  "macroF1",
  "rocAuc",
  "averagePrecision",
  "brier",
] as const;

/** Settings that differ: a text for each run, "" if it has none. */
type Differences = Partial<Record<Key, string[]>>;

export function differencesOf(runs: readonly RunRecords[]): Differences {
  const texts = (key: Key) => runs.map(({ settings }) => settings[key] ?? presetOf(key));
  const differing = KEYS.filter((key) => key !== "RUN_NAME" && new Set(texts(key)).size > 1);
  return Object.fromEntries(differing.map((key) => [key, texts(key)]));
}

/** Columns that are not taken as the same by all runs with a table: as what by each, "" if it has no such column. */
export function columnsThatDiffer(runs: readonly RunRecords[]): Record<string, string[]> {
  const taken = runs.map(({ summary }) => new Map(summary?.notes?.columns.map(({ name, as }) => [name, as])));
  const told = taken.filter(({ size }) => size > 0);
  const names = new Set(told.flatMap((columns) => [...columns.keys()]));
  const differing = [...names].filter((name) => new Set(told.map((columns) => columns.get(name))).size > 1);
  return Object.fromEntries(differing.map((name) => [name, taken.map((columns) => columns.get(name) ?? "")]));
}

/**
 * What the runs' records do not agree in, a text for each run, "" if it has none: the hashes of the scaled rows and of the
 * files that they come from, device and version.
 */
export function recordsThatDiffer(runs: readonly RunRecords[]): Record<string, string[]> {
  const records = runs.map(({ origin }): Record<string, string | undefined> => ({
    rows: origin?.data,
    ...origin?.sources,
    device: origin?.device,
    version: origin?.version,
  }));
  const texts = (name: string) => records.map((record) => record[name] ?? "");
  const names = ["rows", ...FILES, "device", "version"].filter((name) => new Set(texts(name)).size > 1);
  return Object.fromEntries(names.map((name) => [name, texts(name)]));
}

/** What differs in the rows of these runs, by their records; false where nothing does, or where the settings say so already. */
function otherRows(runs: readonly RunRecords[], differences: Differences): string | false {
  const records = recordsThatDiffer(runs.filter(({ origin }) => origin));
  const files = FILES.filter((name) => name in records);
  if (files.length > 0) return `the content of ${files.join(", ")} differs`;
  if (!("rows" in records) || SCALED_KEYS.some((key) => key in differences)) return false;
  return "the rows differ, although their settings are the same";
}

/** The value of a setting that a run does not name; a setting of recipes has none in a table, and the other way round. */
function presetOf(key: Key): string {
  return [...RECIPE_KEYS, ...TABLE_KEYS].some((known) => known === key) ? "" : SETTINGS[key].default;
}

/** What cannot be compared, and why. */
export function notesOf(runs: readonly RunRecords[], differences: Differences): string[] {
  const among = (...keys: readonly Key[]) => {
    const found = keys.filter((key) => key in differences);
    return found.length > 0 && `${found.join(", ")} ${found.length > 1 ? "differ" : "differs"}`;
  };
  const devices = new Set(runs.flatMap(({ summary, origin }) => origin?.device ?? summary?.device ?? []));
  const versions = new Set(runs.flatMap(({ origin }) => origin?.version ?? []));
  const unknown = runs.filter(({ origin }) => !origin).map(({ run }) => run);
  const others = otherRows(runs, differences);
  const pending = runs.filter(({ summary }) => !summary).map(({ run }) => run);
  const targets = among(...TARGET_KEYS);
  const rows = among(...ROW_KEYS);
  const losses = among("LOSS", "CLASS_WEIGHTS");
  const units = among("SCALING_METHOD");
  return [
    targets && `${targets}: the runs predict different things; losses and measures cannot be compared`,
    !targets && losses && `${losses}: losses are of different kinds and cannot be compared; the other measures can`,
    !targets && units &&
    `${units}: losses have different units and cannot be compared; measures are in raw units and can`,
    !targets && rows && `${rows}: the runs are measured on different rows; small differences mean nothing`,
    !targets && !rows && others && `${others}: the runs are measured on different rows; small differences mean nothing`,
    versions.size > 1 &&
    `the runs are of different versions of Backhand (${[...versions].join("; ")}); results may differ for that alone`,
    unknown.length > 0 &&
    `no origin.json: ${unknown.join(", ")}; nothing shows whether rows and version are those of the other runs`,
    devices.size > 1 && `the runs used different devices (${[...devices].join("; ")}); steps/s cannot be compared`,
    pending.length > 0 && `not finished: ${pending.join(", ")}; \`deno task train --resume\` continues`,
  ].filter((note) => note !== false);
}

export function formatComparison(runs: readonly RunRecords[]): string {
  const differences = differencesOf(runs);
  const notes = notesOf(runs, differences);
  const names = runs.map(({ run }) => run);
  const keys = Object.entries(differences).map(([key, texts]) => [key, ...texts.map((text) => text || "-")]);
  // Losses of different kinds would only flatten each other.
  const shared = !["LOSS", "CLASS_WEIGHTS", "SCALING_METHOD", ...TARGET_KEYS].some((key) => key in differences);
  return [
    keys.length > 0 ? formatTable([["setting", ...names], ...keys], names.length + 1) : "settings: all the same",
    ...formatRecords(runs),
    ...formatColumns(runs),
    ...formatCurves("train loss", runs, (line) => line.trainLoss, shared),
    ...formatCurves("validation loss", runs, (line) => line.valLoss, shared),
    ...formatEnds(runs),
    ...notes.length > 0 ? [notes.map((note) => `note: ${note}`).join("\n")] : [],
  ].join("\n\n");
}

/** What the records do not agree in, of hashes the first digits. */
function formatRecords(runs: readonly RunRecords[]): string[] {
  const records = Object.entries(recordsThatDiffer(runs));
  if (records.length === 0) return [];
  const shown = (text: string) => /^[0-9a-f]{64}$/.test(text) ? text.slice(0, 12) : shorten(visible(text), 40) || "-";
  const rows = records.map(([name, texts]) => [name, ...texts.map(shown)]);
  return [formatTable([["record", ...runs.map(({ run }) => run)], ...rows], runs.length + 1)];
}

function formatColumns(runs: readonly RunRecords[]): string[] {
  const columns = Object.entries(columnsThatDiffer(runs));
  if (columns.length === 0) return [];
  const rows = columns.slice(0, MAX_COLUMNS).map(([name, kinds]) => [
    shorten(visible(name), 40),
    ...kinds.map((kind) => visible(kind) || "-"),
  ]);
  const rest = columns.length - rows.length;
  const more = rest > 0 ? `\nand ${rest} more columns; --json has all` : "";
  return [formatTable([["column taken as", ...runs.map(({ run }) => run)], ...rows], runs.length + 1) + more];
}

type EpochOf = RunRecords["epochs"][number];

/** A curve for each run over the same epochs, and losses at some of them; nothing if no run has any. */
function formatCurves(
  title: string,
  runs: readonly RunRecords[],
  lossOf: (line: EpochOf) => number | null,
  shared: boolean,
): string[] {
  const curves = runs.map(({ epochs }) => new Map(epochs.map((line) => [line.epoch, lossOf(line) ?? NaN])));
  if (!curves.some((curve) => curve.values().some((loss) => !Number.isNaN(loss)))) return [];
  const lasts = curves.map((curve) => curve.keys().reduce((most, epoch) => Math.max(most, epoch), 0));
  const last = Math.max(...lasts);
  const blocks = curves.map((curve) => blocksOf(curve, last));
  const range = rangeOf(blocks);
  const shown = epochsShown(lasts);
  const drawn = (values: number[]): Range => shared ? range : rangeOf([values]);
  const rows = runs.map(({ run }, i) => [
    run,
    sparkline(blocks[i], drawn(blocks[i])),
    ...shown.map((epoch) => numberOf(curves[i].get(epoch), 4)),
  ]);
  return [formatTable([[title, `epochs 1 to ${last}`, ...shown.map((epoch) => `epoch ${epoch}`)], ...rows], 2)];
}

/** The last loss in each of equal parts of the epochs of all runs; of few epochs every loss. */
function blocksOf(curve: ReadonlyMap<number, number>, last: number): number[] {
  const blocks: number[] = Array(Math.min(WIDTH, last)).fill(NaN);
  for (const [epoch, loss] of curve) blocks[Math.ceil(epoch * blocks.length / last) - 1] = loss;
  return blocks;
}

/** Epochs that all runs have, farther and farther apart, and the last one of each. */
function epochsShown(lasts: readonly number[]): number[] {
  const common = Math.min(...lasts.filter((last) => last > 0));
  const spread = Array.from({ length: SHOWN_EPOCHS }, (_, i) => Math.round(common ** (i / (SHOWN_EPOCHS - 1))));
  return [...new Set([...spread, ...lasts.filter((last) => last > 0)])].sort((a, b) => a - b);
}

/** The results: a table of speed, and one for each part of the data. */
function formatEnds(runs: readonly RunRecords[]): string[] {
  const speed = runs.map(({ run, epochs, summary }) => [
    run,
    `${epochs.length}`,
    numberOf(summary?.steps),
    summary?.seconds?.toFixed?.(1) ?? "",
    summary ? summary.stepsPerSecond?.toFixed?.(0) ?? "" : "not finished",
  ]);
  const tables = PARTS.flatMap((part) => {
    const measured = runs.flatMap(({ run, summary }) => summary?.[part] ? [{ run, measures: summary[part] }] : []);
    const names = MEASURES.filter((name) => measured.some(({ measures }) => measures[name] !== undefined));
    const line = (measures: Evaluation) => names.map((name) => numberOf(measures[name]));
    const rows = measured.map(({ run, measures }) => [run, ...line(measures)]);
    return rows.length > 0 ? [formatTable([[`result, ${part}`, ...names], ...rows])] : [];
  });
  return [formatTable([["run", "epochs", "steps", "seconds", "steps/s"], ...speed]), ...tables];
}

function numberOf(value: number | null | undefined, digits = 6): string {
  return typeof value !== "number" || Number.isNaN(value) ? "" : formatNumber(Number(value.toPrecision(digits)));
}

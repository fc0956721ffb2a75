/** The results as text. */

import { formatTable } from "../show/text_table.ts";
import { isRight, judge, lookingCost, namePeers, type Peers } from "./goals.ts";
import { productRatio, type Standing, trainingRatio, wholeRunRatio } from "./goals.ts";
import { GOLDEN } from "./golden.ts";
import { CONTESTANTS } from "./plan.ts";
import { formatSize } from "./products.ts";
import { type Implementation, median, nameOf, NATIVES, type Results, type TrainingResult } from "./results.ts";
import { WORKLOADS } from "./workloads.ts";

export function formatResults(results: Results): string {
  return [
    formatMachine(results),
    formatTraining(results),
    formatProducts(results),
    formatSteps(results),
    formatWholeRun(results),
    formatData(results),
    formatLooking(results),
    formatGoals(results),
    results.missing.map((line) => `not compared: ${line}`).join("\n"),
    ...faultsOf(results, false),
  ].filter((part) => part !== "").join("\n\n");
}

/** Why a run fails, a line each: wrong results, workers that failed, and, if asked, values below their floor. */
export function faultsOf(results: Results, floor: boolean): string[] {
  const below = judge(results).filter(({ holdsFloor }) => !holdsFloor);
  return [
    ...wrongRows(results),
    ...results.failures.map(({ worker, message }) => `${worker} gave no result: ${message}`),
    ...(floor ? below.map((standing) => `below the floor: ${describe(standing)}`) : []),
  ];
}

function formatMachine({ limits, versions, cores }: Results): string {
  const { device, fmaGflops, copyGigabytes } = limits;
  return [
    `device: ${device}; ${cores} cores`,
    `versions: ${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ")}`,
    `at best: ${formatRate(fmaGflops)} GFLOP/s of multiply-adds, ${formatRate(copyGigabytes)} GB/s copied`,
  ].join("\n");
}

function formatTraining({ training }: Results): string {
  const names = WORKLOADS.map(({ name }) => name);
  const natives = nativesIn(training);
  const rows = [...CONTESTANTS, ...natives].map((contestant) => {
    const own = names.map((name) => training.find((row) => row.workload === name && isSame(row, contestant)));
    const peak = Math.max(...own.map((row) => row?.peakBytes ?? 0));
    return [nameOf(contestant), ...own.map(formatSpeed), peak > 0 ? formatMegabytes(peak) : "-"];
  });
  const ratios = ratioRows(names, natives, (name, peers) => trainingRatio(training, name, peers));
  return formatTable([["training, steps/s", ...names, "peak memory"], ...rows, ...ratios]);
}

function formatProducts({ products }: Results): string {
  const sizes = [...new Set(products.map(({ size }) => formatSize(size)))];
  if (sizes.length === 0) return "";
  const natives = nativesIn(products);
  const rows = [...CONTESTANTS.filter(({ multiplies }) => multiplies), ...natives].map((contestant) => [
    nameOf(contestant),
    ...sizes.map((size) => {
      const row = products.find((row) => isSame(row, contestant) && formatSize(row.size) === size);
      return row === undefined ? "-" : row.error > 1 ? "wrong" : formatRate(row.gflops);
    }),
  ]);
  const ratios = ratioRows(sizes, natives, (size, peers) => productRatio(products, size, peers));
  return formatTable([["matrix product, GFLOP/s", ...sizes], ...rows, ...ratios]);
}

function nativesIn(rows: readonly Implementation[]): typeof NATIVES[number][] {
  return NATIVES.filter((native) => rows.some((row) => isSame(row, native)));
}

function ratioRows<T>(
  columns: readonly T[],
  natives: readonly typeof NATIVES[number][],
  ratioOf: (column: T, peers: Peers) => number,
): string[][] {
  const peers = ["webgpu", "javascript", ...natives.map(nameOf)] as Peers[];
  return peers.map((peers) => [
    `backhand to ${namePeers(peers)}`,
    ...columns.map((column) => formatRatio(ratioOf(column, peers))),
  ]);
}

/** What this project's steps cost besides time, and how memory grows. */
function formatSteps({ training, endurance, firstStep }: Results): string {
  const rows = training.flatMap(({ workload, costs }) => {
    if (!costs) return [];
    const { dispatches, allocations, bindGroups, waits, reads } = costs;
    return [[workload, ...[dispatches, allocations, bindGroups, waits].map((n) => formatRate(n)), reads.toFixed(4)]];
  });
  const header = ["a step of backhand", "dispatches", "allocations", "bind groups", "waits", "reads of losses"];
  const lines = rows.length > 0 ? [formatTable([header, ...rows])] : [];
  if (endurance) {
    const { steps, before, after } = endurance;
    const held = ({ buffers, bytes, resident }: typeof before) =>
      `${buffers} buffers of ${bytes} bytes, ${formatMegabytes(resident)} resident`;
    lines.push(`${formatCount(steps)} steps of seed: ${held(before)} before, ${held(after)} after`);
  }
  if (firstStep.length > 0) {
    const times = firstStep.map((seconds) => seconds.toFixed(2)).join(", ");
    lines.push(`first steps of train done ${times} s after the process started, on a scaled dataset`);
  }
  return lines.join("\n");
}

function formatWholeRun({ wholeRun }: Results): string {
  if (wholeRun === undefined) return "";
  const list = (seconds: readonly number[]) => seconds.map((value) => value.toFixed(1)).join(", ");
  const { own, sklearn, epochs, members } = wholeRun;
  return `train with all defaults on 1,000 rows: ${list(own)} s for ${epochs} epochs of ${members} members; ` +
    `scikit-learn ${list(sklearn)} s for as many epochs of one: ${formatRatio(wholeRunRatio(wholeRun))}`;
}

function formatData({ data = [] }: Results): string {
  if (data.length === 0) return "";
  return formatTable([
    ["making data", "rows", "rows/s", "peak memory"],
    ...data.map(({ stage, rows, rowsPerSecond, peakBytes }) => [
      stage,
      formatCount(rows),
      formatCount(rowsPerSecond),
      formatMegabytes(peakBytes),
    ]),
  ]);
}

function formatLooking({ looking }: Results): string {
  if (looking.length === 0) return "";
  return formatTable([
    ["cost of watching", "steps/s", "slower by"],
    ...looking.map(({ view, rounds }) => [
      view,
      formatRate(median(rounds)),
      view === "quiet" ? "-" : formatValue(lookingCost(looking, view), "%"),
    ]),
  ]);
}

function formatGoals(results: Results): string {
  const standings = judge(results);
  if (standings.length === 0) return "goals: not judged, because they are set for the software adapter";
  const bound = (value: number | undefined, { unit, atMost }: Standing) =>
    value === undefined ? "-" : `${atMost ? "<= " : ">= "}${formatValue(value, unit)}`;
  return formatTable([
    ["goal", "found", "goal", "floor", ""],
    ...standings.map((standing) => [
      standing.name,
      standing.value === undefined ? "not measured" : formatValue(standing.value, standing.unit),
      standing.isMet === undefined ? "-" : bound(standing.goal, standing),
      bound(standing.floor, standing),
      standing.value === undefined ? "" : verdictOn(standing),
    ]),
  ]);
}

function verdictOn({ holdsFloor, isMet }: Standing): string {
  return !holdsFloor ? "BELOW" : isMet === undefined ? "too short to judge" : isMet ? "met" : "missed";
}

function describe({ name, value, floor, unit, atMost }: Standing): string {
  const found = Number.isNaN(value) ? "there is no valid result" : `found ${formatValue(value!, unit)}`;
  return `${name}: ${found}, need ${atMost ? "at most" : "at least"} ${formatValue(floor!, unit)}`;
}

function wrongRows({ training, products }: Results): string[] {
  return [
    ...training.filter((row) => !isRight(row)).map((row) => {
      const { workload, checkedSteps, loss } = row;
      const after = `its loss after ${checkedSteps} steps is ${loss}, not ${GOLDEN[workload][checkedSteps]}`;
      return `${nameOf(row)} is wrong on ${workload}: ${after}`;
    }),
    ...products.filter(({ error }) => !(error <= 1)).map((row) =>
      `${nameOf(row)} is wrong on a product ${formatSize(row.size)}: ${row.error} times the error of float32 sums`
    ),
  ];
}

function formatSpeed(row: TrainingResult | undefined): string {
  return row === undefined ? "-" : isRight(row) ? formatRate(row.stepsPerSecond) : "wrong";
}

function isSame(a: Implementation, b: Implementation): boolean {
  return a.name === b.name && a.backend === b.backend;
}

/** Three digits of a small number, all whole ones of a large. */
function formatRate(value: number): string {
  return value >= 100 ? formatCount(value) : Number(value.toPrecision(3)).toString();
}

function formatCount(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function formatRatio(value: number): string {
  return Number.isNaN(value) ? "-" : `${value.toFixed(2)}x`;
}

function formatMegabytes(bytes: number): string {
  return `${formatCount(bytes / 1e6)} MB`;
}

function formatValue(value: number, unit: Standing["unit"]): string {
  if (Number.isNaN(value)) return "nothing";
  if (unit === "x") return formatRatio(value);
  if (unit === "bytes") return formatMegabytes(value);
  if (unit === "%") return `${value.toFixed(1)}%`;
  return `${formatRate(value)} ${unit}`.trim();
}

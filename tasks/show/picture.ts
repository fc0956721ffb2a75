/** The picture of a run that a terminal shows while it trains, as lines. */

import { formatDuration } from "./pace.ts";
import type { RunFacts } from "./view.ts";
import { type Curve, sparklines } from "./sparkline.ts";
import { cut, wrap } from "./text_table.ts";

/** A line, and its kind, which decides its colour. */
export interface Line {
  readonly text: string;
  readonly kind: "head" | "bar" | "train" | "validation" | "warning";
}

export interface Picture {
  readonly facts: RunFacts;
  readonly step: number;
  /** Mean training loss of the latest steps. */
  readonly loss?: number;
  readonly stepsPerSecond: number | undefined;
  readonly secondsLeft: number | undefined;
  readonly train: Curve;
  readonly validation: Curve;
  /** The latest comes last. */
  readonly warnings: readonly string[];
}

/** The most columns of a bar, and the fewest with which it is drawn. */
const BAR = { most: 40, least: 5 };

const WARNING_LINES = 8;

export function linesOf(picture: Picture, columns: number, rows: number): Line[] {
  const lines: Line[] = [
    { kind: "head", text: headOf(picture, columns) },
    { kind: "bar", text: barOf(picture, columns) },
    ...curvesOf(picture, columns, picture.loss),
  ];
  const room = Math.min(rows - lines.length, WARNING_LINES);
  return [...lines, ...warningsOf(picture.warnings, columns, room)].slice(0, Math.max(rows, 0));
}

export function curvesOf(
  { train, validation }: Pick<Picture, "train" | "validation">,
  columns: number,
  loss = train.latest,
): Line[] {
  const both = [
    { kind: "train", curve: train, latest: loss },
    { kind: "validation", curve: validation, latest: validation.latest },
  ] as const;
  const curves = both.filter(({ latest }) => latest !== undefined);
  const labels = curves.map(({ kind, latest }) => `${kind.padEnd(10)} ${latest!.toPrecision(5)}`);
  const width = Math.max(...labels.map((label) => label.length)) + 1;
  const bars = sparklines(curves.map(({ curve }) => curve.points(Math.max(columns - width, 1))));
  return curves.map(({ kind }, i) => ({ kind, text: cut(`${labels[i].padEnd(width)}${bars[i]}`, columns) }));
}

/** The run, its epoch, and the step of that epoch; if there is little room, the name is cut. */
function headOf({ facts: { runName, epochs, stepsPerEpoch }, step }: Picture, columns: number): string {
  const epoch = Math.min(Math.floor(step / stepsPerEpoch) + 1, epochs);
  const within = step - (epoch - 1) * stepsPerEpoch;
  const place = `epoch ${count(epoch)}/${count(epochs)}  step ${count(within)}/${count(stepsPerEpoch)}`;
  return cut(`${cut(runName, Math.max(columns - place.length - 2, 8))}  ${place}`, columns);
}

function barOf({ facts: { epochs, stepsPerEpoch }, step, stepsPerSecond, secondsLeft }: Picture, columns: number) {
  const share = Math.min(step / (epochs * stepsPerEpoch), 1);
  const rate = stepsPerSecond === undefined ? "" : `  ${count(stepsPerSecond, 3)} steps/s`;
  const left = secondsLeft === undefined ? "" : `  ${formatDuration(secondsLeft)} left`;
  const text = ` ${`${Math.floor(share * 100)}%`.padStart(3)}${rate}${left}`;
  const width = Math.min(columns - text.length, BAR.most);
  const filled = Math.round(share * width);
  return cut(width < BAR.least ? text.trimStart() : "█".repeat(filled) + "░".repeat(width - filled) + text, columns);
}

/** As many of the latest warnings as there is room for; the very last is cut if it alone is too long. */
function warningsOf(warnings: readonly string[], columns: number, room: number): Line[] {
  if (room < 1) return [];
  let lines: string[] = [];
  for (const warning of warnings.toReversed()) {
    const wrapped = wrap(warning, Math.max(columns, 4));
    if (lines.length === 0 && wrapped.length > room) {
      lines = [...wrapped.slice(0, room - 1), `${cut(wrapped[room - 1], columns - 1)}…`];
    } else if (lines.length + wrapped.length > room) break;
    else lines = [...wrapped, ...lines];
  }
  return lines.map((text) => ({ kind: "warning", text: cut(text, columns) }));
}

/** A number as people read it; small rates with three digits. */
function count(value: number, digits = 0): string {
  return value >= 100 || digits === 0
    ? Math.round(value).toLocaleString("en-US")
    : value.toLocaleString("en-US", { maximumSignificantDigits: digits });
}

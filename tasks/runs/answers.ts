/** Predictions as text: lines of CSV or of JSON. */

import { stringify } from "@std/csv";
import { printable } from "../../lib/base/printable.ts";
import { type ClassPrediction, type Prediction, toPredictions } from "../../lib/model_file/load_model.ts";
import type { Intervals, Predicted } from "../../lib/model_file/intervals.ts";
import type { ModelDescription } from "../../lib/model_file/saved_model.ts";
import { roundTo } from "../show/text_table.ts";

/** Digits of float32. */
const DIGITS = 7;

/** What stands between the classes of a set, in a cell. */
const BETWEEN_CLASSES = "|";

/** The smallest difference that is shown, as a share of the target's deviation. */
const RESOLUTION = 1e-6;

/** What is written next to the predictions of some rows. */
interface Answered {
  /** Of each row the cells that a CSV answer repeats; none for a JSON answer. */
  readonly cells: readonly (readonly string[])[];
  /** Of each row what a JSON answer repeats; none if nothing is kept. */
  readonly kept: readonly Readonly<Record<string, unknown>>[];
}

/** Writes predictions as text, a line a row. No name is there twice: predictions get underscores where it is taken. */
export class Answers {
  readonly #description: ModelDescription;
  readonly #isJson: boolean;
  readonly #intervals?: Intervals;
  readonly #names: readonly string[];
  readonly #rounders: readonly ((value: number) => number)[];
  #header: string[][];

  /**
   * Chooses the names.
   *
   * @param description What is predicted.
   * @param columns Columns of CSV before the predictions, or names of JSON.
   * @param isJson Whether to write JSON lines, not CSV.
   * @param intervals What makes intervals, or sets of classes, where they are asked for.
   */
  constructor(description: ModelDescription, columns: readonly string[], isJson: boolean, intervals?: Intervals) {
    this.#description = description;
    this.#isJson = isJson;
    this.#intervals = intervals;
    const names = isJson ? jsonNames(description) : csvNames(description);
    this.#names = freeNames([...names, ...(intervals ? intervalNames(description, isJson) : [])], columns);
    this.#header = isJson ? [] : [[...columns, ...this.#names]];
    const { table: { target }, scalers } = description;
    this.#rounders = target.kind === "numeric"
      ? scalers.targets.columns.map(({ deviation }) => rounder(deviation))
      : target.classes.map(() => rounder(0));
  }

  /**
   * The lines of a block, the first time after the header of CSV.
   *
   * @param predicted Predictions in raw units, or probabilities, and what the members put out: intervals need both.
   */
  write({ cells, kept }: Answered, { predicted, own }: Predicted): string {
    const within = this.#intervals ? this.#within(this.#intervals, { predicted, own }) : undefined;
    const answers = toPredictions(predicted, this.#description).map((answer, i) => {
      return [...this.#cellsOf(answer), ...within?.[i] ?? []];
    });
    if (this.#isJson) {
      const lines = answers.map((answer, i) => `${printable(JSON.stringify(this.#objectOf(answer, kept[i])))}\n`);
      return lines.join("");
    }
    const text = stringify([...this.#header, ...answers.map((answer, i) => [...cells[i], ...answer])]);
    this.#header = [];
    return text;
  }

  /** Of each row the ends of its intervals, or its set of classes: a cell of CSV, a list in JSON. */
  #within(intervals: Intervals, rows: Predicted): unknown[][] {
    const { target } = this.#description.table;
    if (target.kind === "classes") {
      const sets = intervals.sets(rows).map((set) => set.map((place) => target.classes[place]));
      return sets.map((names) => [this.#isJson ? names : names.join(BETWEEN_CLASSES)]);
    }
    const { lower, upper } = intervals.bounds(rows);
    const width = target.names.length;
    return Array.from(
      { length: lower.length / width },
      (_, row) =>
        target.names.flatMap((_, i) => [lower, upper].map((ends) => this.#rounders[i](ends[row * width + i]))),
    );
  }

  /** An answer as cells, in the order of targets or classes: an object puts names that are whole numbers first. */
  #cellsOf(answer: Prediction): unknown[] {
    const { target } = this.#description.table;
    const rounded = (value: number, i: number) => this.#rounders[i](value);
    if (typeof answer === "number") return [rounded(answer, 0)];
    if (target.kind === "numeric") {
      return target.names.map((name, i) => rounded((answer as Record<string, number>)[name], i));
    }
    const { class: predicted, probabilities } = answer as ClassPrediction;
    return [predicted, ...target.classes.map((name, i) => rounded(probabilities[name], i))];
  }

  #objectOf(answer: readonly unknown[], kept: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    const { target } = this.#description.table;
    const names = this.#names;
    if (target.kind === "numeric") {
      return { ...kept, ...Object.fromEntries(names.map((name, i) => [name, answer[i]])) };
    }
    const probabilities = Object.fromEntries(target.classes.map((name, i) => [name, answer[i + 1]]));
    const set = answer.slice(target.classes.length + 1).map((names, i) => [this.#names[2 + i], names]);
    return { ...kept, [names[0]]: answer[0], [names[1]]: probabilities, ...Object.fromEntries(set) };
  }
}

/** Names of the columns of answers in CSV. */
function csvNames({ table: { target } }: ModelDescription): string[] {
  if (target.kind === "numeric") return target.names.map((name) => `predicted_${name}`);
  return [`predicted_${target.name}`, ...target.classes.map((name) => `probability_${name}`)];
}

/** Names in answers in JSON. */
function jsonNames({ table: { target } }: ModelDescription): readonly string[] {
  return target.kind === "numeric" ? target.names : ["class", "probabilities"];
}

/** Names of what intervals add. */
function intervalNames({ table: { target } }: ModelDescription, isJson: boolean): string[] {
  if (target.kind === "numeric") return target.names.flatMap((name) => [`lower_${name}`, `upper_${name}`]);
  return [isJson ? "set" : `set_${target.name}`];
}

/** The names, each with as many underscores at its end as make it one that is not taken. */
export function freeNames(names: readonly string[], taken: readonly string[]): string[] {
  const all = new Set(taken);
  return names.map((name) => {
    let free = name;
    while (all.has(free)) free += "_";
    all.add(free);
    return free;
  });
}

/**
 * Rounds to the digits that say something: those of float32, and more where the values lie far from 0 and close together, as
 * times in seconds do.
 */
export function rounder(deviation: number): (value: number) => number {
  const step = deviation > 0 ? deviation * RESOLUTION : Infinity;
  return (value) => roundTo(value, DIGITS, step);
}

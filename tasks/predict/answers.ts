/** Predictions as text: lines of CSV or of JSON. */

import { stringify } from "@std/csv";
import { printable } from "../../lib/base/printable.ts";
import { type ClassPrediction, type Prediction, toPredictions } from "../../lib/model_file/load_model.ts";
import type { ModelDescription } from "../../lib/model_file/saved_model.ts";
import { roundTo } from "../show/text_table.ts";
import type { Block } from "./rows.ts";

/** Digits of float32. */
const DIGITS = 7;

/** The smallest difference that is shown, as a share of the target's deviation. */
const RESOLUTION = 1e-6;

/** Writes predictions as text, a line a row. No name is there twice: predictions get underscores where it is taken. */
export class Answers {
  readonly #description: ModelDescription;
  readonly #isJson: boolean;
  readonly #names: readonly string[];
  readonly #rounders: readonly ((value: number) => number)[];
  #header: string[][];

  /**
   * Chooses the names.
   *
   * @param description What is predicted.
   * @param columns Columns of CSV before the predictions, or names of JSON.
   * @param isJson Whether to write JSON lines, not CSV.
   */
  constructor(description: ModelDescription, columns: readonly string[], isJson: boolean) {
    this.#description = description;
    this.#isJson = isJson;
    this.#names = freeNames(isJson ? jsonNames(description) : csvNames(description), columns);
    this.#header = isJson ? [] : [[...columns, ...this.#names]];
    const { table: { target }, scalers } = description;
    this.#rounders = target.kind === "numeric"
      ? scalers.targets.columns.map(({ deviation }) => rounder(deviation))
      : target.classes.map(() => rounder(0));
  }

  /** The lines of a block, the first time after the header of CSV. */
  write({ cells, kept }: Block, predicted: ArrayLike<number>): string {
    const answers = toPredictions(predicted, this.#description).map((answer) => this.#cellsOf(answer));
    if (this.#isJson) {
      const lines = answers.map((answer, i) => `${printable(JSON.stringify(this.#objectOf(answer, kept[i])))}\n`);
      return lines.join("");
    }
    const text = stringify([...this.#header, ...answers.map((answer, i) => [...cells[i], ...answer])]);
    this.#header = [];
    return text;
  }

  /** An answer as cells, in the order of targets or classes: an object puts names that are whole numbers first. */
  #cellsOf(answer: Prediction): (string | number)[] {
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
    return { ...kept, [names[0]]: answer[0], [names[1]]: probabilities };
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

/** The names, each with as many underscores at its end as make it one that is not taken. */
function freeNames(names: readonly string[], taken: readonly string[]): string[] {
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

/** What is learned from the targets of the training rows: classes, or statistics. */

import { CONSTANT_TARGET_FIX } from "../../lib/inspect/diagnosis.ts";
import { type ColumnStatistics, RunningStatistics } from "../../lib/data/statistics.ts";
import type { Target } from "../../lib/data/table.ts";
import { numberReader } from "../../lib/data/table_encoder.ts";
import { NameCounts } from "./name_counts.ts";

/** The targets of the training rows. */
export class TargetFit {
  readonly #columns: readonly string[];
  readonly #read: (cell: string) => number;
  readonly #statistics: RunningStatistics;
  readonly #names: NameCounts | undefined;

  constructor(columns: readonly string[], kind: Target["kind"], missingTexts?: readonly string[]) {
    this.#columns = columns;
    this.#read = numberReader(missingTexts);
    this.#statistics = new RunningStatistics(columns);
    this.#names = kind === "classes" ? new NameCounts() : undefined;
  }

  /** Adds a training row's cells. */
  add(cells: readonly string[]): void {
    if (this.#names) this.#names.add(cells[0].trim());
    else this.#statistics.add(cells.map(this.#read));
  }

  /** The target, and under numbers its statistics; under classes there are two at least, each with its number of rows. */
  result(): {
    target: Target;
    statistics: ColumnStatistics[];
    counts: ReadonlyMap<string, number>;
    notes: string[];
  } {
    if (!this.#names) {
      const target = { kind: "numeric", names: this.#columns } as const;
      return { target, statistics: this.#statistics.result(), counts: new Map(), notes: [] };
    }
    const [name] = this.#columns;
    const counts = new Map(this.#names.sorted().map(({ text, rows }) => [text, rows]));
    const classes = [...counts.keys()];
    if (classes.length < 2) {
      throw new RangeError(
        `the training rows have the one class ${
          classes[0]
        } of ${name}: there is nothing to learn; ${CONSTANT_TARGET_FIX}`,
      );
    }
    return {
      target: { kind: "classes", name, classes },
      statistics: [],
      counts,
      notes: this.#names.mergedNote(name),
    };
  }
}

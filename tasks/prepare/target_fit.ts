/** What is learned from the targets of the training rows: classes, or statistics. */

import { CellError, isMissing, MISSING_TEXTS } from "../../lib/data/cells.ts";
import { CONSTANT_TARGET_FIX } from "../../lib/inspect/diagnosis.ts";
import { type ColumnStatistics, RunningStatistics } from "../../lib/data/statistics.ts";
import type { Target } from "../../lib/data/table.ts";
import { MISSING_TARGET, TargetEncoder } from "../../lib/data/table_encoder.ts";
import { NameCounts } from "./name_counts.ts";

/** The targets of the training rows. */
export class TargetFit {
  readonly #columns: readonly string[];
  readonly #encoder: TargetEncoder;
  readonly #missingTexts: readonly string[];
  readonly #statistics: RunningStatistics;
  readonly #names: NameCounts | undefined;

  constructor(columns: readonly string[], kind: Target["kind"], missingTexts: readonly string[] = MISSING_TEXTS) {
    this.#columns = columns;
    this.#missingTexts = missingTexts;
    this.#encoder = new TargetEncoder({ kind: "numeric", names: columns }, "values", missingTexts);
    this.#statistics = new RunningStatistics(columns);
    this.#names = kind === "classes" ? new NameCounts() : undefined;
  }

  /**
   * Adds a training row's cells.
   *
   * @throws {CellError} If one is missing, or no number where it should be: as in rows of a file that nobody has looked at.
   */
  add(cells: readonly string[]): void {
    if (this.#names) {
      if (isMissing(cells[0], this.#missingTexts)) throw new CellError(MISSING_TARGET, this.#columns[0]);
      this.#names.add(cells[0].trim());
      return;
    }
    const values = new Float64Array(cells.length);
    this.#encoder.encode(cells, values, 0);
    this.#statistics.add(values);
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

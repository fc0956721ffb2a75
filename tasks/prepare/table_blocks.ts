/** The rows of a user's table, block by block, each with the part that it is in. */

import { CellError } from "../../lib/data/cells.ts";
import type { CsvRange } from "../../lib/data/csv_range.ts";
import { readRecords } from "../../lib/data/csv_records.ts";
import { DataError } from "../../lib/base/errors.ts";
import type { Config } from "../settings/config_types.ts";
import { type OnProgress, separatorNamed } from "./table_look.ts";
import type { TablePlan } from "./table_plan.ts";
import { DROPPED, isIncomplete } from "./table_split.ts";

/** A file of rows, or a folder of files. */
export interface Source {
  path: string;
  /** Of its rows those of this rank; left out where all are. */
  range?: CsvRange;
  /** Part of each of these rows; where it is left out, all are of `part`. */
  parts?: Uint8Array;
  part: number;
}

/** Rows of a file with their parts. */
export interface PartedBlock {
  records: readonly (readonly string[])[];
  parts: Uint8Array;
  /** Places of inputs and targets in a record. */
  inputs: readonly number[];
  targets: readonly number[];
  /** An error as one of the file, with the line of a record. */
  faultOf: (error: unknown, index: number) => unknown;
}

/** All rows, source by source. */
export async function* partedBlocks(
  config: Config,
  plan: TablePlan,
  sources: readonly Source[],
  onProgress: OnProgress,
): AsyncGenerator<PartedBlock> {
  const inputs = plan.inputs.map(({ name }) => name);
  const columns = [...inputs, ...plan.targets];
  for (const [index, source] of sources.entries()) {
    const options = { separator: separatorNamed(config.separator), columns, ...(index === 0 ? { onProgress } : {}) };
    const { path, range } = source;
    const before = range?.firstRow ?? 0;
    for await (const { file, records, places, firstRow, lineOf } of readRecords(path, { ...options, range })) {
      const from = firstRow - before;
      const parts = source.parts ? source.parts.subarray(from, from + records.length) : Uint8Array.from(
        records,
        (record) => config.missing === "drop" && isIncomplete(record, places) ? DROPPED : source.part,
      );
      const faultOf = (error: unknown, index: number) =>
        error instanceof CellError
          ? new DataError(error.problem, { file, line: lineOf(index), column: error.column }, { cause: error })
          : error;
      yield { records, parts, inputs: places.slice(0, inputs.length), targets: places.slice(inputs.length), faultOf };
    }
  }
}

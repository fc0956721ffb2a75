/** The rows of a table, block by block, each with the part that it is in. */

import { CellError, isMissing } from "../../lib/data/cells.ts";
import { readRecords } from "../../lib/data/csv_records.ts";
import { DataError } from "../../lib/base/errors.ts";
import { isPlaceholder } from "../../lib/data/odd_cells.ts";
import { missingTextsFlag } from "./column_faults.ts";
import type { Config } from "../settings/settings.ts";
import { DROPPED, isIncomplete } from "./split.ts";
import { type OnProgress, separatorNamed } from "./table_look.ts";
import type { TablePlan } from "./table_plan.ts";

/** A file of rows, or a folder of files. */
export interface PartedTable {
  path: string;
  /** Part of each row; if left out, all are of `part`. */
  parts?: Uint8Array;
  part: number;
  /** The part that rows without one of their own are added to, if it is another one. */
  into?: number;
}

/** Rows of a table with their parts. */
interface PartedBlock {
  records: readonly (readonly string[])[];
  parts: Uint8Array;
  /** The part of all rows of the table; 0 of the one that is split. */
  part: number;
  /** The number of the first row in its table, from 0. */
  firstRow: number;
  /** Places in a record: of the inputs, then of the targets. */
  places: readonly number[];
  /** An error as one of the file, with the line of a record. */
  faultOf: (error: unknown, index: number) => unknown;
}

/** Flags that help with a cell that a look did not see, as it stands in a file of validation or test rows. */
function flagsFor(
  cell: string | undefined,
  column: string,
  { missing, missingTexts }: Config,
  plan: TablePlan,
): string {
  if (cell === undefined || !plan.isLookedAt) return "";
  const isTarget = plan.targets.includes(column);
  if (isMissing(cell, missingTexts)) return isTarget ? ", or say --missing drop" : ", or --missing drop";
  const isName = isTarget
    ? plan.kind === "classes"
    : plan.inputs.some(({ name, kind }) => name === column && kind === "categorical");
  if (isName || !isPlaceholder(cell.trim(), true)) return "";
  const flag = missingTextsFlag([cell.trim(), ...missingTexts]);
  return `, or say ${flag}${missing === "error" ? " and --missing mean or drop" : ""}`;
}

/** All rows, table by table; progress is that of the first. */
export async function* partedBlocks(
  config: Config,
  plan: TablePlan,
  tables: readonly PartedTable[],
  onProgress: OnProgress,
): AsyncGenerator<PartedBlock> {
  const columns = [...plan.inputs.map(({ name }) => name), ...plan.targets];
  const separator = separatorNamed(config.separator);
  for (const [index, table] of tables.entries()) {
    const options = { separator, columns, onProgress: index === 0 ? onProgress : undefined };
    for await (const { records, places, firstRow, placeOf } of readRecords(table.path, options)) {
      const parts = table.parts?.subarray(firstRow, firstRow + records.length) ?? Uint8Array.from(
        records,
        (record) =>
          config.missing === "drop" && isIncomplete(record, places, config.missingTexts)
            ? DROPPED
            : table.into ?? table.part,
      );
      const faultOf = (error: unknown, index: number) => {
        if (!(error instanceof CellError)) return error;
        const { problem, column } = error;
        const flags = flagsFor(records[index][places[columns.indexOf(column)]], column, config, plan);
        return new DataError(problem + flags, { ...placeOf(index), column }, { cause: error });
      };
      yield { records, parts, part: table.part, firstRow, places, faultOf };
    }
  }
}

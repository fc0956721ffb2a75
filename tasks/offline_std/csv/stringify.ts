// deno-lint-ignore-file no-import-prefix -- a named dependency would have to stand in the configuration of every user
import { stringify as stringifyRecords } from "npm:csv-stringify@^6.9.0/sync";

/** Writes rows as comma-separated values, each line ended by a carriage return and a line feed. */
export function stringify(data: readonly (readonly unknown[])[]): string {
  return stringifyRecords(data.map((row) => [...row]), {
    record_delimiter: "\r\n",
    quoted_match: /\n/,
    cast: { boolean: String },
  });
}

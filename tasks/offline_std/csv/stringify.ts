// deno-lint-ignore-file no-import-prefix -- a named dependency would have to stand in the configuration of every user
import { stringify as stringifyRecords } from "npm:csv-stringify@^6.9.0/sync";

/** An array index or the key of an object. */
export type PropertyAccessor = number | string;

/** Where a column finds its value, and what stands over it. */
export type ColumnDetails = { header?: string; prop: PropertyAccessor | PropertyAccessor[] };

/** A column: a key, a path of keys, or either with a header. */
export type Column = ColumnDetails | PropertyAccessor | PropertyAccessor[];

/** A row: an object or an array. */
export type DataItem = Readonly<Record<string, unknown> | unknown[]>;

/** What {@linkcode stringify} takes beside the rows. */
export type StringifyOptions = {
  /** Whether a row of headers comes first, where there are columns; true by default. */
  headers?: boolean;
  /** What stands between two values; a comma by default. */
  separator?: string;
  /** The columns to write, in order; needed where rows are objects. */
  columns?: readonly Column[];
  /** Whether a byte-order mark comes first; false by default. */
  bom?: boolean;
};

/**
 * Writes rows as comma-separated values, each line ended by a carriage return and a line feed.
 *
 * @param data The rows.
 * @param options The columns, their headers and the separator.
 * @returns The text.
 * @throws {TypeError} If the separator holds a quote or a line end, or rows are objects and no columns are named.
 */
export function stringify(data: readonly DataItem[], options: StringifyOptions = {}): string {
  const { headers = true, separator = ",", columns = [], bom = false } = options;
  if (separator.includes('"') || separator.includes("\r\n")) {
    throw new TypeError(
      "Separator cannot include the following strings:\n" +
        '  - U+0022: Quotation mark (")\n  - U+000D U+000A: Carriage Return + Line Feed (\\r\\n)',
    );
  }
  const paths = columns.map(pathOf);
  const rows: unknown[][] = data.map((item) =>
    paths.length > 0 ? paths.map((path) => valueAt(item, path)) : cells(item)
  );
  if (headers && columns.length > 0) rows.unshift(columns.map(headerOf));
  return stringifyRecords(rows, {
    bom,
    delimiter: separator,
    record_delimiter: "\r\n",
    quoted_match: /\n/,
    cast: { boolean: String, date: (value) => JSON.stringify(value), object: (value) => JSON.stringify(value) },
  });
}

function pathOf(column: Column): PropertyAccessor[] {
  if (Array.isArray(column)) return column;
  if (typeof column === "object") return Array.isArray(column.prop) ? column.prop : [column.prop];
  return [column];
}

function headerOf(column: Column): string {
  const header = typeof column === "object" && "header" in column ? column.header : undefined;
  return header ?? String(pathOf(column).at(-1));
}

function cells(item: DataItem): unknown[] {
  if (Array.isArray(item)) return item;
  throw new TypeError("No property accessor function was provided for object");
}

function valueAt(item: DataItem, path: PropertyAccessor[]): unknown {
  let value: unknown = item;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value) && typeof key !== "number") {
      throw new TypeError('Property accessor is not of type "number"');
    }
    value = (value as Record<PropertyAccessor, unknown>)[key];
  }
  return value;
}

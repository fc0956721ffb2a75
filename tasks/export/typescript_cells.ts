/** The part of a TypeScript file that makes numbers of cells, as the library's `TableEncoder` does. */

import { NUMBER } from "../../lib/data/cells.ts";
import { dateForm, MONTHS, PERIODS } from "../../lib/data/dates.ts";
import { PLAIN_NUMBER, SURE_DIGITS } from "../../lib/data/names.ts";
import type { InputColumn } from "../../lib/data/table.ts";
import { dateExample, type ExportedModel, indent, literal } from "./exported_model.ts";

/** Code that has `encode(row)`: the numbers of a row, not scaled. */
export function encodingOf({ inputs, missingTexts, targets }: ExportedModel): string {
  const kinds = new Set(inputs.map(({ kind }) => kind));
  return [
    `const MISSING: readonly string[] = ${literal(["", ...missingTexts])};
const COLUMN_NAMES: readonly string[] = ${literal(inputs.map(({ name }) => name))};
/** A row may have the target, too. */
const KNOWN_NAMES: ReadonlySet<string> = new Set([...COLUMN_NAMES, ${targets.map(literal).join(", ")}]);

type Encode = (row: Row) => number[];
`,
    TEXT,
    ...Object.entries(ENCODERS).filter(([kind]) => kinds.has(kind as InputColumn["kind"])).map(([_, text]) => text),
    `const COLUMNS: readonly Encode[] = [\n${indent(inputs.map(columnOf), 2)}];\n`,
    ENCODE,
  ].join("\n");
}

function columnOf(column: InputColumn): string {
  const { kind, name } = column;
  const fill = column.fill === undefined ? "undefined" : literal(column.fill);
  if (kind === "numeric") return `numbers(${literal(name)}, ${fill}),`;
  if (kind === "categorical") {
    return `names(${literal(name)}, ${literal(column.categories)}, ${fill}),`;
  }
  const { pattern, fields } = dateForm(column.format);
  const form = `pattern: ${literal(pattern)}, fields: ${literal(fields.join(""))}`;
  const days = `origin: ${column.origin}, parts: ${literal(column.parts)}, fill: ${fill}`;
  return `dates(${literal(name)}, { ${form}, example: ${literal(dateExample(column.format))}, ${days} }),`;
}

const TEXT = `/** A cell as a text without spaces around it; undefined if it is missing. */
function textOf(row: Row, name: keyof Row): string | undefined {
  const cell: unknown = Object.hasOwn(row, name) ? row[name] : undefined;
  if (cell === undefined || cell === null || Number.isNaN(cell)) return undefined;
  if (!["string", "number", "boolean"].includes(typeof cell)) throw refusal(row, name, "a number or a text");
  const text = String(cell).trim();
  return MISSING.includes(text) ? undefined : text;
}

function refusal(row: Row, name: keyof Row, need: string): TypeError {
  const cell: unknown = row[name];
  const shown = typeof cell === "string" ? JSON.stringify(cell) : String(cell);
  return new TypeError(\`Cannot predict: column \${JSON.stringify(name)} is \${shown}, need \${need}\`);
}
`;

const ENCODERS: Record<InputColumn["kind"], string> = {
  numeric: `function numbers(name: keyof Row, fill: number | undefined): Encode {
  return (row) => {
    const text = textOf(row, name) ?? String(fill);
    const value = ${NUMBER}.test(text) ? Number(text) : NaN;
    if (!Number.isFinite(value)) throw refusal(row, name, "a finite number");
    return [value];
  };
}
`,
  categorical:
    `/** The number of a name in the list; one that training did not see, or seldom, has the number after the last. */
function names(name: keyof Row, categories: readonly string[], fill: string | undefined): Encode {
  const places = new Map(categories.map((category, place) => [nameKey(category), place]));
  categories.forEach((category, place) => places.set(category, place));
  return (row) => {
    const text = textOf(row, name) ?? fill;
    if (text === undefined) throw refusal(row, name, "a text");
    return [places.get(text) ?? places.get(nameKey(text)) ?? categories.length];
  };
}

/** The same text for all spellings of a name: 1 and 1.0, true and True, either end of a line. */
function nameKey(name: string): string {
  if (/^true$|^false$/i.test(name)) return name.toLowerCase();
  if (!${PLAIN_NUMBER}.test(name)) return name.replace(/\\r\\n/g, "\\n");
  const digits = name.replace(/[eE].*$/, "").replace(/\\D/g, "");
  const value = Number(name);
  return digits.length > ${SURE_DIGITS} || !Number.isFinite(value) ? name : String(value + 0);
}
`,
  date: `interface Dates {
  /** How a date is written: a regular expression, and what each of its groups says, as in strftime. */
  pattern: string;
  fields: string;
  example: string;
  /** In days since 1970-01-01 UTC, as is the fill value. */
  origin: number;
  parts: readonly string[];
  fill: number | undefined;
}

/** Days since the origin, then parts of the date: the year, and sine and cosine of what comes again. */
function dates(name: keyof Row, { pattern, fields, example, origin, parts, fill }: Dates): Encode {
  const form = new RegExp(pattern);
  return (row) => {
    const text = textOf(row, name);
    const days = text === undefined ? fill ?? NaN : daysOf(text.match(form), fields);
    if (Number.isNaN(days)) throw refusal(row, name, \`a date such as \${example}\`);
    return [days - origin, ...parts.flatMap((part) => partOf(days, part))];
  };
}

function partOf(days: number, part: string): number[] {
  const day = Math.floor(days);
  const date = new Date(day * 86_400_000);
  if (part === "year") return [date.getUTCFullYear()];
  const [value, period] = part === "month"
    ? [date.getUTCMonth(), ${PERIODS.month}]
    : part === "weekday"
    ? [(date.getUTCDay() + 6) % 7, ${PERIODS.weekday}]
    : [(days - day) * 24, ${PERIODS.hour}];
  const angle = 2 * Math.PI * value / period;
  return [Math.sin(angle), Math.cos(angle)];
}

const MONTHS = ${literal(MONTHS)};

/** Days since 1970-01-01 UTC; NaN if there is no such date. */
function daysOf(found: RegExpMatchArray | null, fields: string): number {
  if (!found) return NaN;
  const parts: Record<string, string | undefined> = {};
  [...fields].forEach((field, i) => parts[field] = found[i + 1]);
  const { Y, y, m = "1", b, d = "1", H = "0", I, M = "0", S = "0", p, z } = parts;
  const year = Y ? Number(Y) : Number(y) + (Number(y) < 69 ? 2000 : 1900);
  const month = b ? MONTHS.indexOf(b.slice(0, 3).toLowerCase()) : Number(m) - 1;
  const hour = I ? Number(I) % 12 + (p && /p/i.test(p) ? 12 : 0) : Number(H);
  const date = new Date(0);
  date.setUTCFullYear(year, month, Number(d));
  const isDate = date.getUTCMonth() === month;
  const isTime = hour < 24 && Number(M) < 60 && Number(S) < 60 && (!I || Number(I) > 0 && Number(I) < 13);
  if (!isDate || !isTime) return NaN;
  return date.getTime() / 86_400_000 + (hour * 3600 + Number(M) * 60 + Number(S) - zoneSeconds(z)) / 86_400;
}

/** Seconds that a zone such as +02:00 is ahead of UTC. */
function zoneSeconds(zone: string | undefined): number {
  if (!zone || zone === "Z" || zone === "UTC") return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(":", "") || 0);
  return (zone.startsWith("-") ? -60 : 60) * minutes;
}
`,
};

const ENCODE = `/** The numbers of a row, not scaled. */
function encode(row: Row): number[] {
  const unknown = Object.keys(row).filter((name) => !KNOWN_NAMES.has(name));
  if (unknown.length > 0) {
    const quoted = (names: readonly string[]) => names.map((name) => JSON.stringify(name)).join(", ");
    const found = \`there is no column \${quoted(unknown)}; the columns are \${quoted(COLUMN_NAMES)}\`;
    throw new TypeError(\`Cannot predict: \${found}\`);
  }
  return COLUMNS.flatMap((column) => column(row));
}
`;

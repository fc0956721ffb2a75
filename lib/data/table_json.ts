/**
 * Tables from JSON: they are stored in files, and files may hold anything.
 *
 * @module
 */

import { showJson } from "../base/printable.ts";
import { DATE_PARTS, dateForm } from "./dates.ts";
import type { CategoricalColumn, DateColumn, InputColumn, MissingPolicy, Table, Target } from "./table.ts";
import { MAX_NAME_LENGTH, MISSING_CATEGORY } from "./table.ts";

/** The policies by name. */
export const MISSING_POLICIES: readonly MissingPolicy[] = ["error", "mean", "median", "drop", "category"];

/**
 * Makes a table of parsed JSON.
 *
 * @param value The parsed JSON.
 * @returns The table, without anything that does not belong into one.
 * @throws {SyntaxError} If it is something else; the message says where.
 *
 * @example
 * ```ts
 * import { parseTable, type Table } from "@backhand/backhand";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const table: Table = {
 *   inputs: [{ kind: "numeric", name: "age" }],
 *   target: { kind: "classes", name: "answer", classes: ["no", "yes"] },
 *   missing: "error",
 * };
 * assertEquals(parseTable(JSON.parse(JSON.stringify(table))), table);
 * assertThrows(() => parseTable({ ...table, inputs: [] }), SyntaxError, "it has no input columns");
 * ```
 */
export function parseTable(value: unknown): Table {
  const { inputs, target, missing, missingTexts } = fieldsOf(value, "it");
  if (!Array.isArray(inputs) || inputs.length === 0) throw fault("it has no input columns");
  if (!MISSING_POLICIES.includes(missing as MissingPolicy)) throw fault(`its missing is ${showJson(missing)}`);
  const table: Table = {
    inputs: inputs.map(parseColumn),
    target: parseTarget(target),
    missing: missing as MissingPolicy,
    ...(missingTexts === undefined ? {} : { missingTexts: parseNames(missingTexts, "its missing texts", 0) }),
  };
  const names = [...table.inputs.map(({ name }) => name), ...targetNames(table.target)];
  const places = new Map(names.map((name, i) => [name, i]));
  const repeated = names.find((name, i) => places.get(name) !== i);
  if (repeated !== undefined) throw fault(`column ${showJson(repeated)} is there twice`);
  return table;
}

/** Names of the target's columns. */
export function targetNames(target: Target): readonly string[] {
  return target.kind === "numeric" ? target.names : [target.name];
}

function parseColumn(value: unknown, index: number): InputColumn {
  const fields = fieldsOf(value, `input column ${index + 1}`);
  const { kind, name, fill } = fields;
  if (typeof name !== "string") throw fault(`input column ${index + 1} has no name`);
  checkLengths([name], `input column ${index + 1}`);
  const shown = `column ${showJson(name)}`;
  if (kind === "categorical") return parseCategorical(name, fields, shown);
  if (kind !== "numeric" && kind !== "date") throw fault(`${shown} is of the unknown kind ${showJson(kind)}`);
  if (fill !== undefined && !isFinite(fill)) {
    throw fault(`the fill of ${shown} is ${showJson(fill)}, need a finite number`);
  }
  const filled = fill === undefined ? {} : { fill };
  return kind === "numeric" ? { kind, name, ...filled } : { ...parseDate(name, fields, shown), ...filled };
}

function parseCategorical(name: string, fields: Record<string, unknown>, shown: string): CategoricalColumn {
  const { fill, categories, shares, others } = fields;
  const names = parseNames(categories, `the categories of ${shown}`, 1);
  const isFill = fill === undefined || fill === MISSING_CATEGORY || names.includes(fill as string);
  if (!isFill) throw fault(`the fill of ${shown} is ${showJson(fill)}, need one of its categories`);
  if (shares !== undefined && others !== undefined) throw fault(`${shown} has both shares and others`);
  const isShares = Array.isArray(shares) && shares.length === names.length &&
    shares.every((share) => typeof share === "number" && share >= 0 && share <= 1);
  if (shares !== undefined && !isShares) {
    throw fault(`the shares of ${shown} are not ${names.length} numbers from 0 to 1`);
  }
  return {
    kind: "categorical",
    name,
    categories: names,
    ...(shares === undefined ? {} : { shares }),
    ...(others === undefined ? {} : { others: parseNames(others, `the other names of ${shown}`, 1) }),
    ...(fill === undefined ? {} : { fill: fill as string }),
  };
}

function parseDate(name: string, fields: Record<string, unknown>, shown: string): DateColumn {
  const { format, origin, parts } = fields;
  if (!isFinite(origin)) throw fault(`the origin of ${shown} is ${showJson(origin)}, need a finite number`);
  const known = Array.isArray(parts) ? DATE_PARTS.filter((part) => parts.includes(part)) : [];
  if (!Array.isArray(parts) || known.length !== parts.length || known.some((part, i) => part !== parts[i])) {
    throw fault(`the parts of ${shown} are ${showJson(parts)}, need some of ${DATE_PARTS.join(", ")} in this order`);
  }
  if (format === undefined) return { kind: "date", name, origin, parts: known };
  if (typeof format !== "string") throw fault(`the format of ${shown} is ${showJson(format)}, need a text`);
  dateForm(format); // a SyntaxError says what is wrong with it
  return { kind: "date", name, format, origin, parts: known };
}

function isFinite(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function parseTarget(value: unknown): Target {
  const { kind, names, name, classes } = fieldsOf(value, "its target");
  if (kind === "numeric") return { kind, names: parseNames(names, "the names of its target", 1) };
  if (kind !== "classes") throw fault(`its target is of the unknown kind ${showJson(kind)}`);
  if (typeof name !== "string") throw fault("its target has no name");
  checkLengths([name], "its target");
  return { kind, name, classes: parseNames(classes, "the classes of its target", 2) };
}

function parseNames(value: unknown, what: string, least: number): string[] {
  const isList = Array.isArray(value) && value.every((name) => typeof name === "string");
  if (!isList || value.length < least || new Set(value).size !== value.length) {
    throw fault(`${what} are no list of ${least} or more different texts`);
  }
  checkLengths(value, what);
  return [...value];
}

/** Names of columns and of categories stand in messages and in memory: a thousand long ones would not fit. */
function checkLengths(names: readonly string[], what: string): void {
  const long = names.find((name) => name.length > MAX_NAME_LENGTH);
  if (long === undefined) return;
  throw fault(`${what}: a name of ${long.length} characters, ${showJson(long)}, allowed are ${MAX_NAME_LENGTH}`);
}

function fieldsOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw fault(`${what} is no object`);
}

function fault(problem: string): SyntaxError {
  return new SyntaxError(`Cannot read a table: ${problem}`);
}

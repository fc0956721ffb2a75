/**
 * Tables from JSON: they are stored in files, and files may hold anything.
 *
 * @module
 */

import { showJson } from "../base/printable.ts";
import type { InputColumn, MissingPolicy, Table, Target } from "./table.ts";
import { MAX_NAME_LENGTH, MISSING_CATEGORY } from "./table.ts";

/** Most characters of all names of a network's inputs. */
const MAX_CHARACTERS = 5e7;

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
  const { inputs, target, missing } = fieldsOf(value, "it");
  if (!Array.isArray(inputs) || inputs.length === 0) throw fault("it has no input columns");
  if (!MISSING_POLICIES.includes(missing as MissingPolicy)) throw fault(`its missing is ${showJson(missing)}`);
  const table = { inputs: inputs.map(parseColumn), target: parseTarget(target), missing: missing as MissingPolicy };
  const names = [...table.inputs.map(({ name }) => name), ...targetNames(table.target)];
  const places = new Map(names.map((name, i) => [name, i]));
  const repeated = names.find((name, i) => places.get(name) !== i);
  if (repeated !== undefined) throw fault(`column ${showJson(repeated)} is there twice`);
  const characters = table.inputs.reduce((sum, column) => sum + encodedLength(column), 0);
  if (characters > MAX_CHARACTERS) {
    throw fault(`its input columns' names have ${characters} characters, allowed are 5e7`);
  }
  return table;
}

/** Names of the target's columns. */
export function targetNames(target: Target): readonly string[] {
  return target.kind === "numeric" ? target.names : [target.name];
}

function parseColumn(value: unknown, index: number): InputColumn {
  const { kind, name, fill, categories } = fieldsOf(value, `input column ${index + 1}`);
  if (typeof name !== "string") throw fault(`input column ${index + 1} has no name`);
  checkLengths([name], `input column ${index + 1}`);
  const shown = `column ${showJson(name)}`;
  if (kind === "numeric") {
    if (fill === undefined) return { kind, name };
    if (typeof fill === "number" && Number.isFinite(fill)) return { kind, name, fill };
    throw fault(`the fill of ${shown} is ${showJson(fill)}, need a finite number`);
  }
  if (kind !== "categorical") throw fault(`${shown} is of the unknown kind ${showJson(kind)}`);
  const names = parseNames(categories, `the categories of ${shown}`, 1);
  if (fill === undefined) return { kind, name, categories: names };
  if (typeof fill !== "string" || !(fill === MISSING_CATEGORY || names.includes(fill))) {
    throw fault(`the fill of ${shown} is ${showJson(fill)}, need one of its categories`);
  }
  return { kind, name, categories: names, fill };
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

/** Characters of a column's names among `encodedNames`, which hold the column's own once for each category. */
function encodedLength(column: InputColumn): number {
  if (column.kind === "numeric") return column.name.length;
  return column.categories.reduce((sum, category) => sum + column.name.length + 1 + category.length, 0);
}

/** Names of columns and of categories are put together: a thousand long ones would not fit into memory. */
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

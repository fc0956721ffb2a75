// deno-lint-ignore-file no-import-prefix -- a named dependency would have to stand in the configuration of every user
/** Stands in for @std/assert where JSR does not answer: the part that this project uses, over lodash and diff. */
import { diffArrays } from "npm:diff@^9.0.0";
// @ts-types="npm:@types/lodash@^4.17.0/isEqual.d.ts"
import isEqual from "npm:lodash@^4.18.1/isEqual.js";

// deno-lint-ignore no-explicit-any
type AnyClass<T = unknown> = abstract new (...args: any[]) => T;

/** The error that a failed assertion throws. */
export class AssertionError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

/** Asserts that a value is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Asserts that two values are deeply equal; 0 equals -0 and NaN equals NaN. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!isEqual(actual, expected)) {
    throw new AssertionError(`Values are not equal${suffix(msg)}\n${difference(actual, expected)}`);
  }
}

/** Asserts that two values are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (isEqual(actual, expected)) {
    throw new AssertionError(`Expected actual: ${show(actual)} not to be: ${show(expected)}${suffix(msg)}`);
  }
}

/** Asserts that a number lies within a tolerance of another: by default 1e-7 of the expected one. */
export function assertAlmostEquals(actual: number, expected: number, tolerance?: number, msg?: string): void {
  if (Object.is(actual, expected)) return;
  const allowed = tolerance ?? (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  const delta = Math.abs(expected - actual);
  if (delta <= allowed) return;
  const [a, e, d, t] = [actual, expected, delta, allowed].map((n) =>
    `"${Number.isInteger(n) ? n : n.toExponential()}"`
  );
  throw new AssertionError(`Expected actual: ${a} to be close to ${e}: delta ${d} is greater than ${t}${suffix(msg)}`);
}

/** Asserts that a text holds another. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (!actual.includes(expected)) {
    throw new AssertionError(`Expected actual: "${actual}" to contain: "${expected}"${suffix(msg)}`);
  }
}

/** Asserts that a text matches a pattern. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (!expected.test(actual)) {
    throw new AssertionError(`Expected actual: "${actual}" to match: "${expected}"${suffix(msg)}`);
  }
}

/** Asserts that a function throws, and what; returns what was thrown. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: AnyClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(fn: () => unknown, ...expected: Expected): unknown {
  const [ErrorClass, includes, msg] = arrange(expected);
  try {
    fn();
  } catch (error) {
    return checkError("A non-Error object was thrown", error, ErrorClass, includes, msg);
  }
  throw new AssertionError(`Expected function to throw${suffix(msg)}`);
}

/** Asserts that a function returns a promise that rejects, and with what; resolves to that. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: AnyClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(fn: () => PromiseLike<unknown>, ...expected: Expected): Promise<unknown> {
  const [ErrorClass, includes, msg] = arrange(expected);
  let promise: unknown;
  try {
    promise = fn();
  } catch {
    // Falls through: what is thrown is not a promise.
  }
  if (typeof (promise as PromiseLike<unknown> | undefined)?.then !== "function") {
    throw new AssertionError(`Function throws when expected to reject${suffix(msg)}`);
  }
  try {
    await promise;
  } catch (error) {
    return checkError("A non-Error object was rejected", error, ErrorClass, includes, msg);
  }
  throw new AssertionError(`Expected function to reject${suffix(msg)}`);
}

type Expected = [classOrMsg?: AnyClass<Error> | string, msgIncludesOrMsg?: string, msg?: string];

function arrange([first, second, third]: Expected): [AnyClass<Error> | undefined, string | undefined, string?] {
  return typeof first === "string" ? [undefined, undefined, first] : [first, second, third];
}

function checkError(
  notAnError: string,
  error: unknown,
  ErrorClass: AnyClass<Error> | undefined,
  includes: string | undefined,
  msg: string | undefined,
): unknown {
  if (ErrorClass === undefined) return error;
  if (!(error instanceof Error)) throw new AssertionError(`${notAnError}${suffix(msg)}`);
  if (!(error instanceof ErrorClass)) {
    const found = (error as Error).constructor.name;
    const wanted = `Expected error to be instance of "${ErrorClass.name}"`;
    throw new AssertionError(`${wanted}, but was "${found}"${suffix(msg)}`);
  }
  if (includes && !error.message.includes(includes)) {
    const [wanted, found] = [includes, error.message].map((text) => JSON.stringify(text));
    throw new AssertionError(`Expected error message to include ${wanted}, but got ${found}${suffix(msg)}`);
  }
  return error;
}

function suffix(msg: string | undefined): string {
  return msg ? `: ${msg}` : ".";
}

function show(value: unknown): string {
  const options = { depth: Infinity, iterableLimit: Infinity, sorted: true, strAbbreviateSize: Infinity };
  return Deno.inspect(value, { ...options, compact: false, trailingComma: true });
}

function difference(actual: unknown, expected: unknown): string {
  const lines = diffArrays(show(actual).split("\n"), show(expected).split("\n")).flatMap((part) => {
    const sign = part.added ? "+   " : part.removed ? "-   " : "    ";
    return part.value.map((line) => sign + line);
  });
  return `\n\n    [Diff] Actual / Expected\n\n\n${lines.join("\n")}\n`;
}

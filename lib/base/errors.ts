/**
 * Errors that carry a place: a file's line and column, or a training step.
 *
 * @module
 */

import { printable, shorten, showName } from "./printable.ts";

/** Longest message: a text from a file may be as long as the file. */
const MAX_MESSAGE = 20_000;

/** Where in a file something is wrong; what is not known is left out. */
export interface DataPlace {
  /** Path of the file, as it was given. */
  file: string;
  /** Line in the file, counted from 1. */
  line?: number;
  /** Row of a file that has no lines, counted from 1. */
  row?: number;
  /** Name of the column. */
  column?: string;
}

/**
 * A file whose content cannot be used. The message begins with the place: `data/a.csv:7, column "x": ...`. It may be printed:
 * control characters are written as in JSON, and it has at most 20,000 characters.
 *
 * @example
 * ```ts
 * import { DataError } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new DataError("the cell is blank", { file: "data/a.csv", line: 7, column: "x" });
 * assertEquals(error.message, 'data/a.csv:7, column "x": the cell is blank');
 * ```
 */
export class DataError extends SyntaxError {
  /** Always "DataError". */
  override readonly name: string = "DataError";
  /** Where the fault lies. */
  readonly place: DataPlace;

  /**
   * Puts the place before the problem.
   *
   * @param problem What is wrong and what to do, without the place.
   * @param place Where the fault lies.
   * @param options The error's cause, if there is one.
   */
  constructor(problem: string, place: DataPlace, options?: ErrorOptions) {
    const line = place.line === undefined ? "" : `:${place.line}`;
    const row = place.row === undefined ? "" : `, row ${place.row}`;
    const column = place.column === undefined ? "" : `, column ${showName(place.column)}`;
    super(printable(shorten(`${place.file}${line}${row}${column}: ${problem}`, MAX_MESSAGE), "\n"), options);
    this.place = place;
  }
}

/**
 * A value of the training that is NaN or infinite.
 *
 * @example
 * ```ts
 * import { NotFiniteError } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new NotFiniteError("loss", NaN, 120);
 * assertEquals(error.message, "The loss is NaN at step 120: try a smaller learning rate, or scale the data");
 * const { message } = new NotFiniteError("weights", undefined, 512, 256); // seen only after step 512
 * assertEquals(message.split(":")[0], "A value of the weights is not finite at step 512 or before, after step 256");
 * ```
 */
export class NotFiniteError extends RangeError {
  /** Always "NotFiniteError". */
  override readonly name: string = "NotFiniteError";
  /** What is not finite, such as "loss", "weights" or "optimizer's variance". */
  readonly what: string;
  /** NaN, Infinity or -Infinity; undefined where only the tensor is known. */
  readonly value: number | undefined;
  /** The step, counted from 1, at which it was seen first. */
  readonly step: number;
  /** The last step after which all values of the training were known to be finite. */
  readonly after: number;

  /**
   * Says what to try.
   *
   * @param what Name of the value, such as "loss", or of the tensor that has it.
   * @param value The value itself: NaN, Infinity or -Infinity; undefined where only the tensor is known.
   * @param step The step, counted from 1, at which it was seen.
   * @param after The last step after which all was known to be finite; by default the one before.
   */
  constructor(what: string, value: number | undefined, step: number, after: number = step - 1) {
    const found = value === undefined ? `A value of the ${what} is not finite` : `The ${what} is ${value}`;
    const isExact = value !== undefined || after === step - 1;
    const place = isExact ? `at step ${step}` : `at step ${step} or before, after step ${after}`;
    super(`${found} ${place}: try a smaller learning rate, or scale the data`);
    this.what = what;
    this.value = value;
    this.step = step;
    this.after = after;
  }
}

/**
 * There is no usable GPU, it reported a fault, or it gave a wrong result.
 *
 * @example
 * ```ts
 * import { DeviceError } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new DeviceError("The GPU reported: out of memory").name, "DeviceError");
 * ```
 */
export class DeviceError extends Error {
  /** Always "DeviceError". */
  override readonly name: string = "DeviceError";
}

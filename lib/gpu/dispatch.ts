/**
 * What a device is asked for: a dispatch, a recording, a tensor to free.
 *
 * @module
 */
import type { Binding } from "./pipeline.ts";

/** What a dispatch binds and how far it reaches. */
export interface Dispatch {
  /** Storage buffers in the order of the kernel's `access`. */
  readonly buffers: readonly Binding[];
  /** Whole numbers at the start of the kernel's sizes. */
  readonly sizes?: readonly number[];
  /** Real numbers after them. */
  readonly reals?: readonly number[];
  /** How many invocations are needed; one workgroup has 64. */
  readonly invocations: number;
}

/**
 * Rows up to which a matrix may lie row by row in a texture, 8,192 high, a few rows after the last included. Products of more
 * rows take another form, a kernel of its own: who chooses how many rows to take at once takes no more.
 */
export const MOST_ROWS = 8_188;

/** Options of {@linkcode Device.record}. */
export interface RecordOptions {
  /**
   * Let neighbouring operations become one. A tensor made while recording that only such neighbours read is then freed
   * instead of written; by default false, and every tensor holds its values after a replay.
   */
  readonly fuse?: boolean;
  /**
   * With `fuse`: nobody reads a tensor made while recording. On a software adapter, a result that only matrix products read
   * then goes into a texture, and its tensor is never written.
   */
  readonly closed?: boolean;
  /**
   * Run every kernel just as it was asked for: a matrix product is one dispatch of `matmul` then, however slow. By default
   * larger products run as `products` of the device says.
   */
  readonly plain?: boolean;
}

/** A tensor, as far as the device knows it. */
export interface Tracked extends Disposable {
  /** Where it lies. */
  readonly buffer: GPUBuffer;
}

/** A value, what arrays and plain objects in it hold, and so on. */
export function partsOf(value: unknown): unknown[] {
  const isPlain = Array.isArray(value) ||
    (value instanceof Object && Object.getPrototypeOf(value) === Object.prototype);
  return isPlain ? Object.values(value as object).flatMap(partsOf) : [value];
}

/** What an async function does after its first await is neither recorded nor kept. */
export function refusePromise(action: string, result: unknown): void {
  if (!(result instanceof Promise)) return;
  result.catch(() => {}); // the one error is enough
  throw new TypeError(`Cannot ${action} an async function: it must not wait`);
}

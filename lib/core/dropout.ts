/**
 * Dropout, with masks drawn on the GPU.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { checkType, type Out, result } from "./elementwise.ts";
import { formatShape } from "../base/shape.ts";
import type { Tensor } from "./tensor.ts";

/** Options of {@linkcode dropout} and its backward: the same three give the same mask. */
export interface DropoutOptions extends Out {
  /** Share of elements that are dropped, from 0 to less than 1. */
  readonly rate: number;
  /** Picks one of 2^32 sequences of masks. */
  readonly key: number;
  /** `u32` counter [1]: which mask of the sequence. */
  readonly step: Tensor;
}

const HASHES = 2 ** 32;

/**
 * Dropout (Srivastava et al. 2014), scaled in training: `out = x / (1 - rate)` for elements that are kept, else 0, so that
 * the expectation stays. Elements are kept or dropped by a hash of key, step and their place, independently of each other.
 *
 * @param x Any shape.
 * @param options The rate, which mask, and where the result goes.
 * @returns The same shape.
 * @throws {RangeError} If the rate is not from 0 to less than 1.
 * @throws {TypeError} If the step is no `u32` tensor [1].
 *
 * @example
 * ```ts
 * import { advance, Device, dropout, dropoutBackward, Tensor } from "@backhand/backhand";
 * import { assert, assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using x = Tensor.from(device, new Float32Array(1_000).fill(3));
 * using step = Tensor.zeros(device, [1], "u32");
 * const options = { rate: 0.25, key: 42, step };
 * using y = dropout(x, options);
 * const first = await y.read(), kept = first.filter((v) => v === 4);
 * assert(kept.length > 700 && kept.length < 800);
 * using dX = dropoutBackward(x, options); // the same mask
 * assertEquals(await dX.read(), first);
 * advance(step);
 * using other = dropout(x, options); // another one
 * assert((await other.read()).some((v, i) => v !== first[i]));
 * ```
 */
export function dropout(x: Tensor, { rate, key, step, out }: DropoutOptions): Tensor {
  checkRate(rate);
  checkType("u32", [step]);
  if (step.size !== 1) throw new TypeError(`Cannot drop out by a step ${formatShape(step.shape)}: need [1]`);
  const y = result([x], x.shape, out);
  const dropped = Math.min(HASHES - 1, Math.round(rate * HASHES));
  const sizes = [x.size, key, dropped];
  const reals = [1 / (1 - rate)];
  x.device.run(kernels.dropout, { buffers: [x, step, y], sizes, reals, invocations: x.size });
  return y;
}

/**
 * Gradient of {@linkcode dropout}: `dX = dOut / (1 - rate)` for elements that were kept, else 0.
 *
 * @param dOut Gradient of the output, any shape.
 * @param options Those of the forward pass; the step must not have gone on since.
 * @returns `dX`, the same shape.
 * @throws {RangeError} If the rate is not from 0 to less than 1.
 * @throws {TypeError} If the step is no `u32` tensor [1].
 */
export function dropoutBackward(dOut: Tensor, options: DropoutOptions): Tensor {
  return dropout(dOut, options);
}

/**
 * Adds 1 to a counter; it starts again behind 2^32 - 1.
 *
 * @param counter A `u32` tensor [1].
 * @throws {TypeError} If it is of another type.
 */
export function advance(counter: Tensor): void {
  checkType("u32", [counter]);
  counter.device.run(kernels.advance, { buffers: [counter], invocations: 1 });
}

/** Refuses a rate of dropout that leaves nothing, or is none. */
export function checkRate(rate: number): void {
  if (!(rate >= 0 && rate < 1)) {
    throw new RangeError(`Cannot drop out a share of ${rate}: need a number from 0 to less than 1`);
  }
}

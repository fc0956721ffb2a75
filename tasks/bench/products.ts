/** The matrix products that are timed, and how a result is checked. */

import { Random } from "../../lib/base/random.ts";

/** m, k, n: a [m, k] times b [k, n]. */
export type Size = readonly [number, number, number];

/** Sizes of a full run: squares, and odd ones that fill no tile. */
export const SIZES: readonly Size[] = [
  [256, 256, 256],
  [512, 512, 512],
  [1024, 1024, 1024],
  [255, 255, 255],
  [511, 511, 511],
  [1000, 333, 77],
];

export const QUICK_SIZES: readonly Size[] = [[1024, 1024, 1024], [255, 255, 255]];

/** Outputs that are compared with float64. */
const CHECKED_OUTPUTS = 500;

export interface Factors {
  a: Float32Array<ArrayBuffer>;
  b: Float32Array<ArrayBuffer>;
}

/** A size as text, such as 1000x333x77, or 256 where all three are the same. */
export function formatSize([m, k, n]: Size): string {
  return m === k && k === n ? `${m}` : `${m}x${k}x${n}`;
}

/** Reads what {@linkcode formatSize} wrote. */
export function parseSize(text: string): Size {
  const [m, k = m, n = m] = text.split("x").map(Number);
  return [m, k, n];
}

/** The sides of a product, uniform from -1 to 1, the same for all. */
export function factors([m, k, n]: Size): Factors {
  const random = new Random(1, `product ${m} ${k} ${n}`);
  const draw = (count: number) => Float32Array.from({ length: count }, () => random.uniform(-1, 1));
  return { a: draw(m * k), b: draw(k * n) };
}

/** Compares outputs spread over the product with float64. */
export function checkProduct([m, k, n]: Size, { a, b }: Factors, product: ArrayLike<number>): number {
  if (product.length !== m * n) return Infinity;
  const random = new Random(1, "checked outputs");
  let worst = 0;
  for (let output = 0; output < CHECKED_OUTPUTS; output++) {
    // The first and the last are where tiles go wrong.
    const at = output === 0 ? m * n - 1 : output === 1 ? 0 : Math.floor(random.uniform(0, m * n));
    const i = Math.floor(at / n);
    const j = at % n;
    let sum = 0;
    let bound = 0;
    for (let p = 0; p < k; p++) {
      const term = a[i * k + p] * b[p * n + j];
      sum += term;
      bound += Math.abs(term);
    }
    const error = Math.abs(product[at] - sum) / (bound * k * 2 ** -24);
    worst = Math.max(worst, Number.isNaN(error) ? Infinity : error);
  }
  return worst;
}

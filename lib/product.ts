/**
 * Matrix products as the schedule sees them: what is multiplied, what happens to the result, and how it becomes dispatches.
 *
 * @module
 */
import { type Activation, type Kernel, kernels, matmulBlocksKernel } from "../kernels/mod.ts";
import type { Binding, Dispatch } from "./pipeline.ts";

/** A matrix product `out = a · b` [m, n] with inner dimension k, and what was fused into it. */
export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Binding;
  readonly b: Binding;
  /** `a` is stored [k, m]. */
  readonly transposeA: boolean;
  /** `b` is stored [n, k]. */
  readonly transposeB: boolean;
  /** Where the result goes. */
  out: Binding;
  /** Added to each row [n]. */
  bias?: Binding;
  /** Applied then. */
  activation: Activation;
  /** Multiplied with then: the derivative of the activation whose output is `y` [m, n]. */
  derivative: Activation;
  y?: Binding;
  /** Takes the column sums of `b` [n]. */
  sums?: Binding;
}

/** Multiplications below which a product is not worth packing its operands: measured on llvmpipe. */
const SMALL_PRODUCT = 1 << 16;
/** Inner positions that one invocation may loop over, four at a time: llvmpipe silently ends it after 65,535 iterations. */
const MAX_INNER = 4 * 60_000;
const ELEMENT_BYTES = 4;
/** Texels in a row of a packed texture, and rows that every device allows. */
const TEXTURE_WIDTH = 1024, TEXTURE_HEIGHT = 8192;

/**
 * Reads a dispatch of the plain matrix product.
 *
 * @param dispatch Any dispatch.
 * @returns The product; undefined where it is something else, or is better left as it is.
 */
export function toProduct({ kernel, resources, sizes }: Dispatch): Product | undefined {
  if ((kernel as Kernel) !== kernels.matmul) return undefined;
  const [m, n, , aInner, , bColumn, start, k] = sizes;
  const [a, b, out] = resources as Binding[];
  // Of a matrix with one row or column either reading is right.
  const transposeA = aInner !== 1, transposeB = bColumn !== 1;
  const texels = Math.max(texelsOf(m, k), texelsOf(k, m), texelsOf(k, n), texelsOf(n, k), texelsOf(m, n));
  // A long product comes in parts, of which each covers some of the inner positions.
  const isWhole = start === 0 && a.byteLength === m * k * ELEMENT_BYTES;
  const fits = isWhole && k <= MAX_INNER && k > 0 && texels <= TEXTURE_WIDTH * TEXTURE_HEIGHT;
  if (!fits || m * n * k < SMALL_PRODUCT) return undefined;
  return { m, n, k, a, b, transposeA, transposeB, out, activation: "none", derivative: "none" };
}

/** Texels of a packed matrix. */
export function texelsOf(rows: number, columns: number): number {
  return rows * Math.ceil(columns / 4);
}

/** Width and height of the texture that holds so many texels. */
export function textureSize(texels: number): [width: number, height: number] {
  return [TEXTURE_WIDTH, Math.max(1, Math.ceil(texels / TEXTURE_WIDTH))];
}

/** Operands and results of a product on the GPU. */
export interface PackedProduct {
  /** `a` and `b`, packed. */
  readonly a: GPUTexture;
  readonly b: GPUTexture;
  /** `y`, packed, where there is a derivative. */
  readonly y?: GPUTexture;
  /** Takes the result, packed, where that is wanted. */
  readonly packed?: GPUTexture;
  /** Whether `out` takes it as well. */
  readonly toBuffer: boolean;
}

/** Stand-ins for what a kernel binds and does not use in one of its forms. */
export interface Unused {
  readonly read: Binding;
  readonly written: Binding;
  readonly texture: GPUTexture;
}

/** The dispatch that packs a matrix [rows, columns] into a texture. */
export function packDispatch(
  matrix: Binding,
  rows: number,
  columns: number,
  packed: GPUTexture,
  unused: Unused,
): Dispatch {
  const aligned = columns % 4 === 0, texels = texelsOf(rows, columns);
  return {
    kernel: aligned ? kernels.packAligned : kernels.pack,
    // A matrix may be shorter than the one vec4 that the other binding needs at least.
    resources: [matrix, aligned ? matrix : unused.read, packed],
    sizes: [texels, columns],
    reals: [],
    invocations: texels,
  };
}

/** The dispatch of a product whose operands are packed. */
export function blocksDispatch(
  product: Product,
  { a, b, y, packed, toBuffer }: PackedProduct,
  unused: Unused,
): Dispatch {
  const { m, n, k, bias, out, sums, transposeA, transposeB, activation, derivative } = product;
  const aligned = n % 4 === 0;
  const kernel = matmulBlocksKernel({
    transposeA,
    transposeB,
    bias: bias !== undefined,
    activation,
    derivative,
    sums: sums !== undefined,
    aligned,
    toBuffer,
    toTexture: packed !== undefined,
  });
  const target = toBuffer ? out : unused.written;
  return {
    kernel,
    resources: [
      a,
      b,
      bias ?? unused.read,
      y ?? a,
      target,
      aligned ? target : unused.written,
      packed ?? unused.texture,
      sums ?? unused.written,
    ],
    sizes: [m, n, k],
    reals: [],
    invocations: Math.ceil(m / 16) * Math.ceil(n / 8),
  };
}

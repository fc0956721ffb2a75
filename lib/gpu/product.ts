/**
 * Matrix products as fusion sees them: what is multiplied, what happens to the result, and how it becomes dispatches.
 *
 * @module
 */
import { type Kernel, kernels } from "../../kernels/mod.ts";
import { type Activation, matmulBlocksKernel, matmulTilesKernel, type ProductForm } from "./product_forms.ts";
import type { Binding, Packing, PlannedDispatch } from "./pipeline.ts";

/**
 * A matrix product `out = a · b` [m, n] with inner dimension k, and what was fused into it; or several of that size, one after
 * the other in each operand, in the result and in what was fused.
 */
export interface Product {
  readonly groups: number;
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
  /** Dropped out then. */
  dropout?: Mask;
  /** Multiplied with then: the derivative of the activation whose output is `y` [m, n]. */
  derivative: Activation;
  y?: Binding;
  /** Takes the column sums of `b` [n]. */
  sums?: Binding;
}

/** Which elements dropout drops, and what it multiplies the others with. */
export interface Mask {
  readonly key: number;
  readonly dropped: number;
  readonly factor: number;
  /** A counter [1]. */
  readonly step: Binding;
}

/** The mask of a dispatch of dropout. */
export function maskOf({ resources, sizes, reals }: PlannedDispatch): Mask {
  return { key: sizes[1], dropped: sizes[2], factor: reals[0], step: resources[1] as Binding };
}

/** Multiplications below which a product is not worth packing its operands: measured on llvmpipe. */
const SMALL_PRODUCT = 1_024;
/** Inner positions that one invocation loops over, by fours and one by one: llvmpipe silently ends it after 65,535 iterations. */
const MAX_INNER = 4 * 60_000;
const MAX_PLAIN_INNER = 32_768;
/** Bytes of a texel: four columns in float32. */
export const TEXEL_BYTES = 16;
/** Texels in a row of a packed texture, and rows that every device allows. */
const TEXTURE_WIDTH = 1024;
const TEXTURE_HEIGHT = 8192;

/** Reads a dispatch of the plain matrix product. */
export function toProduct({ kernel, resources, sizes }: PlannedDispatch): Product | undefined {
  if ((kernel as Kernel) !== kernels.matmul) return undefined;
  const [m, n, _1, aInner, _2, bColumn, _3, k, _4, _5, groups] = sizes;
  const [a, b, out] = resources as Binding[];
  // Of a matrix with one row or column either reading is right.
  const transposeA = aInner !== 1;
  const transposeB = bColumn !== 1;
  const texels = Math.max(texelsOf(m, k), texelsOf(k, m), texelsOf(k, n), texelsOf(n, k), texelsOf(m, n));
  const fits = k > 0 && k <= MAX_INNER && groups * texels <= TEXTURE_WIDTH * TEXTURE_HEIGHT;
  if (!fits || groups * m * n * k < SMALL_PRODUCT) return undefined;
  return { groups, m, n, k, a, b, transposeA, transposeB, out, activation: "none", derivative: "none" };
}

/** A plain product in parts that add up, each of no more inner positions than an invocation may loop over. */
export function partsOf(dispatch: PlannedDispatch): PlannedDispatch[] {
  const { kernel, sizes } = dispatch;
  const inner = sizes[7];
  if ((kernel as Kernel) !== kernels.matmul || inner <= MAX_PLAIN_INNER) return [dispatch];
  return Array.from({ length: Math.ceil(inner / MAX_PLAIN_INNER) }, (_, part) => {
    const start = part * MAX_PLAIN_INNER;
    const end = Math.min(inner, start + MAX_PLAIN_INNER);
    return { ...dispatch, sizes: [...sizes.slice(0, 6), start, end, ...sizes.slice(8)] };
  });
}

/** Texels of a packed matrix. */
export function texelsOf(rows: number, columns: number): number {
  return rows * Math.ceil(columns / 4);
}

/** Width and height of the texture that holds so many texels. */
export function textureSize(texels: number): [width: number, height: number] {
  return [TEXTURE_WIDTH, Math.max(1, Math.ceil(texels / TEXTURE_WIDTH))];
}

export interface TextureCopy {
  readonly source: GPUTexelCopyBufferInfo;
  readonly destination: GPUTexelCopyTextureInfo;
  readonly size: [width: number, height: number];
}

/** The copies that pack a matrix: its whole rows of texels, and the rest. */
export function copiesOf({ matrix: { buffer, byteOffset, byteLength }, texture }: Packing): TextureCopy[] {
  const bytesPerRow = TEXTURE_WIDTH * TEXEL_BYTES;
  const rows = Math.floor(byteLength / bytesPerRow);
  const copy = (y: number, size: [number, number]): TextureCopy => ({
    source: { buffer, offset: byteOffset + y * bytesPerRow, bytesPerRow },
    destination: { texture, origin: [0, y] },
    size,
  });
  const rest = (byteLength % bytesPerRow) / TEXEL_BYTES;
  return [...(rows > 0 ? [copy(0, [TEXTURE_WIDTH, rows])] : []), ...(rest > 0 ? [copy(rows, [rest, 1])] : [])];
}

/**
 * Stand-ins for what a kernel binds and does not use in one of its forms. Browsers refuse two bindings that write one place,
 * used or not: each has its own.
 */
export interface Unused {
  readonly read: Binding;
  readonly out: Binding;
  readonly sums: Binding;
}

/** What packs a matrix [rows, columns] into a texture. Copies are many times as fast as a kernel that stores texels. */
export function toPacked(
  matrix: Binding,
  rows: number,
  columns: number,
  texture: GPUTexture,
): PlannedDispatch | Packing {
  if (columns % 4 === 0) return { matrix, texture };
  const texels = texelsOf(rows, columns);
  const resources = [matrix, texture];
  return { kernel: kernels.pack, resources, sizes: [texels, columns], reals: [], invocations: texels };
}

/** The dispatch of a product whose operands are packed, `y` where there is a derivative. */
export function blocksDispatch(
  product: Product,
  { a, b, y }: { a: GPUTexture; b: GPUTexture; y?: GPUTexture },
  unused: Unused,
): PlannedDispatch {
  const { groups, m, n, bias, out, sums, dropout } = product;
  const aligned = n % 4 === 0;
  const outs = aligned ? [unused.out, out] : [out, unused.out];
  return {
    kernel: matmulBlocksKernel(formOf(product), aligned),
    // A result may be shorter than the one vec4 that the other binding needs at least.
    resources: [a, b, bias ?? unused.read, y ?? a, ...outs, sums ?? unused.sums, dropout?.step ?? unused.read],
    ...sizesOf(product),
    invocations: groups * Math.ceil(m / 16) * Math.ceil(n / 8),
  };
}

/** The dispatch of a product through tiles in workgroup memory. */
export function tilesDispatch(product: Product, unused: Unused): PlannedDispatch {
  const { groups, m, n, a, b, bias, y, out, sums, dropout } = product;
  return {
    kernel: matmulTilesKernel(formOf(product)),
    resources: [
      a,
      b,
      bias ?? unused.read,
      y ?? unused.read,
      out,
      sums ?? unused.sums,
      dropout?.step ?? unused.read,
    ],
    ...sizesOf(product),
    invocations: 256 * groups * Math.ceil(m / 64) * Math.ceil(n / 64),
  };
}

function sizesOf({ m, n, k, groups, dropout }: Product): Pick<PlannedDispatch, "sizes" | "reals"> {
  const { key = 0, dropped = 0, factor = 1 } = dropout ?? {};
  return { sizes: [m, n, k, groups, key, dropped], reals: [factor] };
}

function formOf({ transposeA, transposeB, bias, activation, derivative, dropout, sums, groups }: Product): ProductForm {
  return {
    transposeA,
    transposeB,
    bias: bias !== undefined,
    activation,
    derivative,
    dropout: dropout !== undefined,
    sums: sums !== undefined,
    grouped: groups > 1,
  };
}

/**
 * Matrices in textures, from which the fast products of a software adapter read: four columns to a texel.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { MOST_ROWS } from "./dispatch.ts";
import type { Packing, PlannedDispatch } from "./pipeline.ts";

/** Bytes of a texel: four columns in float32. */
export const TEXEL_BYTES = 16;
/** Widest and highest texture of every device. */
const MAX_SIDE = 8192;
/** Texels of a flat matrix that lie side by side; matmul_blocks.wgsl and the updates know it. */
const FLAT_WIDTH = 4096;
/** Most texels of a packed matrix: 128 MiB. */
export const MAX_TEXELS: number = FLAT_WIDTH * 2048;

/** Rows that a product reads at a time. Those past the end of a matrix must hold zeros. */
const ROWS_AT_ONCE = 4;

/** Columns of 256 bytes: WebGPU copies rows into a texture only if their length in bytes is a multiple of that. */
const COPIED_COLUMNS = 64;
/** Texels above which a copy into a flat texture is worth a form of a product of its own, which takes time to compile. */
export const MANY_TEXELS = 1024;

/** Texels at the end of a row that hold nothing: rows a power of two apart would share a few places of the processor's cache. */
const PADDING = 4;

/** Texels of a packed matrix. */
export function texelsOf(rows: number, columns: number): number {
  return rows * Math.ceil(columns / 4);
}

/**
 * Whether a matrix lies flat in its texture: one texel after the other, whatever the row. It does where it is large and a copy
 * can bring it there only so.
 */
export function liesFlat(rows: number, columns: number): boolean {
  return texelsOf(rows, columns) > MANY_TEXELS && columns % 4 === 0 && columns % COPIED_COLUMNS !== 0;
}

/** Whether a matrix fits a texture only if it lies flat. Then all of the product do: each mixture would be a kernel of its own. */
export function isLong(rows: number, columns: number): boolean {
  return rows > MOST_ROWS || Math.ceil(columns / 4) >= MAX_SIDE - PADDING;
}

/** Whether copies can pack a matrix. Any other is packed by a kernel. */
export function canCopy({ columns, isFlat }: Pick<Layout, "columns" | "isFlat">): boolean {
  return columns % (isFlat ? 4 : COPIED_COLUMNS) === 0;
}

/** A matrix and how it lies in its texture. */
export type Layout = Pick<Packing, "rows" | "columns" | "isFlat">;

/**
 * Width and height of the texture that holds a matrix, neither a power of two: Mesa's software adapter builds a kernel anew,
 * which takes a quarter of a second for a product, for each mixture of textures whose sides are powers of two or not.
 */
export function textureSize({ rows, columns, isFlat }: Layout): [width: number, height: number] {
  const read = rows + ROWS_AT_ONCE - 1;
  if (!isFlat) return [noPower(Math.ceil(columns / 4) + PADDING), noPower(read)];
  const texels = texelsOf(read, columns);
  const width = texels > FLAT_WIDTH ? FLAT_WIDTH + PADDING : texels;
  return [noPower(width), noPower(Math.ceil(texels / FLAT_WIDTH))];
}

/** The least number from a number up that is no power of two. */
function noPower(n: number): number {
  return n < 3 ? 3 : Number.isInteger(Math.log2(n)) ? n + 1 : n;
}

export interface TextureCopy {
  readonly source: GPUTexelCopyBufferInfo;
  readonly destination: GPUTexelCopyTextureInfo;
  readonly size: [width: number, height: number];
}

/** The copies that pack a matrix: whole rows of texels, and the rest. */
export function copiesOf(packing: Packing): TextureCopy[] {
  const { matrix: { buffer, byteOffset }, rows, columns, texture } = packing;
  const width = acrossOf(packing);
  const bytesPerRow = width * TEXEL_BYTES;
  const texels = texelsOf(rows, columns);
  const whole = Math.floor(texels / width);
  const copy = (y: number, size: [number, number]): TextureCopy => ({
    source: { buffer, offset: byteOffset + y * bytesPerRow, bytesPerRow },
    destination: { texture, origin: [0, y] },
    size,
  });
  const rest = texels % width;
  return [...(whole > 0 ? [copy(0, [width, whole])] : []), ...(rest > 0 ? [copy(whole, [rest, 1])] : [])];
}

/** The dispatch that packs a matrix. */
export function packDispatch(packing: Packing): PlannedDispatch {
  const { matrix, rows, columns, texture } = packing;
  const texels = texelsOf(rows, columns);
  const sizes = [texels, columns, acrossOf(packing)];
  return { kernel: kernels.pack, resources: [matrix, texture], sizes, reals: [], invocations: texels };
}

/** Texels that lie side by side. */
function acrossOf({ columns, isFlat }: Layout): number {
  return isFlat ? FLAT_WIDTH : Math.ceil(columns / 4);
}

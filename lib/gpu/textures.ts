/**
 * Matrices in textures, from which the fast products of a software adapter read: four columns to a texel.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import type { Binding, Packing, PlannedDispatch } from "./pipeline.ts";

/** Bytes of a texel: four columns in float32. */
export const TEXEL_BYTES = 16;
/** Texels in a row of a packed texture, and its rows: as many as every device allows. */
const MAX_SIDE = 8192;
/** Most texels of a packed matrix. */
export const MAX_TEXELS: number = MAX_SIDE * 1024;

/** Rows that a product reads at a time: those past a matrix' end must hold zeros. */
const ROWS_AT_ONCE = 4;

/** Columns of which a row's bytes are such as a copy into a texture may leave between rows: 256. */
const COPIED_COLUMNS = 64;

/** Texels at the end of a row that hold nothing: rows a power of two apart would share a few places of the processor's cache. */
const PADDING = 4;

/** Width and height of the texture in which kernels keep numbers as long as they run; whole_step_texels.wgsl knows the width. */
export const MEMORY_SIZE: [width: number, height: number] = [1024, 32];

/** Texels of a packed matrix. */
export function texelsOf(rows: number, columns: number): number {
  return rows * Math.ceil(columns / 4);
}

/**
 * How a matrix lies in its texture: with a row of it in a row of texels, where a copy can bring it there; or flat, one texel
 * after the other, which most often is one row of texels.
 */
export function isFlat(rows: number, columns: number): boolean {
  return columns % COPIED_COLUMNS !== 0 || rows > MAX_SIDE - ROWS_AT_ONCE || columns / 4 > MAX_SIDE - PADDING;
}

/** Width and height of the texture that holds a matrix. */
export function textureSize(rows: number, columns: number): [width: number, height: number] {
  const read = rows + ROWS_AT_ONCE - 1;
  if (!isFlat(rows, columns)) return [columns / 4 + PADDING, read];
  const texels = texelsOf(read, columns);
  return [Math.min(texels, MAX_SIDE), Math.ceil(texels / MAX_SIDE)];
}

export interface TextureCopy {
  readonly source: GPUTexelCopyBufferInfo;
  readonly destination: GPUTexelCopyTextureInfo;
  readonly size: [width: number, height: number];
}

/** The copies that pack a matrix: whole rows of texels, and the rest. */
export function copiesOf({ matrix: { buffer, byteOffset }, rows, columns, texture }: Packing): TextureCopy[] {
  const width = isFlat(rows, columns) ? MAX_SIDE : columns / 4;
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

/** What packs a matrix [rows, columns] into a texture. Copies are many times as fast as a kernel that stores texels. */
export function toPacked(
  matrix: Binding,
  rows: number,
  columns: number,
  texture: GPUTexture,
): PlannedDispatch | Packing {
  if (columns % 4 === 0) return { matrix, rows, columns, texture };
  const texels = texelsOf(rows, columns);
  const resources = [matrix, texture];
  return { kernel: kernels.pack, resources, sizes: [texels, columns], reals: [], invocations: texels };
}

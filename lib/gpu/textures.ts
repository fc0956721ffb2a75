/**
 * Matrices in textures, from which the fast products of a software adapter read: four columns to a texel.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import type { Binding, Packing, PlannedDispatch } from "./pipeline.ts";

/** Bytes of a texel: four columns in float32. */
export const TEXEL_BYTES = 16;
/** Texels in a row of a packed texture, as many as every device allows: most matrices are one row, and a single copy packs them. */
const TEXTURE_WIDTH = 8192;
/** Most texels of a packed matrix. */
export const MAX_TEXELS: number = TEXTURE_WIDTH * 1024;

/** Texels of a packed matrix. */
export function texelsOf(rows: number, columns: number): number {
  return rows * Math.ceil(columns / 4);
}

/** Width and height of the texture that holds so many texels. */
export function textureSize(texels: number): [width: number, height: number] {
  return [Math.min(texels, TEXTURE_WIDTH), Math.ceil(texels / TEXTURE_WIDTH)];
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

/** The dispatch that packs a matrix [rows, columns] into a texture. Where columns are a multiple of four, a copy does the same. */
export function packDispatch(matrix: Binding, rows: number, columns: number, texture: GPUTexture): PlannedDispatch {
  const texels = texelsOf(rows, columns);
  return {
    kernel: kernels.pack,
    resources: [matrix, texture],
    sizes: [texels, columns],
    reals: [],
    invocations: texels,
  };
}

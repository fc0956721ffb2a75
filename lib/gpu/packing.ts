/**
 * Products on a software adapter, which reads fastest through textures: when a matrix is copied into one.
 *
 * @module
 */
import { adamOfTexels, byFours, kernels } from "../../kernels/mod.ts";
import type { Binding, Packing, PlannedDispatch } from "./pipeline.ts";
import { blocksDispatch, isProduct, isSame, type Item, type Unused, writes } from "./product.ts";
import { packDispatch, texelsOf } from "./textures.ts";

/** Rows past a matrix' end that a product reads as inner positions: its texture holds zeros there. */
const MORE_ROWS = 3;

/** Texels up to which a kernel packs a matrix sooner than the end of a compute pass takes, which a copy needs: measured on llvmpipe. */
const FEW_TEXELS = 320;

/** What packing needs to know of the device. */
export interface PackingTarget {
  /** Makes a texture that holds so many texels. */
  createTexture(texels: number): GPUTexture;
  /** Stand-ins for what a kernel binds and does not use. */
  unused(): Unused;
  /**
   * Buffers that hold intermediate results: where nothing else reads one, it need not be written. Without it nothing is
   * fused, and results are those of the operations one by one, bit for bit.
   */
  readonly intermediate?: ReadonlySet<GPUBuffer>;
}

/**
 * Products become dispatches. A matrix is packed once, and again after something has
 * written to it. Copies end a compute pass, so each joins those before it, where its matrix has not been written to since.
 */
export function packProducts(items: readonly Item[], target: PackingTarget): (PlannedDispatch | Packing[])[] {
  const placed: (PlannedDispatch | Packing[])[] = [];
  /** Matrices that some texture holds at the moment. */
  let held: (Packing & { readonly columns: number })[] = [];
  let copies: Packing[] | undefined;
  const writtenSince = new Set<GPUBuffer>();
  const pack = (matrix: Binding, rows: number, columns: number): GPUTexture => {
    const found = held.find((packed) => isSame(packed.matrix, matrix) && packed.columns === columns);
    if (found) return found.texture;
    const texture = target.createTexture(texelsOf(rows + MORE_ROWS, columns));
    const joins = copies && !writtenSince.has(matrix.buffer);
    if (columns % 4 !== 0 || (!joins && texelsOf(rows, columns) <= FEW_TEXELS)) {
      placed.push(packDispatch(matrix, rows, columns, texture));
    } else {
      if (!joins) {
        placed.push(copies = []);
        writtenSince.clear();
      }
      copies!.push({ matrix, texture });
    }
    held.push({ matrix, columns, texture });
    return texture;
  };
  for (const item of items) {
    if (isProduct(item)) {
      const { groups, m, n, k, transposeA, y } = item;
      const transposeB = item.transposeB || (n === 1 && k % 4 === 0 && !item.sums);
      const operands = {
        a: transposeA ? pack(item.a, groups * k, m) : pack(item.a, groups * m, k),
        b: transposeB ? pack(item.b, groups * n, k) : pack(item.b, groups * k, n),
        y: y && pack(y, groups * m, n),
      };
      placed.push(blocksDispatch({ ...item, transposeB }, operands, target.unused()));
    } else {
      placed.push(isManyOfAdam(item) && target.intermediate ? toAdamOfTexels(item, pack) : item);
    }
    const written = writes(item);
    held = held.filter(({ matrix }) => !written.includes(matrix.buffer));
    for (const buffer of written) writtenSince.add(buffer);
  }
  return placed;
}

/** Parameters from which on reading them through textures is worth copying them there, and up to which they fit: measured. */
const MANY = { least: 2_048, most: 1 << 22 };

function isManyOfAdam({ kernel, sizes: [fours] }: PlannedDispatch): boolean {
  return kernel === byFours(kernels.adam) && 4 * fours >= MANY.least && 4 * fours <= MANY.most;
}

function toAdamOfTexels(
  dispatch: PlannedDispatch,
  pack: (matrix: Binding, rows: number, columns: number) => GPUTexture,
): PlannedDispatch {
  const { sizes: [fours], resources } = dispatch;
  const [w, dW, m, v, powers, rate] = resources as Binding[];
  const texels = [dW, w, m, v].map((flat) => pack(flat, fours, 4));
  return {
    ...dispatch,
    kernel: adamOfTexels,
    resources: [w, texels[0], m, v, powers, rate, ...texels.slice(1)],
  };
}

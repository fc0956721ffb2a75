/**
 * Products on a software adapter, which reads fastest through textures: when a matrix is copied into one.
 *
 * @module
 */
import { byFours, fromTexels, type Kernel, kernels } from "../../kernels/mod.ts";
import type { Binding, Packing, PlannedDispatch, Resource } from "./pipeline.ts";
import { bindsOf, blocksDispatch, isProduct, isSame, type Item, type Product, type Unused, writes } from "./product.ts";
import { texelsOf, toPacked } from "./textures.ts";

/** What packing needs to know of the device. */
export interface PackingTarget {
  /** Makes a texture that holds a matrix. */
  createTexture(rows: number, columns: number): GPUTexture;
  /** Stand-ins for what a kernel binds and does not use. */
  unused(): Unused;
  /**
   * Buffers that hold intermediate results: where nothing else reads one, it need not be written. Without it nothing is
   * fused, and results are those of the operations one by one, bit for bit.
   */
  readonly intermediate?: ReadonlySet<GPUBuffer>;
  /** Whether nobody else reads these buffers. */
  readonly closed?: boolean;
}

/**
 * Products become dispatches. A matrix is packed once, and again after something has
 * written to it. Copies end a compute pass, so each joins those before it, where its matrix has not been written to since.
 */
export function packProducts(items: readonly Item[], target: PackingTarget): (PlannedDispatch | Packing[])[] {
  const placed: (PlannedDispatch | Packing[])[] = [];
  /** Matrices that some texture holds at the moment. */
  let held: Packing[] = [];
  let copies: Packing[] | undefined;
  const writtenSince = new Set<GPUBuffer>();
  const pack = (matrix: Binding, rows: number, columns: number): GPUTexture => {
    const found = held.find((packed) => isSame(packed.matrix, matrix) && packed.columns === columns);
    if (found) return found.texture;
    const texture = target.createTexture(rows, columns);
    const packed = toPacked(matrix, rows, columns, texture);
    if ("kernel" in packed) {
      placed.push(packed);
    } else {
      if (!copies || writtenSince.has(matrix.buffer)) {
        placed.push(copies = []);
        writtenSince.clear();
      }
      copies.push(packed);
    }
    held.push({ matrix, rows, columns, texture });
    return texture;
  };
  for (const [at, asked] of items.entries()) {
    let item = asked;
    let result: Packing | undefined;
    if (isProduct(item)) {
      item = turned(item);
      const [a, b, y] = operandsOf(item).map(({ matrix, rows, columns }) => pack(matrix, rows, columns));
      if (target.closed && target.intermediate?.has(item.out.buffer) && isForProducts(item, items.slice(at + 1))) {
        const { groups, m, n, out } = item;
        result = { matrix: out, rows: groups * m, columns: n, texture: target.createTexture(groups * m, n) };
      }
      placed.push(blocksDispatch(item, { a, b, y, out: result?.texture }, target.unused()));
    } else {
      const update = target.intermediate && updateOfMany(item);
      placed.push(update ? throughTexels(item, update, pack) : item);
    }
    const written = writes(item);
    held = held.filter(({ matrix }) => !written.includes(matrix.buffer));
    if (result) held.push(result);
    for (const buffer of written) writtenSince.add(buffer);
  }
  return placed;
}

/** The same product, with a single column as a row of the transpose: a copy packs it. */
function turned(product: Product): Product {
  const { n, k, transposeB, sums } = product;
  return { ...product, transposeB: transposeB || (n === 1 && k % 4 === 0 && !sums) };
}

/** What a product reads through textures: a, b, and y where there is a derivative. */
function operandsOf({ groups, m, n, k, a, b, y, transposeA, transposeB }: Product): Omit<Packing, "texture">[] {
  return [
    transposeA ? { matrix: a, rows: groups * k, columns: m } : { matrix: a, rows: groups * m, columns: k },
    transposeB ? { matrix: b, rows: groups * n, columns: k } : { matrix: b, rows: groups * k, columns: n },
    ...y ? [{ matrix: y, rows: groups * m, columns: n }] : [],
  ];
}

/** Texels up to which storing them takes less time than the copy, which ends a pass: 36 us and 3.5 ns a texel, measured. */
const MAX_RESULT_TEXELS = 8_192;

/** Whether nothing but products reads a product's result, each as the matrix that it is, and it is small enough for a texture. */
function isForProducts({ out, groups, m, n }: Product, rest: readonly Item[]): boolean {
  if (texelsOf(groups * m, n) > MAX_RESULT_TEXELS) return false;
  const readers = rest.filter((item) => bindsOf(item).some(({ buffer }) => buffer === out.buffer));
  return readers.length > 0 && readers.every((item) => {
    if (!isProduct(item)) return false;
    const others = [item.bias, item.out, item.sums, item.dropout?.step];
    const operands = operandsOf(turned(item)).filter(({ matrix }) => matrix.buffer === out.buffer);
    return others.every((place) => place?.buffer !== out.buffer) &&
      operands.every(({ matrix, columns }) => isSame(matrix, out) && columns === n);
  });
}

/** Parameters from which on reading them through textures is worth copying them there, and up to which they fit: measured. */
const MANY = { least: 2_048, most: 1 << 22 };

/** Updates of many parameters that read fewer numbers from textures than from buffers: all but Adam's are of two or three. */
const UPDATES: readonly Kernel[] = [kernels.sgd, kernels.momentum, kernels.rmsprop, kernels.adam];

/** The plain form of an update of many parameters, undefined for anything else. */
function updateOfMany({ kernel, sizes: [fours] }: PlannedDispatch): Kernel | undefined {
  const isMany = 4 * fours >= MANY.least && 4 * fours <= MANY.most;
  return isMany ? UPDATES.find((update) => kernel === byFours(update)) : undefined;
}

/** The update through textures: parameters and gradients, and the optimizer's state, which it also writes. */
function throughTexels(
  dispatch: PlannedDispatch,
  update: Kernel,
  pack: (matrix: Binding, rows: number, columns: number) => GPUTexture,
): PlannedDispatch {
  const { sizes: [fours], resources } = dispatch;
  const kernel = fromTexels(update);
  const packed = (place: Resource) => pack(place as Binding, fours, 4);
  const first = resources.map((place, i) => kernel.access[i] === "read_texture" ? packed(place) : place);
  const written = resources.filter((_, i) => kernel.access[i] === "read_write");
  return { ...dispatch, kernel, resources: [...first, ...written.map(packed)] };
}

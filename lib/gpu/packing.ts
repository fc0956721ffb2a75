/**
 * Products and updates on a software adapter, which reads textures faster than buffers: when a matrix goes into one.
 *
 * @module
 */
import { type Kernel, kernels } from "../../kernels/mod.ts";
import { byFours, fromTexels } from "./kernel_forms.ts";
import type { Binding, Packing, PlannedDispatch, Resource } from "./pipeline.ts";
import {
  bindsOf,
  blocksDispatch,
  isProduct,
  isSame,
  type Item,
  matricesOf,
  type Placed,
  type Product,
  type Unused,
  writes,
} from "./product.ts";
import { canCopy, type Layout, MANY_TEXELS, packDispatch, texelsOf } from "./textures.ts";

/**
 * Texels up to which a kernel packs a matrix sooner than a copy, for which the compute pass has to end: measured on llvmpipe,
 * as are the other bounds here.
 */
const FEW_TEXELS = 320;

/** What packing needs to know of the device. */
export interface PackingTarget {
  /** Makes a texture that holds a matrix. */
  createTexture(layout: Layout): GPUTexture;
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
 * Products become dispatches. A matrix is packed once, and again after something has written to it. Copies end a compute pass,
 * so each joins those before it, where its matrix has not been written to since.
 */
export function packProducts(items: readonly Item[], target: PackingTarget): (PlannedDispatch | Packing[])[] {
  const steps: (PlannedDispatch | Packing[])[] = [];
  /** Matrices that some texture holds at the moment. */
  let held: Packing[] = [];
  let copies: Packing[] | undefined;
  const writtenSince = new Set<GPUBuffer>();
  const pack = (placed: Placed): GPUTexture => {
    const { matrix, rows, columns } = placed;
    const found = held.find((packed) => isHere(packed, placed));
    if (found) return found.texture;
    const texture = target.createTexture(placed);
    const packing = { ...placed, texture };
    const joins = copies && !writtenSince.has(matrix.buffer);
    if (!canCopy(placed) || (!joins && texelsOf(rows, columns) <= FEW_TEXELS)) {
      steps.push(packDispatch(packing));
    } else {
      if (!joins) {
        steps.push(copies = []);
        writtenSince.clear();
      }
      copies!.push(packing);
    }
    held.push(packing);
    return texture;
  };
  for (const [at, asked] of items.entries()) {
    const item = isProduct(asked) ? turned(asked) : asked;
    let result: Packing | undefined;
    if (isProduct(item)) {
      const { a, b, out } = matricesOf(item);
      const operands = { a: pack(a), b: pack(b), y: item.y && pack({ ...out, matrix: item.y }) };
      if (target.closed && target.intermediate?.has(out.matrix.buffer) && isForProducts(out, items.slice(at + 1))) {
        result = { ...out, texture: target.createTexture(out) };
      }
      steps.push(blocksDispatch(item, { ...operands, out: result?.texture }, target.unused()));
    } else {
      const update = target.intermediate && updateOfMany(item);
      steps.push(update ? throughTexels(item, update, pack) : item);
    }
    const written = writes(item);
    held = held.filter(({ matrix }) => !written.includes(matrix.buffer));
    if (result) held.push(result);
    for (const buffer of written) writtenSince.add(buffer);
  }
  return steps;
}

/** The same product, with a long single column as a row of the transpose: a copy packs it. */
function turned(product: Product): Product {
  const { n, k, transposeB, sums } = product;
  return { ...product, transposeB: transposeB || (n === 1 && k > MANY_TEXELS && k % 4 === 0 && !sums) };
}

/** Whether a texture holds a matrix, as it is to lie there. */
function isHere(packed: Packing, { matrix, columns, isFlat }: Placed): boolean {
  return isSame(packed.matrix, matrix) && packed.columns === columns && packed.isFlat === isFlat;
}

/** Texels of a result up to which storing them takes less time than a copy: its end of a pass takes 36 us, each texel 3.5 ns. */
export const MAX_RESULT_TEXELS = 8_192;

/** Whether nothing but products reads a result, each as the matrix that it is, and it is small enough for a texture. */
function isForProducts({ matrix, rows, columns, isFlat }: Placed, rest: readonly Item[]): boolean {
  if (texelsOf(rows, columns) > MAX_RESULT_TEXELS) return false;
  const isIt = (place: Binding | undefined) => place?.buffer === matrix.buffer;
  const readers = rest.filter((item) => bindsOf(item).some(isIt));
  return readers.length > 0 && readers.every((item) => {
    if (!isProduct(item) || [item.bias, item.out, item.sums, item.dropout?.step].some(isIt)) return false;
    const { a, b, out } = matricesOf(turned(item));
    const operands = item.y ? [a, b, { ...out, matrix: item.y }] : [a, b];
    const uses = operands.filter((placed) => isIt(placed.matrix));
    return uses.every((use) => isSame(use.matrix, matrix) && use.columns === columns && use.isFlat === isFlat);
  });
}

/** Parameters from which and up to which reading through textures is worth copying them there. */
const MANY = { least: 2_048, most: 1 << 22 };

/** The updates that can read through textures: Adam's reads four numbers of each parameter, the others two or three. */
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
  pack: (placed: Placed) => GPUTexture,
): PlannedDispatch {
  const { sizes: [fours], resources } = dispatch;
  const kernel = fromTexels(update);
  const packed = (place: Resource) => pack({ matrix: place as Binding, rows: fours, columns: 4, isFlat: true });
  const first = resources.map((place, i) => kernel.access[i] === "read_texture" ? packed(place) : place);
  const written = resources.filter((_, i) => kernel.access[i] === "read_write");
  return { ...dispatch, kernel, resources: [...first, ...written.map(packed)] };
}

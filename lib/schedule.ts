/**
 * From what operations asked for to what runs. Operations ask for plain kernels, one each; here neighbours are fused, and
 * matrix products get the form that is fast on the adapter. Nothing else knows of it: layers, losses and optimizers read
 * as in a textbook, and without this file they compute the same.
 *
 * Rules, in the order they are tried on a product and the dispatch behind it:
 * - `matmul, addBias` starts the sums from the bias;
 * - `.., relu` or `.., sigmoid` is applied before the result is stored; ReLU's backward then looks at the output instead of
 *   the input, which is over 0 in the same places;
 * - `matmul, reluBackward` or `matmul, sigmoidBackward` multiplies by the derivative before the result is stored;
 * - `matmul(a, b), sum over rows of b`, which a layer asks for as weight and bias gradient, sums along the way.
 *
 * @module
 */
import { type Kernel, kernels } from "../kernels/mod.ts";
import { type Binding, type Dispatch, isBinding } from "./pipeline.ts";
import {
  blocksDispatch,
  packDispatch,
  type PackedProduct,
  type Product,
  texelsOf,
  toProduct,
  type Unused,
} from "./product.ts";

/** What a schedule needs of the device. */
export interface Target {
  /** Makes a texture that holds so many texels. */
  createTexture(texels: number): GPUTexture;
  /** Stand-ins for what a kernel binds and does not use. */
  unused(): Unused;
  /** Buffers that hold intermediate results: where nothing else reads one, it need not be written. */
  readonly intermediate: ReadonlySet<GPUBuffer>;
}

/** A step of a schedule that is not final yet. */
type Item = Dispatch | Product;

/**
 * Chooses what runs.
 *
 * @param plain Dispatches in the order in which they were asked for.
 * @param target The device's side.
 * @returns Dispatches with the same results, but for intermediate ones.
 */
export function schedule(plain: readonly Dispatch[], target: Target): Dispatch[] {
  if (!plain.some(toProduct)) return [...plain];
  return place(fuse(plain, target.intermediate), target);
}

/** First pass: products take in what stands behind them. */
function fuse(plain: readonly Dispatch[], intermediate: ReadonlySet<GPUBuffer>): Item[] {
  const items: Item[] = [];
  const pending: Mutable<Dispatch>[] = plain.map((dispatch) => ({ ...dispatch }));
  for (let i = 0; i < pending.length; i++) {
    const product = toProduct(pending[i]);
    while (product && i + 1 < pending.length && absorb(product, pending[i + 1], pending.slice(i + 2), intermediate)) {
      i++;
    }
    items.push(product ?? pending[i]);
  }
  return items;
}

type Mutable<T> = { -readonly [key in keyof T]: T[key] };

/** Takes `next` into the product, if that leaves every result that `rest` reads, or that is not intermediate. */
function absorb(
  product: Product,
  { kernel, resources, sizes, reals }: Dispatch,
  rest: Mutable<Dispatch>[],
  intermediate: ReadonlySet<GPUBuffer>,
): boolean {
  const [first, second, third] = resources as Binding[];
  const { out, activation, derivative, bias } = product;
  const readers = rest.filter(({ resources }) => resources.some((r) => isBinding(r) && r.buffer === out.buffer));
  const mayVanish = intermediate.has(out.buffer) && readers.length === 0;
  const untouched = activation === "none" && derivative === "none";
  switch (kernel as Kernel) {
    case kernels.addBias:
      if (!isSame(first, out) || !mayVanish || bias || !untouched) return false;
      [product.bias, product.out] = [second, third];
      return true;
    case kernels.sigmoid:
      if (!isSame(first, out) || !mayVanish || !untouched) return false;
      [product.activation, product.out] = ["sigmoid", second];
      return true;
    case kernels.relu: {
      const masks = readers.every((reader) => isReluBackwardOf(reader, out));
      if (!isSame(first, out) || !intermediate.has(out.buffer) || !masks || !untouched) return false;
      for (const reader of readers) reader.resources = [second, ...reader.resources.slice(1)];
      [product.activation, product.out] = ["relu", second];
      return true;
    }
    case kernels.reluBackward:
    case kernels.sigmoidBackward:
      if (!isSame(second, out) || first.buffer === out.buffer || !mayVanish || !untouched || bias) return false;
      product.derivative = kernel === kernels.sigmoidBackward ? "sigmoid" : "relu";
      [product.y, product.out] = [first, third];
      return true;
    case kernels.sum:
      if (!isSame(first, product.b) || product.sums || product.transposeB) return false;
      if (`${sizes}` !== `${[1, product.k, product.n, 1]}` || reals[0] !== 1 || isSame(second, out)) return false;
      product.sums = second;
      return true;
    default:
      return false;
  }
}

function isReluBackwardOf({ kernel, resources }: Dispatch, x: Binding): boolean {
  const [first, ...others] = resources as Binding[];
  return (kernel as Kernel) === kernels.reluBackward && isSame(first, x) &&
    others.every(({ buffer }) => buffer !== x.buffer);
}

function isSame(a: Binding, b: Binding): boolean {
  return a.buffer === b.buffer && a.byteOffset === b.byteOffset && a.byteLength === b.byteLength;
}

/** A matrix that some texture holds at the moment. */
interface Packed {
  readonly matrix: Binding;
  readonly columns: number;
  readonly texture: GPUTexture;
}

/** Second pass: products become dispatches. A matrix is packed once, and again after something has written to it. */
function place(items: readonly Item[], target: Target): Dispatch[] {
  const dispatches: Dispatch[] = [];
  let held: Packed[] = [];
  const pack = (matrix: Binding, rows: number, columns: number): GPUTexture => {
    const found = held.find((packed) => isSame(packed.matrix, matrix) && packed.columns === columns);
    if (found) return found.texture;
    const texture = target.createTexture(texelsOf(rows, columns));
    dispatches.push(packDispatch(matrix, rows, columns, texture, target.unused()));
    held.push({ matrix, columns, texture });
    return texture;
  };
  items.forEach((item, i) => {
    let made: Packed | undefined;
    if (!isProduct(item)) {
      dispatches.push(item);
    } else {
      const { m, n, k, out, y } = item;
      const { inTexture, inBuffer } = readsOf(out, n, items.slice(i + 1));
      const operands: PackedProduct = {
        a: item.transposeA ? pack(item.a, k, m) : pack(item.a, m, k),
        b: item.transposeB ? pack(item.b, n, k) : pack(item.b, k, n),
        y: y && pack(y, m, n),
        packed: inTexture ? target.createTexture(texelsOf(m, n)) : undefined,
        toBuffer: inBuffer || !inTexture || !target.intermediate.has(out.buffer),
      };
      dispatches.push(blocksDispatch(item, operands, target.unused()));
      if (operands.packed) made = { matrix: out, columns: n, texture: operands.packed };
    }
    const written = writes(item);
    held = held.filter(({ matrix }) => !written.includes(matrix.buffer));
    if (made) held.push(made);
  });
  return dispatches;
}

/** Whether a product's result [m, n] is read packed, and whether it is read otherwise, before it is written again. */
function readsOf(out: Binding, n: number, rest: readonly Item[]): { inTexture: boolean; inBuffer: boolean } {
  let inTexture = false, inBuffer = false;
  for (const item of rest) {
    if (isProduct(item)) {
      for (const { matrix, columns } of operandsOf(item)) {
        if (isSame(matrix, out) && columns === n) inTexture = true;
        else if (matrix.buffer === out.buffer) inBuffer = true;
      }
      if (item.bias?.buffer === out.buffer) inBuffer = true;
    } else if (item.resources.some((r) => isBinding(r) && r.buffer === out.buffer)) {
      inBuffer = true;
    }
    if (writes(item).includes(out.buffer)) break;
  }
  return { inTexture, inBuffer };
}

/** The matrices that a product reads packed. */
function operandsOf({ a, b, y, m, n, k, transposeA, transposeB }: Product): { matrix: Binding; columns: number }[] {
  return [
    { matrix: a, columns: transposeA ? m : k },
    { matrix: b, columns: transposeB ? k : n },
    ...(y ? [{ matrix: y, columns: n }] : []),
  ];
}

/** The buffers that an item writes to. */
function writes(item: Item): GPUBuffer[] {
  if (isProduct(item)) return [item.out.buffer, ...(item.sums ? [item.sums.buffer] : [])];
  const { kernel, resources } = item;
  return resources.filter((_, i) => kernel.access[i] === "read_write").filter(isBinding).map(({ buffer }) => buffer);
}

function isProduct(item: Item): item is Product {
  return "transposeA" in item;
}

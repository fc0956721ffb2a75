/**
 * From the dispatches that operations asked for to those that run. Operations ask for plain kernels, one each. Here
 * neighbours are fused, and matrix products get the form that is fast on the adapter. No other room knows of it: layers,
 * losses and optimizers read as in a textbook, and without this file they compute the same.
 *
 * Rules, in the order in which they are tried on a product and the dispatch after it:
 * - `matmul, addBias` starts the sums from the bias;
 * - `.., relu`, `.., sigmoid` or `.., tanh` is applied before the result is stored. ReLU's backward then looks at the output
 *   instead of the input, which is over 0 in the same places;
 * - `.., dropout` too, alone or after `relu`, whose backward may look at what is left: where an element was dropped, nothing
 *   flows back either. What moves its counter on goes before the product;
 * - `matmul, reluBackward` and those of sigmoid and tanh multiply by the derivative before the result is stored;
 * - `matmul(a, b), sum over rows of b`, which a layer asks for as weight and bias gradient, sums along the way.
 *
 * Besides, an invocation of an update or a gather takes four elements where they divide; Adam's update of many parameters reads
 * through textures where products do; and a product that stays plain is cut into parts where it is longer than an invocation
 * may loop.
 *
 * @module
 */
import { adamOfTexels, byFours, type Kernel, kernels } from "../../kernels/mod.ts";
import type { Activation } from "./product_forms.ts";
import { type Binding, isBinding, type Packing, type PlannedDispatch, type Resource } from "./pipeline.ts";
import {
  blocksDispatch,
  type Mask,
  maskOf,
  partsOf,
  type Product,
  texelsOf,
  tilesDispatch,
  toPacked,
  toProduct,
  type Unused,
} from "./product.ts";
import type { ProductMethod } from "./adapter.ts";

/** What fusion needs to know of the device. */
export interface FusionTarget {
  readonly products: ProductMethod;
  /** Makes a texture that holds so many texels. */
  createTexture(texels: number): GPUTexture;
  /** Stand-ins for what a kernel binds and does not use. */
  unused(): Unused;
  /**
   * Buffers that hold intermediate results: where nothing else reads one, it need not be written. Without it nothing is
   * fused, and results are those of the operations one by one, bit for bit.
   */
  readonly intermediate?: ReadonlySet<GPUBuffer>;
  /** Leave every dispatch as it is, but for products that are longer than an invocation may loop. */
  readonly plain?: boolean;
}

/** The backwards of activations that a product can take in. */
const DERIVATIVES = new Map<Kernel, Activation>([
  [kernels.reluBackward, "relu"],
  [kernels.sigmoidBackward, "sigmoid"],
  [kernels.tanhBackward, "tanh"],
]);

type Mutable<T> = { -readonly [key in keyof T]: T[key] };

/** A dispatch, or a product that is yet to become one. */
type Item = PlannedDispatch | Product;

/** Chooses what runs. */
export function planDispatches(
  asked: readonly PlannedDispatch[],
  target: FusionTarget,
): (PlannedDispatch | Packing[])[] {
  if (target.plain) return asked.flatMap(partsOf);
  const items = target.products === "plain" ? asked : fuse(asked, target.intermediate);
  const final = items.flatMap((item): Item[] => isProduct(item) ? [item] : partsOf(widen(item)));
  if (target.products === "blocks") return packProducts(final, target);
  return final.map((item) => isProduct(item) ? tilesDispatch(item, target.unused()) : item);
}

/** Four elements to an invocation, where they divide. */
function widen(dispatch: PlannedDispatch): PlannedDispatch {
  const { kernel, sizes, invocations } = dispatch;
  const counts = kernel.counts ?? 0;
  if (counts === 0 || sizes.slice(0, counts).some((size) => size % 4 !== 0)) return dispatch;
  const fours = sizes.map((size, i) => i < counts ? size / 4 : size);
  return { ...dispatch, kernel: byFours(kernel), sizes: fours, invocations: invocations / 4 };
}

/** First pass: products take in what follows them. */
function fuse(asked: readonly PlannedDispatch[], intermediate?: ReadonlySet<GPUBuffer>): Item[] {
  const items: Item[] = [];
  const pending: Mutable<PlannedDispatch>[] = asked.map((dispatch) => ({ ...dispatch }));
  for (let i = 0; i < pending.length; i++) {
    const product = toProduct(pending[i]);
    const absorbs = () => intermediate && absorb(product!, pending[i + 1], pending.slice(i + 2), intermediate);
    const passes = () => intermediate && goesBefore(product!, pending[i + 1]);
    while (product && i + 1 < pending.length && (absorbs() || passes())) {
      i++;
      if ((pending[i].kernel as Kernel) === kernels.advance) items.push(pending[i]);
    }
    items.push(product ?? pending[i]);
  }
  return items;
}

/** Takes `next` into the product, if that leaves every result that `rest` reads, or that is not intermediate. */
function absorb(
  product: Product,
  next: PlannedDispatch,
  rest: Mutable<PlannedDispatch>[],
  intermediate: ReadonlySet<GPUBuffer>,
): boolean {
  const { kernel, resources, sizes, reals } = next;
  const [first, second, third] = resources as Binding[];
  const { out, activation, derivative, bias, dropout, groups } = product;
  const readers = rest.filter(({ resources }) => resources.some((r) => isBinding(r) && r.buffer === out.buffer));
  const mayVanish = intermediate.has(out.buffer) && readers.length === 0;
  const untouched = activation === "none" && derivative === "none" && !dropout;
  switch (kernel as Kernel) {
    case kernels.addBias:
      if (!isSame(first, out) || !mayVanish || bias || !untouched || sizes[0] !== groups * sizes[2]) return false;
      product.bias = second;
      product.out = third;
      return true;
    case kernels.sigmoid:
    case kernels.tanh:
      if (!isSame(first, out) || !mayVanish || !untouched) return false;
      product.activation = kernel === kernels.tanh ? "tanh" : "sigmoid";
      product.out = second;
      return true;
    case kernels.relu: {
      const masks = readers.every((reader) => isReluBackwardOf(reader, out));
      if (!isSame(first, out) || !intermediate.has(out.buffer) || !masks || !untouched) return false;
      for (const reader of readers) reader.resources = [second, ...reader.resources.slice(1)];
      product.activation = "relu";
      product.out = second;
      return true;
    }
    case kernels.dropout: {
      const mask = maskOf(next);
      const isGate = (reader: PlannedDispatch) =>
        activation === "relu" && isReluBackwardOf(reader, out) && isDropped(reader.resources[1], mask, rest);
      const gates = intermediate.has(out.buffer) && readers.every(isGate);
      if (!isSame(first, out) || !gates || derivative !== "none" || dropout) return false;
      for (const reader of readers) {
        (reader as Mutable<PlannedDispatch>).resources = [third, ...reader.resources.slice(1)];
      }
      product.dropout = mask;
      product.out = third;
      return true;
    }
    case kernels.reluBackward:
    case kernels.sigmoidBackward:
    case kernels.tanhBackward:
      if (!isSame(second, out) || first.buffer === out.buffer || !mayVanish || bias) return false;
      if (activation !== "none" || derivative !== "none") return false;
      product.derivative = DERIVATIVES.get(kernel)!;
      product.y = first;
      product.out = third;
      return true;
    case kernels.sum:
      if (!isSame(first, product.b) || product.sums || product.transposeB) return false;
      if (`${sizes}` !== `${[groups, product.k, product.n, 1]}` || reals[0] !== 1 || isSame(second, out)) return false;
      product.sums = second;
      return true;
    default:
      return false;
  }
}

function isReluBackwardOf({ kernel, resources }: PlannedDispatch, x: Binding): boolean {
  const [first, ...others] = resources as Binding[];
  return (kernel as Kernel) === kernels.reluBackward && isSame(first, x) &&
    others.every(({ buffer }) => buffer !== x.buffer);
}

/** Whether some values are the result of dropout by a mask, and of nothing else. */
function isDropped(values: Resource, mask: Mask, rest: readonly PlannedDispatch[]): boolean {
  const makers = rest.filter((dispatch) => writes(dispatch).includes((values as Binding).buffer));
  return makers.length === 1 && makers.every((maker) => {
    if ((maker.kernel as Kernel) !== kernels.dropout || !isSame(maker.resources[2] as Binding, values as Binding)) {
      return false;
    }
    const { step, key, dropped, factor } = maskOf(maker);
    return isSame(step, mask.step) && key === mask.key && dropped === mask.dropped && factor === mask.factor;
  });
}

/** Whether a dispatch moves on a counter that the product does not look at: the mask of the dropout that may come next. */
function goesBefore({ a, b, out, bias, y, sums, dropout }: Product, { kernel, resources }: PlannedDispatch): boolean {
  const [counter] = resources as Binding[];
  const used = [a, b, out, bias, y, sums, dropout?.step];
  return (kernel as Kernel) === kernels.advance && used.every((binding) => binding?.buffer !== counter.buffer);
}

function isSame(a: Binding, b: Binding): boolean {
  return a.buffer === b.buffer && a.byteOffset === b.byteOffset && a.byteLength === b.byteLength;
}

/**
 * Second pass on a software adapter: products become dispatches. A matrix is packed once, and again after something has
 * written to it. Copies end a compute pass, so each joins those before it, where its matrix has not been written to since.
 */
function packProducts(items: readonly Item[], target: FusionTarget): (PlannedDispatch | Packing[])[] {
  const placed: (PlannedDispatch | Packing[])[] = [];
  /** Matrices that some texture holds at the moment. */
  let held: (Packing & { readonly columns: number })[] = [];
  let copies: Packing[] | undefined;
  const writtenSince = new Set<GPUBuffer>();
  const pack = (matrix: Binding, rows: number, columns: number): GPUTexture => {
    const found = held.find((packed) => isSame(packed.matrix, matrix) && packed.columns === columns);
    if (found) return found.texture;
    const texture = target.createTexture(texelsOf(rows, columns));
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
    held.push({ matrix, columns, texture });
    return texture;
  };
  for (const item of items) {
    if (isProduct(item)) {
      const { groups, m, n, k, transposeA, transposeB, y } = item;
      const operands = {
        a: transposeA ? pack(item.a, groups * k, m) : pack(item.a, groups * m, k),
        b: transposeB ? pack(item.b, groups * n, k) : pack(item.b, groups * k, n),
        y: y && pack(y, groups * m, n),
      };
      placed.push(blocksDispatch(item, operands, target.unused()));
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

/** The buffers that an item writes to. */
function writes(item: Item): GPUBuffer[] {
  if (isProduct(item)) return [item.out.buffer, ...(item.sums ? [item.sums.buffer] : [])];
  const { kernel, resources } = item;
  return resources.filter((_, i) => kernel.access[i] === "read_write").filter(isBinding).map(({ buffer }) => buffer);
}

function isProduct(item: Item): item is Product {
  return "transposeA" in item;
}

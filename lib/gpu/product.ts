/**
 * Matrix products as fusion sees them: what is multiplied, what happens to the result, and how it becomes dispatches.
 *
 * @module
 */
import { type Kernel, kernels } from "../../kernels/mod.ts";
import { type Activation, matmulBlocksKernel, matmulTilesKernel, type ProductForm } from "./product_forms.ts";
import { type Binding, isBinding, type Packing, type PlannedDispatch } from "./pipeline.ts";
import { isLong, type Layout, liesFlat, MAX_TEXELS, texelsOf } from "./textures.ts";

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
  /** And with this, where `y` is 0 wherever dropout dropped: instead of the mask. */
  factor?: number;
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
/** Inner positions that one invocation loops over, by fours: llvmpipe silently ends it after 65,535 iterations. */
const MAX_INNER = 4 * 60_000;
/** Reads a dispatch of the plain matrix product. */
export function toProduct({ kernel, resources, sizes }: PlannedDispatch): Product | undefined {
  if ((kernel as Kernel) !== kernels.matmul) return undefined;
  const [m, n, _1, aInner, _2, bColumn, _3, k, _4, _5, groups] = sizes;
  const [a, b, out] = resources as Binding[];
  // Of a matrix with one row or column either reading is right.
  const transposeA = aInner !== 1;
  const transposeB = bColumn !== 1;
  const texels = Math.max(texelsOf(m, k), texelsOf(k, m), texelsOf(k, n), texelsOf(n, k), texelsOf(m, n));
  const fits = k > 0 && k <= MAX_INNER && groups * texels <= MAX_TEXELS;
  if (!fits || groups * m * n * k < SMALL_PRODUCT) return undefined;
  return { groups, m, n, k, a, b, transposeA, transposeB, out, activation: "none", derivative: "none" };
}

/**
 * Stand-ins for what a kernel binds and does not use in one of its forms. Browsers refuse two bindings that write one place,
 * used or not: each has its own.
 */
export interface Unused {
  readonly read: Binding;
  readonly out: Binding;
  readonly out4: Binding;
  readonly sums: Binding;
  readonly texels: GPUTexture;
}

/** A matrix of a product as it lies in its texture. */
export type Placed = Omit<Packing, "texture">;

/** The sizes of a product, and how its operands are stored. */
export type ProductShape = Pick<Product, "groups" | "m" | "n" | "k" | "transposeA" | "transposeB">;

/** How operands and result of such a product lie in their textures; `y` lies as the result does. */
export function layoutsOf(
  { groups, m, n, k, transposeA, transposeB }: ProductShape,
): Record<"a" | "b" | "out", Layout> {
  const a = transposeA ? { rows: groups * k, columns: m } : { rows: groups * m, columns: k };
  const b = transposeB ? { rows: groups * n, columns: k } : { rows: groups * k, columns: n };
  const out = { rows: groups * m, columns: n };
  const areLong = [a, b, out].some(({ rows, columns }) => isLong(rows, columns));
  const lay = (shape: typeof out) => ({ ...shape, isFlat: areLong || liesFlat(shape.rows, shape.columns) });
  return { a: lay(a), b: lay(b), out: lay(out) };
}

/** The matrices of a product that may lie in textures: its operands, and its result, in whose shape `y` is, too. */
export function matricesOf(product: Product): Record<"a" | "b" | "out", Placed> {
  const { a, b, out } = layoutsOf(product);
  return {
    a: { matrix: product.a, ...a },
    b: { matrix: product.b, ...b },
    out: { matrix: product.out, ...out },
  };
}

/** Packed operands of a product, `y` where there is a derivative; and where its result goes, if not to its buffer. */
type Packed = Readonly<{ a: GPUTexture; b: GPUTexture; y?: GPUTexture; out?: GPUTexture }>;

/** The dispatch of a product whose operands are packed. */
export function blocksDispatch(product: Product, { a, b, y, out: texels }: Packed, unused: Unused): PlannedDispatch {
  const { groups, m, n, bias, out, sums, dropout } = product;
  const aligned = n % 4 === 0;
  const matrices = matricesOf(product);
  const flat = { a: matrices.a.isFlat, b: matrices.b.isFlat, y: matrices.out.isFlat };
  // A result may be shorter than the one vec4 that the other binding needs at least.
  const outs = aligned ? [unused.out, out] : [out, unused.out4];
  const form = formOf(product);
  return {
    kernel: matmulBlocksKernel(texels ? { ...form, texels: true } : form, aligned, flat),
    resources: [
      a,
      b,
      bias ?? unused.read,
      y ?? a,
      ...texels ? [unused.out, unused.out4] : outs,
      sums ?? unused.sums,
      dropout?.step ?? unused.read,
      texels ?? unused.texels,
    ],
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

function sizesOf({ m, n, k, groups, dropout, factor = 1 }: Product): Pick<PlannedDispatch, "sizes" | "reals"> {
  const { key = 0, dropped = 0 } = dropout ?? {};
  return { sizes: [m, n, k, groups, key, dropped], reals: [dropout?.factor ?? factor] };
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
    texels: false,
  };
}

/** A dispatch, or a product that is yet to become one. */
export type Item = PlannedDispatch | Product;

/** The buffers that an item writes to. */
export function writes(item: Item): GPUBuffer[] {
  if (isProduct(item)) return [item.out.buffer, ...(item.sums ? [item.sums.buffer] : [])];
  const { kernel, resources } = item;
  return resources.filter((_, i) => kernel.access[i] === "read_write").filter(isBinding).map(({ buffer }) => buffer);
}

/** What an item binds. */
export function bindsOf(item: Item): Binding[] {
  if (!isProduct(item)) return item.resources.filter(isBinding);
  const { a, b, y, bias, out, sums, dropout } = item;
  return [a, b, y, bias, out, sums, dropout?.step].filter((place) => place !== undefined);
}

/** Whether an item is still a product. */
export function isProduct(item: Item): item is Product {
  return "transposeA" in item;
}

/** Whether two bindings are one place. */
export function isSame(a: Binding, b: Binding): boolean {
  return a.buffer === b.buffer && a.byteOffset === b.byteOffset && a.byteLength === b.byteLength;
}

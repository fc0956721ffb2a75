/**
 * The forms of fast matrix products: each is a kernel, and a pipeline, of its own.
 *
 * @module
 */
import { type Kernel, products } from "../../kernels/mod.ts";

/** What a fast matrix product does besides multiplying; see `matmul_epilogue.wgsl`. */
export interface ProductForm {
  /** `a` is stored [k, m]. */
  readonly transposeA: boolean;
  /** `b` is stored [n, k]. */
  readonly transposeB: boolean;
  /** Add a bias to each row. */
  readonly bias: boolean;
  /** Then apply an activation. */
  readonly activation: Activation;
  /** Then multiply by the derivative of an activation, from its output. */
  readonly derivative: Activation;
  /** Then drop elements out: between the two, as a network's forward and its backward have it. */
  readonly dropout: boolean;
  /** Also give the column sums of `b`. */
  readonly sums: boolean;
  /** Several products, one after the other in each operand. */
  readonly grouped: boolean;
  /** The result goes to a texture alone. */
  readonly texels: boolean;
}

/** A product alone. */
export const PLAIN_PRODUCT: ProductForm = {
  transposeA: false,
  transposeB: false,
  bias: false,
  activation: "none",
  derivative: "none",
  dropout: false,
  sums: false,
  grouped: false,
  texels: false,
};

/** What a kernel can apply to its result. */
export type Activation = "none" | "relu" | "sigmoid" | "tanh";

const ACTIVATION_CODES: Record<Activation, number> = { none: 0, relu: 1, sigmoid: 2, tanh: 3 };
const known = new Map<string, Kernel>();
const productForms = new WeakMap<Kernel, KnownForm>();

/**
 * Which of a blocked product's matrices lie flat in their textures. `y` [m, n] also stands for a result in a texture; it does
 * not count where there is neither.
 */
export type Flat = Readonly<Record<"a" | "b" | "y", boolean>>;

/** What a fast product's kernel does, and for which matrices. */
export interface KnownForm {
  readonly form: ProductForm;
  /** For rows of the result that are a multiple of four long, and no others. */
  readonly aligned: boolean;
  /** Undefined for tiles. */
  readonly flat?: Flat;
}

/**
 * The blocked matrix product in one form; the same object each time, as each is a pipeline of its own.
 *
 * @param form What it does.
 * @param aligned Whether rows of the result are a multiple of four long.
 * @param flat Which matrices lie flat.
 * @returns The kernel.
 */
export function matmulBlocksKernel(form: ProductForm, aligned: boolean, { a, b, y }: Flat): Kernel {
  const flat: Flat = { a, b, y: y || (form.derivative === "none" && !form.texels) };
  const constants = {
    ...constantsOf(form),
    ALIGNED: Number(aligned && !form.texels),
    GROUPED: Number(form.grouped),
    TEXELS: Number(form.texels),
    FLAT_A: Number(flat.a),
    FLAT_B: Number(flat.b),
    FLAT_Y: Number(flat.y),
  };
  return inForm({ ...products.matmulBlocks, constants }, { form, aligned: aligned && !form.texels, flat });
}

/** The tiled matrix product in one form; see {@linkcode matmulBlocksKernel}. */
export function matmulTilesKernel(form: ProductForm): Kernel {
  return inForm({ ...products.matmulTiles, constants: constantsOf(form) }, { form, aligned: false });
}

/** What a fast product's kernel does; undefined for any other kernel. */
export function productFormOf(kernel: Kernel): KnownForm | undefined {
  return productForms.get(kernel);
}

function constantsOf(form: ProductForm): Record<string, number> {
  return {
    TRANSPOSE_A: Number(form.transposeA),
    TRANSPOSE_B: Number(form.transposeB),
    BIAS: Number(form.bias),
    ACTIVATION: ACTIVATION_CODES[form.activation],
    DERIVATIVE: ACTIVATION_CODES[form.derivative],
    DROPOUT: Number(form.dropout),
    SUMS: Number(form.sums),
  };
}

function inForm(kernel: Kernel, form: KnownForm): Kernel {
  const key = JSON.stringify([kernel.name, kernel.constants]);
  const same = known.get(key) ?? kernel;
  known.set(key, same);
  productForms.set(same, form);
  return same;
}

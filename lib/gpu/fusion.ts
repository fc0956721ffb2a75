/**
 * Which dispatches a matrix product takes in, so that neighbours run as one. Rules, in the order in which they are tried on a
 * product and the dispatch after it:
 * - `matmul, addBias` starts the sums from the bias;
 * - `.., relu`, `.., sigmoid` or `.., tanh` is applied before the result is stored. ReLU's backward then looks at the output
 *   instead of the input, which is over 0 in the same places;
 * - `.., dropout` too, alone or after `relu`, whose backward may look at what is left: where an element was dropped, nothing
 *   flows back either, so the mask is not drawn again. What moves its counter on goes before the product;
 * - `matmul, reluBackward` and those of sigmoid and tanh multiply by the derivative before the result is stored;
 * - `matmul(a, b), sum over rows of b`, which a layer asks for as weight and bias gradient, sums along the way.
 *
 * @module
 */
import { type Kernel, kernels } from "../../kernels/mod.ts";
import type { Activation } from "./product_forms.ts";
import { type Binding, isBinding, type PlannedDispatch, type Resource } from "./pipeline.ts";
import { isSame, type Item, type Mask, maskOf, type Product, toProduct, writes } from "./product.ts";

/** The backwards of activations that a product can take in. */
const DERIVATIVES = new Map<Kernel, Activation>([
  [kernels.reluBackward, "relu"],
  [kernels.sigmoidBackward, "sigmoid"],
  [kernels.tanhBackward, "tanh"],
]);

type Mutable<T> = { -readonly [key in keyof T]: T[key] };

/** A dispatch that was asked for. */
interface Asked extends Mutable<PlannedDispatch> {
  /** Of a ReLU's backward: its first operand is 0 where the mask of the dropout before it drops. */
  isGate?: boolean;
}

/**
 * Makes products of the dispatches that are products, which take in what follows them.
 *
 * @param asked What operations asked for.
 * @param intermediate Buffers that hold intermediate results: where nothing else reads one, it need not be written. Without
 * them nothing is fused, and results are those of the operations one by one, bit for bit.
 * @returns What is left of it, in order.
 */
export function fuse(asked: readonly PlannedDispatch[], intermediate?: ReadonlySet<GPUBuffer>): Item[] {
  const items: Item[] = [];
  const pending: Asked[] = asked.map((dispatch) => ({ ...dispatch }));
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
  next: Asked,
  rest: Asked[],
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
        reader.resources = [third, ...reader.resources.slice(1)];
        reader.isGate = true;
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
      if (next.isGate && dropout) {
        product.factor = dropout.factor;
        product.dropout = undefined;
      }
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

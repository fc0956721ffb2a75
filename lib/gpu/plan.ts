/**
 * From the dispatches that operations asked for to those that run. Operations ask for plain kernels, one each. Here
 * neighbours are fused, and matrix products get the form that is fast on the adapter. No other room knows of it: layers,
 * losses and optimizers read as in a textbook, and without this file they compute the same.
 *
 * - Matrix products take in what follows them: the rules are in `fusion.ts`;
 * - an invocation of an update or a gather takes four elements where they divide;
 * - on a software adapter products read through textures, and so does the update of many parameters: `packing.ts`;
 * - a product that stays plain is cut into parts where it is longer than an invocation may loop.
 *
 * @module
 */
import { type Kernel, kernels } from "../../kernels/mod.ts";
import { byFours } from "./kernel_forms.ts";
import type { ProductMethod } from "./adapter.ts";
import { fuse } from "./fusion.ts";
import { type PackingTarget, packProducts } from "./packing.ts";
import type { Packing, PlannedDispatch } from "./pipeline.ts";
import { isProduct, type Item, tilesDispatch } from "./product.ts";

/** What a plan needs to know of the device. */
export interface PlanTarget extends PackingTarget {
  /** How larger matrix products run. */
  readonly products: ProductMethod;
  /** Leave every dispatch as it is, but for products that are longer than an invocation may loop. */
  readonly plain?: boolean;
}

/** Inner positions that an invocation of a plain product may loop over: llvmpipe silently ends it after 65,535 iterations. */
const MAX_PLAIN_INNER = 32_768;

/** Chooses what runs. */
export function planDispatches(
  asked: readonly PlannedDispatch[],
  target: PlanTarget,
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

/** A plain product in parts that add up, each of no more inner positions than an invocation may loop over. */
function partsOf(dispatch: PlannedDispatch): PlannedDispatch[] {
  const { kernel, sizes } = dispatch;
  const inner = sizes[7];
  if ((kernel as Kernel) !== kernels.matmul || inner <= MAX_PLAIN_INNER) return [dispatch];
  return Array.from({ length: Math.ceil(inner / MAX_PLAIN_INNER) }, (_, part) => {
    const start = part * MAX_PLAIN_INNER;
    const end = Math.min(inner, start + MAX_PLAIN_INNER);
    return { ...dispatch, sizes: [...sizes.slice(0, 6), start, end, ...sizes.slice(8)] };
  });
}

/** The form in which a training's matrix products run: measured once per adapter. */

import { chooseProducts, type TimeProduct, timeProduct } from "../../lib/check/product_speed.ts";
import { nameOf, type ProductMethod, requestAdapter } from "../../lib/gpu/adapter.ts";
import type { Origin } from "../runs/origin.ts";
import { ADAPTERS_FILE, keepProducts, keptProducts } from "../settings/adapters.ts";
import type { RunView } from "../show/view.ts";

/** Who asks for the form, and how the forms are timed. */
interface ProductsRequest {
  readonly view: Pick<RunView, "warning">;
  /** What a run that is resumed began with. */
  readonly origin?: Origin;
  readonly threads?: number;
  readonly time?: TimeProduct;
  /** The file of choices. */
  readonly file?: string;
}

/** A form of products. */
interface Products {
  /** Undefined where the kind of the adapter decides. */
  readonly products?: ProductMethod;
  /** Writes down what was measured, and says so. Call it once it is sure that the settings are not refused. */
  keep?(): Promise<void>;
}

/**
 * The form of the products of a training whose steps are not small: that with which a resumed run began, else the one that
 * data/adapters.json has for the adapter, else the one that is measured now.
 */
export async function productsOf(request: ProductsRequest): Promise<Products> {
  const { view, origin, threads, file = ADAPTERS_FILE } = request;
  const { time = (products) => timeProduct(products, { threads }) } = request;
  const { info } = await requestAdapter({ threads });
  // Each form sums in an order of its own, and a resumed run ends with the same bits. Earlier versions had no choice.
  if (origin) return { products: origin.device === nameOf(info) ? origin.products : undefined };
  const kept = keptProducts(info, file);
  const choice = kept ? undefined : await chooseProducts(info, time);
  if (!choice) return { products: kept };
  const { products, why } = choice;
  const keep = async () => {
    const place = await keepProducts(info, products, file).then(() => `kept in ${file}`, (error: Error) => {
      return `not kept, so the next training measures again: ${error.message}`;
    });
    view.warning(`adapter: products in ${products}, ${why}; ${place}`);
  };
  return { products, keep };
}

/**
 * How fast an adapter multiplies matrices in each form, measured: which form is faster depends on the adapter, its driver and
 * the CPU behind it.
 *
 * @module
 */
import { DeviceError } from "../base/errors.ts";
import { matmul } from "../core/matmul.ts";
import { Tensor } from "../core/tensor.ts";
import { type DeviceOptions, type ProductMethod, productsFor } from "../gpu/adapter.ts";
import { Device } from "../gpu/device.ts";

/** Rows, inner positions and columns of the product that is timed. */
const SIZE = 256;

/** Milliseconds that a round of products takes at least, where it can: the wait for the result counts little then. */
const ROUND = 40;

/** Milliseconds in which rounds are run; the fastest counts. */
const TIMED = 120;

/** How often as fast another form must be to be taken instead of the one that the adapter's kind suggests: noise never is. */
const CLEARLY_FASTER = 1.5;

/** Milliseconds that a product takes in a form. */
export type TimeProduct = (products: ProductMethod) => Promise<number>;

/** A form of products, and why it is taken. */
export interface ProductChoice {
  readonly products: ProductMethod;
  /** In words: how it compares with the other form. */
  readonly why: string;
}

/**
 * Times a product of 256 x 256 x 256 for an eighth of a second or one product, and checks its result. Compiling is not timed.
 *
 * @param products The form.
 * @param options How to ask for the device.
 * @returns Milliseconds of one product.
 * @throws {DeviceError} If the adapter refuses the form, or gives a wrong result.
 */
export async function timeProduct(products: ProductMethod, options: DeviceOptions = {}): Promise<number> {
  using device = await Device.request({ ...options, products });
  const entries = SIZE * SIZE;
  const identity = Float32Array.from({ length: entries }, (_, i) => i % (SIZE + 1) === 0 ? 1 : 0);
  const counted = Float32Array.from({ length: entries }, (_, i) => i);
  using a = Tensor.from(device, identity, [SIZE, SIZE]);
  using b = Tensor.from(device, counted, [SIZE, SIZE]);
  using y = Tensor.zeros(device, [SIZE, SIZE]);
  using recording = device.record(() => void matmul(a, b, { out: y }));
  const round = async (times: number): Promise<number> => {
    const start = performance.now();
    recording.replay(times);
    const result = await y.read();
    const milliseconds = performance.now() - start;
    if (result.every((value, i) => value === counted[i])) return milliseconds;
    throw new DeviceError(`${device.name} gives a wrong result for a product in ${products}`);
  };
  await round(1); // compiles
  let fastest = Infinity;
  let times = 1;
  for (let timed = 0; timed < TIMED;) {
    const milliseconds = await round(times);
    timed += milliseconds;
    fastest = Math.min(fastest, milliseconds / times);
    if (milliseconds < ROUND) times *= 2;
  }
  return fastest;
}

/**
 * Chooses the form of an adapter's products by timing `blocks` and `tiles`. The form that suits adapters of its kind is kept
 * unless the other is at least 1.5 times as fast, or the adapter refuses it.
 *
 * @param info What the adapter says of itself.
 * @param time Times a product in a form.
 * @returns The form; undefined where there is nothing to choose, as the adapter can do neither or only `plain`.
 */
export async function chooseProducts(info: GPUAdapterInfo, time: TimeProduct): Promise<ProductChoice | undefined> {
  const rule = productsFor(info);
  if (rule === "plain") return undefined;
  const other = rule === "blocks" ? "tiles" : "blocks";
  const [ofRule, ofOther] = [await tryTo(time, rule), await tryTo(time, other)];
  if (typeof ofRule === "string" && typeof ofOther === "string") return undefined;
  if (typeof ofRule === "string") return { products: other, why: `because those in ${rule} fail: ${ofRule}` };
  if (typeof ofOther === "string") return { products: rule, why: `because those in ${other} fail: ${ofOther}` };
  const products = ofRule >= CLEARLY_FASTER * ofOther ? other : rule;
  const factor = products === rule ? ofOther / ofRule : ofRule / ofOther;
  return { products, why: `${Number(factor.toPrecision(2))} times as fast as in ${products === rule ? other : rule}` };
}

/** The milliseconds of a product in a form, or why the adapter does not multiply so. */
async function tryTo(time: TimeProduct, products: ProductMethod): Promise<number | string> {
  try {
    return await time(products);
  } catch (error) {
    if (error instanceof DeviceError) return error.message;
    throw error;
  }
}

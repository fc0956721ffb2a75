/**
 * Prints tensors as one looks at them while learning: a line each, with shape, smallest, largest and mean.
 *
 * @module
 */
import { formatShape, type Shape } from "../base/shape.ts";
import { readAll, Tensor } from "../core/tensor.ts";

/**
 * Prints a line for each tensor: name, shape, smallest and largest element, mean. Several tensors take one wait.
 *
 * @param name The name to print.
 * @param tensor Any shape; `f32` or `u32`.
 * @throws {TypeError} If it is no tensor, or one that was disposed of.
 * @throws {DeviceError} If any work before it failed.
 *
 * @example
 * ```ts
 * import { Device, mean, print, Tensor } from "@backhand/backhand";
 * using device = await Device.request();
 * using z1 = Tensor.from(device, [[1, -2], [3, 4]]);
 * using loss = mean(z1);
 * await print("z1", z1); // z1 shape=[2, 2], min=-2.000, max=4.000, mean=1.500
 * await print({ z1, loss }); // both, in one wait
 * ```
 */
export function print(name: string, tensor: Tensor): Promise<void>;
/** Prints several tensors under their names. */
export function print(tensors: Readonly<Record<string, Tensor>>): Promise<void>;
export async function print(given: string | Readonly<Record<string, Tensor>>, tensor?: Tensor): Promise<void> {
  const named = Object.entries(typeof given === "string" ? { [given]: tensor } : given).map(([name, value]) => {
    if (value instanceof Tensor) return { name, tensor: value };
    throw new TypeError(`Cannot print ${name}: it is ${kindOf(value)}, not a tensor; use console.log for it`);
  });
  const values = await readAll(named.map(({ tensor }) => tensor));
  named.forEach(({ name, tensor: { shape } }, i) => console.log(summary(name, shape, values[i])));
}

/**
 * `z1 shape=[2, 2], min=-2.000, max=4.000, mean=1.500`. A NaN makes all three NaN; how many are not finite is said.
 * One number is `loss shape=[], value=2.250`.
 */
export function summary(name: string, shape: Shape, values: ArrayLike<number>): string {
  const what = `${name} shape=${formatShape(shape)}`;
  if (values.length === 0) return `${what}, empty`;
  let least = Infinity;
  let most = -Infinity;
  let sum = 0;
  let wrong = 0;
  for (let i = 0; i < values.length; i++) {
    least = Math.min(least, values[i]);
    most = Math.max(most, values[i]);
    sum += values[i];
    if (!Number.isFinite(values[i])) wrong++;
  }
  if (values.length === 1) return `${what}, value=${short(values[0])}`;
  const numbers = `min=${short(least)}, max=${short(most)}, mean=${short(sum / values.length)}`;
  return `${what}, ${numbers}${wrong > 0 ? `, ${wrong} of ${values.length} are NaN or infinite` : ""}`;
}

/** Three digits after the point; what would be 0.000 or longer than ten digits is written with an exponent. */
function short(value: number): string {
  const size = Math.abs(value);
  const isPlain = value === 0 || (size >= 0.0005 && size < 1e10) || !Number.isFinite(value);
  return isPlain ? value.toFixed(3) : value.toExponential(3);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return `${value}`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/**
 * From scores to shares and from class numbers to targets: what a classifier needs next to its loss.
 *
 * Why each backward is as it is: [README.md](README.md#every-backward-in-a-line).
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { formatShape } from "../base/shape.ts";
import { divide, multiply, subtract } from "./elementwise.ts";
import { exp } from "./functions.ts";
import { checkTensors, type Out } from "../core/operation.ts";
import { sum } from "../core/reductions.ts";
import { max } from "./min_max_norm.ts";
import { Tensor } from "../core/tensor.ts";

/**
 * Softmax of each row: `out[i, j] = e^x[i, j] / sum over k of e^x[i, k]`. Each row's largest element is taken off first,
 * which changes nothing and keeps `e^x` from overflowing. NaN passes on to its row.
 *
 * @param x Matrix [rows, classes].
 * @returns Numbers from 0 to 1 that sum to 1 in each row, in the shape of `x`.
 * @throws {TypeError} If `x` is no matrix.
 * @throws {RangeError} If there are no classes.
 *
 * @example
 * ```ts
 * import { Device, oneHot, softmax, softmaxBackward, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using x = Tensor.from(device, [[5, 5], [0, -1000]]);
 * using s = softmax(x);
 * assertEquals([...await s.read()], [0.5, 0.5, 1, 0]);
 * using dX = softmaxBackward(s, Tensor.from(device, [[4, 0], [4, 0]]));
 * assertEquals([...await dX.read()], [1, -1, 0, 0]);
 * using target = oneHot(Tensor.from(device, [1, 0]), 2);
 * assertEquals([...await target.read()], [0, 1, 1, 0]);
 * ```
 */
export function softmax(x: Tensor, options: Out = {}): Tensor {
  checkMatrix("softmax", x);
  return x.device.tidy(() => {
    const powers = exp(subtract(x, asColumn(max(x, 1))));
    return divide(powers, asColumn(sum(powers, 1)), options);
  });
}

/**
 * Gradient of {@linkcode softmax} from its output `s`: `dX = s * (dOut - sum over the row of dOut * s)`.
 *
 * @throws {TypeError} If the shapes differ.
 */
export function softmaxBackward(s: Tensor, dOut: Tensor, options: Out = {}): Tensor {
  checkMatrix("softmax", s);
  return s.device.tidy(() => {
    const shared = sum(multiply(dOut, s), 1);
    return multiply(s, subtract(dOut, asColumn(shared)), options);
  });
}

/**
 * Class numbers as rows of 0 with a 1 in the place of the class. A number that is no class (a fraction, one too large, NaN)
 * gives a row of NaN, so that a wrong label does not pass for data. There is no backward: class numbers have no slope.
 *
 * @param numbers Class numbers from 0, `u32` or `f32`: [rows] or [rows, 1].
 * @param classes How many classes there are.
 * @returns Matrix [rows, classes].
 * @throws {TypeError} If the numbers are no vector and no column.
 * @throws {RangeError} If `classes` is no whole number over 0.
 */
export function oneHot(numbers: Tensor, classes: number): Tensor {
  checkTensors("make one-hot rows", { numbers });
  const [rows, columns = 1] = numbers.shape;
  if (numbers.shape.length === 0 || numbers.shape.length > 2 || columns !== 1) {
    throw new TypeError(`Cannot make one-hot rows of ${formatShape(numbers.shape)}: need [r] or [r, 1]`);
  }
  if (!Number.isSafeInteger(classes) || classes < 1) {
    throw new RangeError(`Cannot make one-hot rows of ${classes} classes: need a whole number over 0`);
  }
  const out = Tensor.zeros(numbers.device, [rows, classes]);
  const sizes = [out.size, classes, Number(numbers.dtype === "f32")];
  numbers.device.run(kernels.oneHot, { buffers: [numbers, out], sizes, invocations: out.size });
  return out;
}

function checkMatrix(name: string, x: Tensor): void {
  checkTensors(`take the ${name}`, { x });
  if (x.shape.length !== 2) throw new TypeError(`Cannot take the ${name} of ${formatShape(x.shape)}: need a matrix`);
}

/** A vector of one number a row, to be spread over the columns. */
function asColumn(x: Tensor): Tensor {
  return x.reshape([x.size, 1]);
}

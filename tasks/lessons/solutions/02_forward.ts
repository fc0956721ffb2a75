import { add, divide, equal, mean, sqrt, square, subtract, type Tensor } from "../../../mod.ts";

/**
 * Axis 0 runs over the rows, so mean and deviation are rows [columns], and each column is scaled by its own. Where a
 * deviation is 0, so is all that it divides: 1 in its place leaves 0, and not 0 / 0, which is NaN.
 */
export function standardize(x: Tensor): Tensor {
  const centered = subtract(x, mean(x, 0));
  const deviation = sqrt(mean(square(centered), 0));
  return divide(centered, add(deviation, equal(deviation, 0)));
}

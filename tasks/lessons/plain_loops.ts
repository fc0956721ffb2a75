/** The training step of lesson 8 in plain loops: no GPU, and no operation to call. */

/**
 * One step of SGD on a network of linear, ReLU and linear, with the mean squared error of lesson 3.
 *
 * @param weights By name, as `Model.read` gives them. It works on a copy in float64.
 * @returns A function that takes a batch, moves the weights at rate 0.05 and returns the loss from before.
 */
export function plainLoops(weights: Record<string, Float32Array>): (x: number[][], y: number[][]) => number {
  const names = ["0.weight", "0.bias", "2.weight", "2.bias"];
  const [w1, b1, w2, b2] = names.map((name) => Float64Array.from(weights[name]));
  return (x, y) => {
    const z1 = x.map(([v]) => w1.map((w, j) => v * w + b1[j]));
    const errors = z1.map((row, i) => row.reduce((z2, z, j) => z2 + Math.max(0, z) * w2[j], b2[0]) - y[i][0]);
    const slopes = errors.map((error) => 2 * error / x.length);
    for (const slope of slopes) b2[0] -= 0.05 * slope;
    for (let j = 0; j < w2.length; j++) {
      const dz1 = z1.map((row, i) => row[j] > 0 ? slopes[i] * w2[j] : 0); // before w2 moves
      for (let i = 0; i < x.length; i++) {
        w2[j] -= 0.05 * Math.max(0, z1[i][j]) * slopes[i];
        w1[j] -= 0.05 * x[i][0] * dz1[i];
        b1[j] -= 0.05 * dz1[i];
      }
    }
    return errors.reduce((total, error) => total + error ** 2, 0) / x.length;
  };
}

/**
 * The linear model that a network has to beat: least squares with an intercept, by the normal equations in float64. Right for
 * columns that are scaled and independent. Gives the prediction of a row.
 */
export function leastSquares(x: readonly number[][], y: readonly number[]): (row: readonly number[]) => number {
  const rows = x.map((row) => [...row, 1]);
  const width = rows[0].length;
  const sum = (of: (row: number) => number) => rows.reduce((total, _, i) => total + of(i), 0);
  // [XᵀX | Xᵀy], brought to [1 | weights] by Gauss and Jordan.
  const system = Array.from({ length: width }, (_, a) => [
    ...Array.from({ length: width }, (_, b) => sum((i) => rows[i][a] * rows[i][b])),
    sum((i) => rows[i][a] * y[i]),
  ]);
  for (let k = 0; k < width; k++) {
    const size = (row: number[]) => Math.abs(row[k]);
    const pivot = system.slice(k).reduce((best, row) => size(row) > size(best) ? row : best);
    if (size(pivot) < 1e-9 * rows.length) throw new RangeError(`Cannot fit: column ${k} follows from those before it`);
    system.splice(system.indexOf(pivot), 1);
    system.splice(k, 0, pivot.map((value) => value / pivot[k]));
    for (const row of system) {
      const factor = row === system[k] ? 0 : row[k];
      for (let j = k; j <= width; j++) row[j] -= factor * system[k][j];
    }
  }
  const weights = system.map((row) => row[width]);
  return (row) => [...row, 1].reduce((total, value, i) => total + value * weights[i], 0);
}

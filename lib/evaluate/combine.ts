/**
 * One prediction of several networks.
 *
 * @module
 */

/**
 * Makes one output of those of several members, so that what follows sees one network: for numbers their mean; under softmax
 * cross-entropy the logarithm of the mean of their probabilities; under binary cross-entropy log(p / (1 - p)) of the mean p.
 * Computed in float64 from logarithms of probabilities, so that it is exact for large logits, too.
 *
 * @param outputs What the members put out [members * rows, columns]: all rows of the first member, then those of the second.
 * @param members How many there are.
 * @param columns Values in a row.
 * @param kind The kind of the loss they were trained with.
 * @returns One output [rows, columns]; of one member its own.
 * @throws {TypeError} If the length is no multiple of members and columns.
 *
 * @example
 * ```ts
 * import { combineMembers } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * assertEquals([...combineMembers([1, 2, 5, 6], 2, 1, "mse")], [3, 4]);
 * const [logit] = combineMembers([Math.log(3), -Math.log(3)], 2, 1, "bce"); // 3/4 and 1/4
 * assertEquals(logit.toFixed(6), "0.000000");
 * ```
 */
export function combineMembers(
  outputs: ArrayLike<number>,
  members: number,
  columns: number,
  kind: string,
): Float64Array {
  const size = outputs.length / members;
  if (!Number.isInteger(size / columns)) {
    throw new TypeError(`Cannot cut ${outputs.length} values into rows of ${columns} of ${members} members`);
  }
  if (members === 1) return Float64Array.from(outputs);
  if (kind === "softmax") return meanOfClasses(outputs, members, columns);
  const own = new Float64Array(members);
  return Float64Array.from({ length: size }, (_, at) => {
    for (let member = 0; member < members; member++) own[member] = outputs[member * size + at];
    if (kind !== "bce") return own.reduce((sum, value) => sum + value, 0) / members;
    return logSumOfExp(own.map(logSigmoid)) - logSumOfExp(own.map((logit) => logSigmoid(-logit)));
  });
}

function meanOfClasses(outputs: ArrayLike<number>, members: number, columns: number): Float64Array {
  const size = outputs.length / members;
  const combined = new Float64Array(size);
  const row = new Float64Array(columns);
  const logs = new Float64Array(members * columns);
  const own = new Float64Array(members);
  for (let start = 0; start < size; start += columns) {
    for (let member = 0; member < members; member++) {
      for (let i = 0; i < columns; i++) row[i] = outputs[member * size + start + i];
      const total = logSumOfExp(row);
      for (let i = 0; i < columns; i++) logs[member * columns + i] = row[i] - total;
    }
    for (let i = 0; i < columns; i++) {
      for (let member = 0; member < members; member++) own[member] = logs[member * columns + i];
      combined[start + i] = logSumOfExp(own) - Math.log(members);
    }
  }
  return combined;
}

/** log(1 / (1 + exp(-z))) */
function logSigmoid(logit: number): number {
  return Math.min(logit, 0) - Math.log1p(Math.exp(-Math.abs(logit)));
}

/** log(sum of exp(z)), against the largest, so that nothing overflows. */
function logSumOfExp(values: Float64Array): number {
  let largest = -Infinity;
  for (const value of values) largest = Math.max(largest, value);
  let sum = 0;
  for (const value of values) sum += Math.exp(value - largest);
  return largest + Math.log(sum);
}

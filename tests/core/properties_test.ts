/** Laws that hold for all inputs, on inputs that fast-check draws and shrinks. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Device } from "../../lib/gpu/device.ts";
import { softmaxCrossEntropy } from "../../lib/core/losses.ts";
import * as ops from "../../lib/arithmetic/ops.ts";
import * as recorded from "../../lib/training/recorded_rows.ts";
import { Random } from "../../lib/base/random.ts";
import { readAll, Tensor } from "../../lib/core/tensor.ts";
import { assertClose } from "../support/assert_close.ts";
import { gpuTest } from "../support/gpu_test_case.ts";

/** Eighths of small whole numbers: float32 holds their sums and products exactly, in any order. */
const exact = fc.integer({ min: -16, max: 16 }).map((n) => n / 8);
const real = fc.float({ min: -100, max: 100, noNaN: true });

const length = fc.integer({ min: 1, max: 12 });

const matrix = (rows: number, columns: number, element: fc.Arbitrary<number>) =>
  fc.array(fc.array(element, { minLength: columns, maxLength: columns }), { minLength: rows, maxLength: rows });

/** Matrices of given shapes, where the letters stand for lengths drawn each time. */
const matrices = (shapes: readonly (readonly [number, number])[], element: fc.Arbitrary<number>) =>
  fc.tuple(length, length, length).chain((lengths) =>
    fc.tuple(...shapes.map(([r, c]) => matrix(lengths[r], lengths[c], element)))
  );

/** The results of a function on the GPU, read in one wait. */
async function results(device: Device, body: () => Tensor[]): Promise<number[][]> {
  const tensors = device.tidy(body);
  const data = await readAll(tensors);
  for (const tensor of tensors) tensor.dispose();
  return data.map((values) => [...values]);
}

/** Registers a test of a law on inputs that are drawn. */
function property<T>(name: string, inputs: fc.Arbitrary<T>, law: (device: Device, input: T) => Promise<void>): void {
  const runs = { numRuns: 25, seed: 42 };
  gpuTest(name, (device) => fc.assert(fc.asyncProperty(inputs, (input) => law(device, input)), runs));
}

const transpose = (rows: readonly (readonly number[])[]) => rows[0].map((_, j) => rows.map((row) => row[j]));

property(
  "the transpose of a product is the product of the transposes, turned round",
  matrices([[0, 1], [1, 2]], exact),
  async (device, [a, b]) => {
    const n = b[0].length;
    const [product, swapped, byFlags] = await results(device, () => {
      const left = Tensor.from(device, a);
      const right = Tensor.from(device, b);
      return [
        ops.matmul(left, right),
        ops.matmul(Tensor.from(device, transpose(b)), Tensor.from(device, transpose(a))),
        ops.matmul(right, left, { transposeA: true, transposeB: true }),
      ];
    });
    const turned = transpose(a.map((_, i) => product.slice(i * n, (i + 1) * n))).flat();
    assertEquals(swapped, turned);
    assertEquals(byFlags, turned);
  },
);

property(
  "sums over rows, then over columns, and over all at once are the same",
  matrices([[0, 1]], exact),
  async (device, [x]) => {
    const [all, rowsFirst, columnsFirst, byMean] = await results(device, () => {
      const tensor = Tensor.from(device, x);
      return [
        ops.sum(tensor),
        ops.sum(ops.sum(tensor, 0)),
        ops.sum(ops.sum(tensor, 1)),
        ops.scale(ops.mean(tensor), tensor.size),
      ];
    });
    assertEquals(rowsFirst, all);
    assertEquals(columnsFirst, all);
    assertClose(byMean, all, { rtol: 1e-6, atol: 1e-5 });
  },
);

property("the product distributes over sums", matrices([[0, 1], [1, 2], [1, 2]], real), async (device, [a, b, c]) => {
  const [together, apart] = await results(device, () => {
    const [left, first, second] = [a, b, c].map((rows) => Tensor.from(device, rows));
    return [ops.matmul(left, ops.add(first, second)), ops.add(ops.matmul(left, first), ops.matmul(left, second))];
  });
  // Terms reach 20,000 and may cancel.
  assertClose(together, apart, { rtol: 1e-5, atol: 0.1 });
});

property(
  "relu() done twice is relu() done once, and never below 0",
  fc.array(fc.float(), { minLength: 1, maxLength: 200 }),
  async (device, values) => {
    const [once, twice] = await results(device, () => {
      const first = ops.relu(Tensor.from(device, values));
      return [first, ops.relu(first)];
    });
    assertEquals(twice, once);
    once.forEach((value, i) => assert(value >= 0 || Number.isNaN(values[i]), `${values[i]} became ${value}`));
  },
);

property(
  "rows gathered by a permutation are the rows, each once, and go back by the backward",
  fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 1_000 })),
  async (device, [rows, seed]) => {
    const order = new Random(seed, "properties").permutation(rows);
    const table = Float32Array.from({ length: 2 * rows }, (_, i) => i);
    const [gathered, back] = await results(device, () => {
      const numbers = Tensor.from(device, order);
      const out = recorded.gatherRows(Tensor.from(device, table, [rows, 2]), numbers);
      return [out, recorded.gatherRowsBackward(out, numbers, rows)];
    });
    assertEquals(gathered.toSorted((a, b) => a - b), [...table]);
    assertEquals(gathered.filter((_, i) => i % 2 === 0), [...order].map((row) => 2 * row));
    assertEquals(back, [...table]);
  },
);

property(
  "the smallest element, the mean and the largest stand in order",
  fc.array(real, { minLength: 1, maxLength: 300 }),
  async (device, values) => {
    const [[least], [mean], [most], [negated]] = await results(device, () => {
      const x = Tensor.from(device, values);
      return [ops.min(x), ops.mean(x), ops.max(x), ops.min(ops.scale(x, -1))];
    });
    assert(least <= mean + 1e-4 && mean <= most + 1e-4, `${least}, ${mean}, ${most}`);
    assertEquals([least, most, negated], [Math.min(...values), Math.max(...values), -Math.max(...values)]);
  },
);

// Eighths move exactly; the gradient of a row whose target sums to 1 sums to 0.
property(
  "softmaxCrossEntropy stays the same where each row's logits move together",
  fc.tuple(matrices([[0, 1], [0, 1]], exact), exact),
  async (device, [[z, drawn], shift]) => {
    const rows = z.length;
    const hot = drawn.map((row) => row.map((_, j) => j === Math.abs(8 * row[0]) % row.length ? 1 : 0));
    const [loss, dLogits, movedLoss, movedDLogits] = await results(device, () => {
      const target = Tensor.from(device, hot);
      const logits = Tensor.from(device, z);
      const moved = Tensor.from(device, z.map((row, i) => row.map((v) => v + shift * (i + 1))));
      const { forward, backward } = softmaxCrossEntropy;
      return [forward(logits, target), backward(logits, target), forward(moved, target), backward(moved, target)];
    });
    assertEquals([movedLoss, movedDLogits], [loss, dLogits]);
    const width = dLogits.length / rows;
    const sums = z.map((_, i) => dLogits.slice(i * width, (i + 1) * width).reduce((a, b) => a + b));
    assertClose(sums, z.map(() => 0), { atol: 1e-6 });
  },
);

property(
  "softmax() sums to 1 in each row, and stays where a row's numbers move together",
  fc.tuple(matrices([[0, 1]], exact), exact),
  async (device, [[x], shift]) => {
    const [shares, moved, sums] = await results(device, () => {
      const a = Tensor.from(device, x);
      const out = ops.softmax(a);
      return [out, ops.softmax(ops.add(a, shift)), ops.sum(out, 1)];
    });
    assertEquals(moved, shares);
    assertClose(sums, x.map(() => 1), { atol: 1e-6 });
  },
);

property("sigmoid(-x) is 1 - sigmoid(x)", fc.array(real, { minLength: 1, maxLength: 100 }), async (device, values) => {
  const [up, down] = await results(device, () => {
    const x = Tensor.from(device, values);
    return [ops.sigmoid(x), ops.sigmoid(ops.scale(x, -1))];
  });
  assertClose(down, up.map((s) => 1 - s), { rtol: 0, atol: 2e-7 });
});

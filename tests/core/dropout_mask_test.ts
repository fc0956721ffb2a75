/** The masks of dropout: the GPU's are the oracle's, and the oracle's are as random as they should be. */
import { assert, assertEquals } from "@std/assert";
import { advance, dropout, dropoutBackward } from "../../lib/arithmetic/ops.ts";
import { dropoutMask, type Matrix } from "../../lib/reference/mod.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { assertClose } from "../support/assert_close.ts";
import { compute, gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";

const KEYS = [0, 1, 0x9abc_def0, 0xffff_ffff];

const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0);

/** Which elements a mask keeps, as 1 and 0. */
const kept = (mask: Matrix) => mask.data.map((v) => v > 0 ? 1 : 0);

gpuTest("dropout() and its backward draw the oracle's masks on odd shapes", async (device) => {
  for (const [rows, columns] of [[1, 1], [5, 7], [63, 1], [1, 65], [65, 63]]) {
    const x = randomMatrix(rows, columns);
    using input = upload(device, x);
    for (const [i, key] of KEYS.entries()) {
      for (const rate of [0, 0.1, 0.5, 0.999]) {
        const number = 7 * i + 1;
        const mask = dropoutMask(rows, columns, rate, key, number);
        using step = Tensor.from(device, Uint32Array.of(number));
        const expected = x.map((v, i) => v * mask.data[i]).data;
        const options = { rate, key, step };
        const tolerance = { rtol: 1e-6, atol: 0 };
        assertClose(await compute(device, () => dropout(input, options)), expected, tolerance);
        assertClose(await compute(device, () => dropoutBackward(input, options)), expected, tolerance);
      }
    }
  }
});

gpuTest("dropout() reaches every element of a grid wider than 65,535 workgroups", async (device) => {
  const wide = 65_535 * 64 + 77;
  const { data } = dropoutMask(1, wide, 0.5, 3, 4);
  using x = Tensor.from(device, new Float32Array(wide).fill(1));
  using step = Tensor.from(device, Uint32Array.of(4));
  const actual = await compute(device, () => dropout(x, { rate: 0.5, key: 3, step }));
  assertEquals([actual.length, actual.findIndex((v, i) => v !== data[i])], [wide, -1]);
});

gpuTest("dropout() drops NaN and infinities or passes them on, and advance() counts round", async (device) => {
  const strange = Array.from({ length: 60 }, (_, i) => [NaN, Infinity, -Infinity][i % 3]);
  const mask = dropoutMask(1, 60, 0.5, 1, 0).data;
  using x = Tensor.from(device, strange);
  using step = Tensor.zeros(device, [1], "u32");
  const actual = await compute(device, () => dropout(x, { rate: 0.5, key: 1, step }));
  assertEquals([...actual], strange.map((v, i) => mask[i] === 0 ? 0 : v));
  using last = Tensor.from(device, Uint32Array.of(0xffff_fffe));
  advance(last);
  assertEquals([...await last.readU32()], [0xffff_ffff]);
  advance(last);
  assertEquals([...await last.readU32()], [0]);
});

Deno.test("dropoutMask() keeps a share of 1 - rate in every mask, and in every place over the masks", () => {
  const size = 4_096;
  const masks = 256;
  for (const rate of [0.1, 0.5, 0.8]) {
    for (const key of KEYS) {
      const places = new Float64Array(size);
      const deviation = Math.sqrt(rate * (1 - rate));
      for (let step = 1; step <= masks; step++) {
        const mask = kept(dropoutMask(64, 64, rate, key, step));
        const share = sum(mask) / size;
        assert(Math.abs(share - (1 - rate)) < 5 * deviation / Math.sqrt(size), `${rate}, step ${step}: ${share}`);
        mask.forEach((value, i) => places[i] += value);
      }
      const z = places.map((count) => (count / masks - (1 - rate)) / (deviation / Math.sqrt(masks)));
      assert(Math.max(...z.map(Math.abs)) < 5.5, `${rate}: ${Math.max(...z.map(Math.abs))} deviations`);
      const spread = sum(z.map((v) => v * v)) / size; // 1 with a deviation of sqrt(2 / size)
      assert(Math.abs(spread - 1) < 5 * Math.sqrt(2 / size), `${rate}, ${key}: ${spread}`);
    }
  }
});

Deno.test("dropoutMask() gives neighbours, rows, steps and keys masks that know nothing of each other", () => {
  const size = 65_536;
  const limit = 5 / Math.sqrt(size);
  const draw = (key: number, step: number) => kept(dropoutMask(1, size, 0.5, key, step)).map((v) => 2 * v - 1);
  const correlation = (a: Float64Array, b: Float64Array) => sum(a.map((v, i) => v * b[i])) / a.length;
  for (const key of KEYS) {
    const mask = draw(key, 1);
    for (const lag of [1, 2, 7, 64, 256, 1_024, 32_768]) {
      const shifted = mask.map((_, i) => mask[(i + lag) % size]);
      assert(Math.abs(correlation(mask, shifted)) < limit, `lag ${lag}: ${correlation(mask, shifted)}`);
    }
    for (const [otherKey, step] of [[key, 2], [key, 3], [key, 65_537], [key + 1, 1], [key ^ 64, 1]]) {
      const value = correlation(mask, draw(otherKey >>> 0, step));
      assert(Math.abs(value) < limit, `${key}, ${otherKey}, ${step}: ${value}`);
    }
  }
});

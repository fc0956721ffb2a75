import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import { Random } from "../../lib/base/random.ts";
import { statistics } from "../../lib/reference/mod.ts";
import { readAll, Tensor } from "../../lib/core/tensor.ts";
import {
  measure,
  type TensorStatistics,
  tensorStatistics,
  toStatistics,
} from "../../lib/training/tensor_statistics.ts";
import { gpuTest } from "../support/gpu_test_case.ts";

/** The measures of numbers on the GPU. */
async function measured(device: Device, data: Float32Array): Promise<TensorStatistics> {
  using x = Tensor.from(device, data);
  const [found] = await tensorStatistics([x]);
  return found;
}

/** Holds measures to float64: counts and extremes exactly, mean and norm relatively. */
function assertNear(found: TensorStatistics, expected: TensorStatistics, on: string, tolerance = 1e-6): void {
  const { mean, norm, ...exact } = found;
  const { mean: trueMean, norm: trueNorm, ...trueExact } = expected;
  assertEquals(exact, trueExact, on);
  for (const [name, is, should] of [["mean", mean, trueMean], ["norm", norm, trueNorm]] as const) {
    const isNear = Object.is(is, should) || Math.abs(is - should) <= tolerance * Math.abs(should);
    assert(isNear, `${name} of ${on}: ${is}, expected ${should}`);
  }
}

const draw = (length: number, mean = 0) => {
  const random = new Random(5, `statistics ${length}`);
  return Float32Array.from({ length }, () => mean + random.normal());
};

gpuTest("tensorStatistics() measures odd sizes as float64 does", async (device) => {
  for (const size of [1, 2, 3, 4, 5, 63, 64, 65, 255, 256, 257, 1_023, 1_027, 4_096, 4_099, 70_001]) {
    const data = draw(size, 0.1).map((v) => v < -1 ? 0 : v);
    assertNear(await measured(device, data), statistics(data), `[${size}]`);
  }
});

gpuTest("tensorStatistics() stays close over ten million elements, alike or not", async (device) => {
  const size = 10_000_003;
  const random = new Uint32Array(1);
  const next = () => (random[0] = random[0] * 1_664_525 + 1_013_904_223) / 2 ** 32;
  const cases: Record<string, (i: number) => number> = {
    "a tenth": () => 0.1,
    "signs that nearly cancel": () => next() - 0.4999,
  };
  for (const [name, value] of Object.entries(cases)) {
    const odd = Float32Array.from({ length: size }, (_, i) => value(i));
    for (const data of [odd, odd.subarray(3)]) {
      assertNear(await measured(device, data), statistics(data), `${name} [${data.length}]`, 1e-6);
    }
  }
});

gpuTest("tensorStatistics() counts what is not finite, and measures the rest", async (device) => {
  const cases = [[NaN], [Infinity, -Infinity, NaN, NaN], [NaN, 2, Infinity, -3, 0], [-Infinity, 5, 5, 5, NaN, 1, 2, 3]];
  for (const data of cases) {
    assertNear(await measured(device, Float32Array.from(data)), statistics(data), JSON.stringify(data.map(String)));
  }
});

gpuTest("tensorStatistics() neither overflows nor loses small numbers, and takes none for 0", async (device) => {
  for (const scale of [3e38, 1e30, 1e15, 1e-15, 1e-30, 1e-37]) {
    for (const length of [5, 8, 1_024]) {
      const data = Float32Array.from({ length }, (_, i) => scale * ((i % 5) - 1) / 4);
      assertNear(await measured(device, data), statistics(data), `${scale} [${length}]`);
    }
  }
  const mixed = Float32Array.of(1e30, -1e30, 1e-30, 3, 4, 0, -0, 1e-45);
  assertEquals((await measured(device, mixed)).zeros, 2 / 8, "a tiny number is no zero");
});

gpuTest("tensorStatistics() measures many tensors, views too, in one wait, and in a recording", async (device) => {
  using flat = Tensor.from(device, draw(320));
  using scalar = Tensor.from(device, 7);
  const tensors = [flat.view(64, [3, 5]), scalar, flat, flat.view(128, [64])];
  const { waits } = device.stats;
  const found = await tensorStatistics(tensors);
  assertEquals(device.stats.waits, waits + 1);
  const check = async (all: TensorStatistics[]) => {
    for (const [i, tensor] of tensors.entries()) assertNear(all[i], statistics(await tensor.read()), `tensor ${i}`);
  };
  await check(found);
  assertEquals(await tensorStatistics([]), []);
  let records: Tensor[] = [];
  using recording = device.record(() => records = measure(tensors));
  flat.write(draw(320, 9));
  recording.replay();
  await check(toStatistics(await readAll(records), tensors));
});

gpuTest("tensorStatistics() refuses tensors of counters, and such without elements", async (device) => {
  using counters = Tensor.from(device, Uint32Array.of(1));
  using empty = Tensor.zeros(device, [0, 3]);
  await assertRejects(() => tensorStatistics([counters]), TypeError, "f32");
  assertThrows(() => measure([empty]), RangeError, "Cannot measure a tensor [0, 3]: it has no elements");
});

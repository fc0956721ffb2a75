/** What the tests on the GPU share: a device for each file, and the check that no buffer is left behind. */
import { assertEquals } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { Random } from "../../lib/base/random.ts";
import { Matrix } from "../../lib/reference/mod.ts";
import { type Shape, sizeOf } from "../../lib/base/shape.ts";
import { readAll, Tensor, type TensorData } from "../../lib/core/tensor.ts";
import { permitted } from "./permitted.ts";

let shared: Promise<Device> | undefined;

/** Registers a test on the file's device: it fails too where it leaves a GPU buffer or an unread fault behind. */
export function gpuTest(name: string, body: (device: Device) => void | Promise<void>): void {
  Deno.test(name, () => checked(body));
}

/** As {@linkcode gpuTest}, for a test that needs permissions, too. */
export function permittedGpuTest(name: string, body: (device: Device) => void | Promise<void>): void {
  permitted(name, () => checked(body));
}

async function checked(body: (device: Device) => void | Promise<void>): Promise<void> {
  const device = await (shared ??= Device.request({ smallDispatches: true }));
  const { buffers, bytes } = device.stats;
  await body(device);
  assertEquals([device.stats.buffers, device.stats.bytes], [buffers, bytes], "buffers, bytes left behind");
  await new Promise((resolve) => setTimeout(resolve)); // faults are reported in a task of their own
  device.check();
}

/** A matrix of numbers drawn from the standard normal distribution, rounded to float32 so that both sides see the same. */
export function randomMatrix(rows: number, columns: number, seed = 1): Matrix {
  const random = new Random(seed, `test [${rows}, ${columns}]`);
  return new Matrix(rows, columns).map(() => Math.fround(random.normal()));
}

/** A float64 matrix on the GPU, in its own shape or another. */
export function upload(device: Device, { rows, columns, data }: Matrix, shape: Shape = [rows, columns]): Tensor {
  return Tensor.from(device, Float32Array.from(data), shape);
}

/** Reads what a function makes, and frees all that it made. */
export async function compute(device: Device, body: () => Tensor): Promise<TensorData> {
  using result = device.tidy(body);
  return (await readAll([result]))[0];
}

/** The bits of float32 numbers, to be compared where closeness is not enough. */
export function bits(data: TensorData): Uint32Array {
  return new Uint32Array(data.buffer, data.byteOffset, data.length);
}

/** Numbers 0, 1, 2 ... in a shape, each divided by a power of two so that float32 holds sums and products exactly. */
export function ramp(shape: Shape): Float32Array<ArrayBuffer> {
  const values = new Float32Array(sizeOf(shape));
  for (let i = 0; i < values.length; i++) values[i] = (i % 17 - 8) / 8;
  return values;
}

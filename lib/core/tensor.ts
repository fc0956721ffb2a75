/**
 * A tensor: a shape and a place in a GPU buffer. Several tensors may be views into one buffer; that is how all parameters
 * of a model lie in one.
 *
 * @module
 */
import type { Device } from "../gpu/device.ts";
import type { Binding } from "../gpu/pipeline.ts";
import { type Init, initialWeights } from "../base/init.ts";
import { type DataType, fits, shapeOf, type TensorData, type TensorLike, toTypedArray } from "../base/numbers.ts";
import type { Random } from "../base/random.ts";
import { formatShape, type Shape, sizeOf } from "../base/shape.ts";
import { heatMap, tensorLine } from "../show/tensor_text.ts";

export type { DataType, TensorData, TensorLike } from "../base/numbers.ts";

/** Bytes of one element, of either type. */
export const ELEMENT_BYTES = 4;

/**
 * An array of numbers on the GPU. The one that made its buffer frees it: with `dispose`, `using`, or through `tidy`.
 *
 * @example
 * ```ts
 * import { Device, mean, Random, readAll, scale, Tensor } from "@backhand/backhand";
 * import { assert, assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using x = Tensor.from(device, [[1, 2], [3, 6]]);
 * assertEquals(x.shape, [2, 2]);
 * assertEquals(await x.read(), Float32Array.of(1, 2, 3, 6));
 * assertEquals(await x.rows(), [[1, 2], [3, 6]]);
 * using average = mean(x);
 * assertEquals(await average.item(), 3);
 *
 * using order = Tensor.from(device, Uint32Array.of(2, 0, 1));
 * assertEquals(await order.readU32(), Uint32Array.of(2, 0, 1));
 * assertEquals(await readAll([average, order]), [Float32Array.of(3), Uint32Array.of(2, 0, 1)]); // in one wait
 *
 * using half = Tensor.full(device, [2, 2], 0.5);
 * assertEquals(`${half}`, "Tensor [2, 2] f32: 0.5, 0.5, 0.5, 0.5");
 * using one = scale(half, 2);
 * assertEquals(`${one}`, "Tensor [2, 2] f32, on the GPU: read() or print() shows its numbers");
 *
 * const random = new Random(42, "weights");
 * using weight = Tensor.random(device, [1, 64], "kaiming", random);
 * using bias = Tensor.random(device, [64], { kind: "uniform", scale: 0.1 }, random);
 * assertEquals([weight.shape, bias.shape], [[1, 64], [64]]);
 * assert((await bias.read()).every((value) => Math.abs(value) <= 0.1));
 * ```
 */
export class Tensor implements Binding, Disposable {
  /** The device it lives on. */
  readonly device: Device;
  /** Lengths along each axis. */
  readonly shape: Shape;
  /** Element type. */
  readonly dtype: DataType;
  /** Where its buffer's part starts, in bytes. */
  readonly byteOffset: number;
  readonly #owner: Tensor;
  #buffer: GPUBuffer | undefined;

  private constructor(device: Device, shape: Shape, dtype: DataType, place: GPUBuffer | Tensor, byteOffset = 0) {
    this.device = device;
    this.shape = shape;
    this.dtype = dtype;
    this.byteOffset = byteOffset;
    this.#owner = place instanceof Tensor ? place.#owner : this;
    this.#buffer = place instanceof Tensor ? undefined : place;
  }

  /**
   * Copies numbers to the GPU.
   *
   * @param data A number, an array, an array of rows, or a typed array. A `Uint32Array` makes a `u32` tensor.
   * @param shape Its shape; needed only to give a flat array another one.
   * @returns A tensor of that shape, `f32` but for a `Uint32Array`.
   * @throws {TypeError} If rows differ in length, the shape does not hold that many numbers, or a recording is under way.
   */
  static from(device: Device, data: TensorLike, shape: Shape = shapeOf(data)): Tensor {
    refuseInRecording(device);
    return Tensor.constant(device, data, shape);
  }

  /** As {@linkcode Tensor.from}, but inside a recording, too: the numbers are written once, and are the same at each replay. */
  static constant(device: Device, data: TensorLike, shape: Shape = shapeOf(data)): Tensor {
    const values = toTypedArray(data);
    if (sizeOf(shape) !== values.length) {
      throw new TypeError(`Cannot give shape ${formatShape(shape)} to ${values.length} numbers`);
    }
    const tensor = Tensor.empty(device, shape, values instanceof Uint32Array ? "u32" : "f32");
    tensor.#put(values);
    return tensor;
  }

  /**
   * A tensor in which every element is the same number.
   *
   * @param value The number.
   * @returns A tensor of that shape, `f32`.
   * @throws {RangeError} If it is larger than the device binds at once.
   */
  static full(device: Device, shape: Shape, value: number): Tensor {
    const tensor = Tensor.empty(device, shape);
    tensor.#put(new Float32Array(tensor.size).fill(value));
    return tensor;
  }

  /**
   * A tensor of random numbers, as weights start.
   *
   * @param shape Any shape; [inputs, outputs] for `kaiming` and `xavier`.
   * @param init How the numbers are drawn. Just `"normal"` or `"uniform"` has scale 1.
   * @param random Where they come from.
   * @returns A tensor of that shape, `f32`.
   * @throws {TypeError} If `kaiming` or `xavier` is asked for, and the shape is no matrix.
   */
  static random(device: Device, shape: Shape, init: Init | Init["kind"], random: Random): Tensor {
    const kind = typeof init === "string" ? init : init.kind;
    if ((kind === "kaiming" || kind === "xavier") && shape.length !== 2) {
      throw new TypeError(
        `Cannot draw a tensor ${formatShape(shape)} by "${kind}": it needs a matrix [inputs, outputs]; use "normal", ` +
          `"uniform" or "ones"`,
      );
    }
    const tensor = Tensor.empty(device, shape);
    const [inputs, outputs] = shape.length === 2 ? shape : [1, tensor.size];
    const named = kind === "uniform" || kind === "normal" ? { kind, scale: 1 } : { kind };
    const scheme = typeof init === "string" ? named : init;
    tensor.#put(Float32Array.from(initialWeights(scheme, inputs, outputs, random)));
    return tensor;
  }

  /**
   * A tensor of zeros.
   *
   * @throws {RangeError} If it is larger than the device binds at once; both sizes are named, nothing is allocated.
   */
  static zeros(device: Device, shape: Shape, dtype: DataType = "f32"): Tensor {
    return Tensor.#create(device, shape, dtype, "zeroed");
  }

  /** A tensor whose elements are whatever they are: for a result that is written as a whole. */
  static empty(device: Device, shape: Shape, dtype: DataType = "f32"): Tensor {
    return Tensor.#create(device, shape, dtype, "any");
  }

  static #create(device: Device, shape: Shape, dtype: DataType, reuse: "zeroed" | "any"): Tensor {
    const buffer = device.createBuffer(sizeOf(shape) * ELEMENT_BYTES, `a tensor ${formatShape(shape)}`, reuse);
    const tensor = new Tensor(device, [...shape], dtype, buffer);
    device.track(tensor);
    return tensor;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Length in bytes. */
  get byteLength(): number {
    return this.size * ELEMENT_BYTES;
  }

  /** The buffer it lies in. */
  get buffer(): GPUBuffer {
    const buffer = this.#owner.#buffer;
    if (!buffer) {
      const owner = this.#owner === this ? "" : ", and with a view the tensor that it looks into";
      throw new TypeError(
        `Cannot use a tensor ${formatShape(this.shape)} that was disposed of: \`dispose\`, the end of a \`using\` or ` +
          `a \`tidy\` freed it; return from \`tidy\` what is used after it${owner}`,
      );
    }
    return buffer;
  }

  /**
   * A part of this tensor's elements under a shape of its own; no copy is made.
   *
   * @param offset First element. A kernel can bind the view where `offset` is a multiple of 64 (256 bytes).
   * @param shape The view's shape.
   * @returns The view; it lives as long as this tensor.
   * @throws {RangeError} If it reaches past the end.
   */
  view(offset: number, shape: Shape): Tensor {
    if (!Number.isSafeInteger(offset) || offset < 0 || offset + sizeOf(shape) > this.size) {
      throw new RangeError(`Cannot view ${formatShape(shape)} at ${offset} of a tensor of ${this.size} elements`);
    }
    return new Tensor(this.device, [...shape], this.dtype, this, this.byteOffset + offset * ELEMENT_BYTES);
  }

  /**
   * The same elements under another shape: a view, no copy is made.
   *
   * @throws {TypeError} If it holds another number of elements.
   */
  reshape(shape: Shape): Tensor {
    if (sizeOf(shape) !== this.size) {
      throw new TypeError(`Cannot reshape ${formatShape(this.shape)} to ${formatShape(shape)}: the sizes differ`);
    }
    return this.view(0, shape);
  }

  /**
   * Copies the elements from the GPU, once all work before is done. Of several tensors, {@linkcode readAll} waits once.
   *
   * @returns The elements, last axis fastest.
   * @throws {TypeError} If the tensor is `u32`: {@linkcode Tensor.readU32} reads that.
   * @throws {DeviceError} If any work before it failed.
   */
  async read(): Promise<Float32Array<ArrayBuffer>> {
    if (this.dtype !== "f32") {
      throw new TypeError(`Cannot read a tensor ${formatShape(this.shape)} of u32 as float32: use readU32()`);
    }
    return (await readAll([this]))[0] as Float32Array<ArrayBuffer>;
  }

  /**
   * Copies the elements of a `u32` tensor from the GPU, as {@linkcode Tensor.read} does those of an `f32` tensor.
   *
   * @returns The elements, last axis fastest.
   * @throws {TypeError} If the tensor is `f32`.
   * @throws {DeviceError} If any work before it failed.
   */
  async readU32(): Promise<Uint32Array<ArrayBuffer>> {
    if (this.dtype !== "u32") {
      throw new TypeError(`Cannot read a tensor ${formatShape(this.shape)} of float32 as u32: use read()`);
    }
    return (await readAll([this]))[0] as Uint32Array<ArrayBuffer>;
  }

  /**
   * The number of a tensor that holds one, such as a loss.
   *
   * @throws {TypeError} If it holds more or none.
   * @throws {DeviceError} If any work before it failed.
   */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw new TypeError(
        `Cannot take the one number of a tensor ${formatShape(this.shape)}: it has ${this.size}; use read() or rows()`,
      );
    }
    return (await readAll([this]))[0][0];
  }

  /**
   * The elements as arrays in an array: one for each row, along the last axis. A vector is one row, a scalar a row of one.
   *
   * @throws {DeviceError} If any work before it failed.
   */
  async rows(): Promise<number[][]> {
    const columns = this.shape.at(-1) ?? 1;
    const [values] = await readAll([this]);
    const count = this.shape.slice(0, -1).reduce((product, length) => product * length, 1);
    return Array.from({ length: count }, (_, row) => [...values.subarray(row * columns, (row + 1) * columns)]);
  }

  /**
   * Replaces the elements.
   *
   * @param data As many numbers as the tensor has elements, in its shape or flat.
   * @throws {TypeError} If the number of elements or a nested shape differs, or a recording is under way.
   */
  write(data: TensorLike): void {
    refuseInRecording(this.device);
    const shape = shapeOf(data);
    if (!fits(shape, this.shape)) {
      throw new TypeError(`Cannot write ${formatShape(shape)} into a tensor ${formatShape(this.shape)}`);
    }
    this.#put(toTypedArray(data, this.dtype));
  }

  /**
   * Shape, type, and the first numbers where they are known without a wait: after `from`, `full`, `random`, `write` and reads,
   * until something may have changed them on the GPU. `console.log` shows the same.
   */
  toString(): string {
    const buffer = this.#owner.#buffer;
    if (!buffer) return `Tensor ${formatShape(this.shape)} ${this.dtype}, disposed of`;
    return tensorLine(this.shape, this.dtype, this.size, this.device.known.get(buffer, this.byteOffset));
  }

  /** What `console.log` shows: {@linkcode Tensor.toString}. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }

  /** What a notebook shows: a heat map with its numbers. */
  async [Symbol.for("Jupyter.display")](): Promise<Record<string, string>> {
    if (!this.#owner.#buffer) return { "text/plain": this.toString() };
    const [values] = await readAll([this]);
    const title = `Tensor ${formatShape(this.shape)} ${this.dtype}`;
    return { "text/plain": this.toString(), "text/html": heatMap(title, this.shape.at(-1) ?? 1, values) };
  }

  /** Frees the buffer, if this tensor made it. A second call does nothing. */
  dispose(): void {
    if (this.#buffer) this.device.destroyBuffer(this.#buffer);
    this.#buffer = undefined;
  }

  /** The same as {@linkcode Tensor.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Writes the elements, and remembers the first. */
  #put(values: TensorData): void {
    this.device.write(this, values);
    this.device.known.set(this.buffer, this.byteOffset, values);
  }
}

/** Copies several tensors of one device from the GPU in one wait, as {@linkcode Tensor.read} does one. */
export async function readAll(tensors: readonly Tensor[]): Promise<TensorData[]> {
  if (tensors.length === 0) return [];
  const { known } = tensors[0].device;
  const places = tensors.map(({ buffer, byteOffset }) => ({ buffer, byteOffset }));
  const { changes } = known;
  const bytes = await tensors[0].device.read(tensors);
  const isUnchanged = known.changes === changes;
  return tensors.map(({ dtype }, i) => {
    const values = dtype === "u32" ? new Uint32Array(bytes[i]) : new Float32Array(bytes[i]);
    if (isUnchanged) known.set(places[i].buffer, places[i].byteOffset, values);
    return values;
  });
}

/** A recording holds kernels only: numbers that are written once would stay the same at each replay. */
function refuseInRecording(device: Device): void {
  if (!device.isRecording) return;
  throw new TypeError(
    "Cannot write into a tensor inside `record`: a replay would not write again. Make the tensor before `record`, and write " +
      "into it before each `replay`; numbers that never change can be a `Tensor.constant`",
  );
}

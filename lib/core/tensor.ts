/**
 * A tensor: a shape and a place in a GPU buffer. Several tensors may be views into one buffer; that is how all parameters
 * of a model lie in one.
 *
 * @module
 */
import type { Device } from "../gpu/device.ts";
import type { Binding } from "../gpu/pipeline.ts";
import { formatShape, sameShape, type Shape, sizeOf } from "../base/shape.ts";

/** Element types: float32 for values, unsigned 32-bit whole numbers for row numbers and counters. */
export type DataType = "f32" | "u32";

/** The typed array that holds elements of a type. */
export type TensorData = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** Numbers as a scalar, a vector, a matrix, or a typed array. */
export type TensorLike = number | readonly number[] | readonly (readonly number[])[] | Float32Array | Uint32Array;

/** Bytes of one element, of either type. */
export const ELEMENT_BYTES = 4;

/** An array of numbers on the GPU. The one that made its buffer frees it: with `dispose`, `using`, or through `tidy`. */
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
   *
   * @example
   * ```ts
   * import { Device, readAll, Tensor } from "@backhand/backhand";
   * import { assertEquals } from "@std/assert";
   * using device = await Device.request();
   * using x = Tensor.from(device, [[1, 2], [3, 4]]);
   * assertEquals(x.shape, [2, 2]);
   * assertEquals(await x.read(), Float32Array.of(1, 2, 3, 4));
   * using rows = Tensor.from(device, Uint32Array.of(5));
   * assertEquals(await readAll([x, rows]), [Float32Array.of(1, 2, 3, 4), Uint32Array.of(5)]);
   * ```
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
    device.write(tensor, values);
    return tensor;
  }

  /**
   * A tensor of zeros.
   *
   * @throws {RangeError} If it is larger than the device binds at once; both sizes are named, nothing is allocated.
   */
  static zeros(device: Device, shape: Shape, dtype: DataType = "f32"): Tensor {
    return Tensor.#create(device, shape, dtype, true);
  }

  /** A tensor whose elements are whatever they are: for a result that is written as a whole. */
  static empty(device: Device, shape: Shape, dtype: DataType = "f32"): Tensor {
    return Tensor.#create(device, shape, dtype, false);
  }

  static #create(device: Device, shape: Shape, dtype: DataType, isZeroed: boolean): Tensor {
    const buffer = device.createBuffer(sizeOf(shape) * ELEMENT_BYTES, `a tensor ${formatShape(shape)}`, isZeroed);
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
    if (!buffer) throw new TypeError(`Cannot use a tensor ${formatShape(this.shape)} that was disposed of`);
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
   * @throws {DeviceError} If any work before it failed.
   */
  async read(): Promise<TensorData> {
    return (await readAll([this]))[0];
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
    this.device.write(this, toTypedArray(data, this.dtype));
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
}

/** Copies several tensors of one device from the GPU in one wait, as {@linkcode Tensor.read} does one. */
export async function readAll(tensors: readonly Tensor[]): Promise<TensorData[]> {
  if (tensors.length === 0) return [];
  const bytes = await tensors[0].device.read(tensors);
  return tensors.map(({ dtype }, i) => dtype === "u32" ? new Uint32Array(bytes[i]) : new Float32Array(bytes[i]));
}

/** A recording holds kernels only: numbers that are written once would stay the same at each replay. */
function refuseInRecording(device: Device): void {
  if (!device.isRecording) return;
  throw new TypeError(
    "Cannot write into a tensor inside `record`: a replay would not write again. Make the tensor before `record`, and write " +
      "into it before each `replay`; numbers that never change can be a `Tensor.constant`",
  );
}

/** Whether numbers of one shape can be written into a tensor of another: flat ones need only be as many. */
export function fits(shape: Shape, target: Shape): boolean {
  return shape.length > 1 ? sameShape(shape, target) : sizeOf(shape) === sizeOf(target);
}

/** The shape of numbers as they are given. */
export function shapeOf(data: TensorLike): Shape {
  if (typeof data === "number") return [];
  const first = data[0];
  if (typeof first !== "object") return [data.length];
  for (const [i, row] of (data as readonly (readonly number[])[]).entries()) {
    if (row.length !== first.length) {
      throw new TypeError(`Cannot make a matrix: row 0 has ${first.length} numbers, row ${i} has ${row.length}`);
    }
  }
  return [data.length, first.length];
}

function toTypedArray(data: TensorLike, dtype: DataType = data instanceof Uint32Array ? "u32" : "f32"): TensorData {
  const flat = typeof data === "number" ? [data] : data instanceof Array ? data.flat() : data;
  return dtype === "u32" ? Uint32Array.from(flat) : Float32Array.from(flat);
}

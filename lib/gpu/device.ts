/**
 * The GPU: one adapter, its limits, its pipelines, and the three ways work reaches it.
 *
 * - `run` puts one dispatch on the queue at once.
 * - `record` keeps the dispatches of a function; the {@linkcode Recording} replays them without building anything.
 * - `tidy` runs a function at once and frees the tensors it made.
 *
 * WebGPU reports mistakes a moment later, not by an exception. Every read after one throws what was reported, for what the
 * tensors hold from then on is not to be trusted: continue with a new device.
 *
 * @module
 */
import type { Kernel } from "../../kernels/mod.ts";
import { type DeviceOptions, nameOf, productsFor, requestAdapter, requestGpu } from "./adapter.ts";
import { type Built, CommandBuilder, encode, kernelsOf, refuseDestroyed } from "./commands.ts";
import { GpuFaults } from "./faults.ts";
import { KnownNumbers } from "./known_numbers.ts";
import { type Binding, checkBindings, type PlannedDispatch } from "./pipeline.ts";
import { Recording } from "./recording.ts";
import { Staging } from "./readback.ts";

/** What a dispatch binds and how far it reaches. */
export interface Dispatch {
  /** Storage buffers in the order of the kernel's `access`. */
  readonly buffers: readonly Binding[];
  /** Whole numbers at the start of the kernel's sizes. */
  readonly sizes?: readonly number[];
  /** Real numbers after them. */
  readonly reals?: readonly number[];
  /** How many invocations are needed; one workgroup has 64. */
  readonly invocations: number;
}

/** Options of {@linkcode Device.record}. */
export interface RecordOptions {
  /**
   * Let neighbouring operations become one. A tensor made while recording that only such neighbours read is then freed
   * instead of written; by default false, and every tensor holds its values after a replay.
   */
  readonly fuse?: boolean;
  /**
   * Run every kernel just as it was asked for: a matrix product is one dispatch of `matmul` then, however slow. By default
   * larger products run as {@linkcode DeviceOptions.products} says.
   */
  readonly plain?: boolean;
}

/** A tensor, as far as the device knows it. */
export interface Tracked extends Disposable {
  /** Where it lies. */
  readonly buffer: GPUBuffer;
}

/** A WebGPU device. Free it with `dispose` or `using`. */
export class Device implements Disposable {
  /** The adapter's own words on itself. */
  readonly info: GPUAdapterInfo;
  /** The device's limits: the adapter's largest buffers and bindings, else WebGPU's defaults. */
  readonly limits: GPUSupportedLimits;
  /** Counts since the device was made, except `buffers` and `bytes`, which are alive now. */
  readonly stats = { buffers: 0, bytes: 0, allocations: 0, bindGroups: 0, dispatches: 0, submits: 0, waits: 0 };
  /** First numbers of tensors that the CPU has seen, so that they can be shown without a wait. */
  readonly known: KnownNumbers = new KnownNumbers();
  readonly #gpu: GPUDevice;
  readonly #builder: CommandBuilder;
  readonly #scopes: Tracked[][] = [];
  readonly #faults: GpuFaults;
  readonly #destroyed = new WeakSet<GPUBuffer>();
  /** The recording under way: its dispatches, and buffers made meanwhile. */
  #open: { readonly dispatches: PlannedDispatch[]; readonly buffers: Set<GPUBuffer> } | undefined;

  private constructor(adapter: GPUAdapter, gpu: GPUDevice, { products, gridWidth }: DeviceOptions) {
    this.#gpu = gpu;
    this.info = adapter.info;
    this.limits = gpu.limits;
    this.#faults = new GpuFaults(gpu, this.stats);
    const method = products ?? productsFor(adapter.info);
    this.#builder = new CommandBuilder(gpu, this.stats, this.#faults, method, gridWidth);
  }

  /**
   * Asks for the machine's adapter and a device on it.
   *
   * @throws {DeviceError} If the machine has no adapter, or the adapter gives no device.
   *
   * @example
   * ```ts
   * import { Device, Tensor } from "@backhand/backhand";
   * import { assertEquals } from "@std/assert";
   * using device = await Device.request();
   * using x = Tensor.from(device, [1, 2, 3]);
   * console.log(device.name);
   * assertEquals(await x.read(), new Float32Array([1, 2, 3]));
   * ```
   */
  static async request(options: DeviceOptions = {}): Promise<Device> {
    const adapter = await requestAdapter(options);
    return new Device(adapter, await requestGpu(adapter), options);
  }

  /** The adapter's name, marked where it is a software adapter. */
  get name(): string {
    return nameOf(this.info);
  }

  /**
   * Makes a buffer for storage, zeroed.
   *
   * @param byteLength Its length in bytes.
   * @param label What it holds, for messages.
   * @returns The buffer; free it with {@linkcode Device.destroyBuffer}.
   * @throws {RangeError} If it is longer than the device allows; nothing is allocated then.
   */
  createBuffer(byteLength: number, label: string): GPUBuffer {
    const allowed = Math.min(this.limits.maxBufferSize, this.limits.maxStorageBufferBindingSize);
    if (byteLength > allowed) {
      throw new RangeError(
        `Cannot allocate ${label}: it takes ${byteLength} bytes, and this device binds at most ${allowed} bytes at once`,
      );
    }
    const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
    // A binding must not be empty, and copies go by four bytes.
    const size = Math.max(4, Math.ceil(byteLength / 4) * 4);
    const buffer = this.#allocate(size, STORAGE | COPY_SRC | COPY_DST, label);
    this.#open?.buffers.add(buffer);
    return buffer;
  }

  /** Frees a buffer of this device at once. */
  destroyBuffer(buffer: GPUBuffer): void {
    buffer.destroy();
    this.known.release(buffer);
    this.#destroyed.add(buffer);
    this.stats.buffers--;
    this.stats.bytes -= buffer.size;
  }

  /**
   * Runs a kernel, or records it inside {@linkcode Device.record}. Its pipeline is kept with the kernel object: make that once.
   *
   * @throws {TypeError} If the buffers are not as many as the kernel binds, or it would read and write one buffer.
   * @throws {RangeError} If one starts where the device cannot bind it.
   */
  run(kernel: Kernel, { buffers, sizes = [], reals = [], invocations }: Dispatch): void {
    checkBindings(kernel, buffers, this.limits.minStorageBufferOffsetAlignment);
    if (invocations === 0) return;
    for (const [i, { buffer }] of buffers.entries()) {
      if (kernel.access[i] !== "read_write") continue;
      if (this.#open) this.known.never(buffer);
      else this.known.forget(buffer);
    }
    const dispatch = { kernel, resources: buffers, sizes, reals, invocations };
    if (this.#open) {
      this.#open.dispatches.push(dispatch);
    } else {
      using built = this.#builder.build([dispatch]);
      this.#submit(built, 1);
    }
  }

  /**
   * Keeps the dispatches of a function instead of running them, and the tensors it makes; the recording owns both.
   *
   * @param body Runs once, at once; it must not wait. What it writes (`Tensor.write`, `Tensor.from`) is written then, and not
   * again at each replay. Each call of what it is given begins a part that can be replayed by itself.
   * @param options Whether to fuse, which never goes over the border of two parts.
   * @throws {TypeError} If a recording is under way, or the function is async.
   */
  record(body: (cut: () => void) => void, { fuse = false, plain = false }: RecordOptions = {}): Recording {
    if (this.#open) throw new TypeError("Cannot record inside a recording");
    const { dispatches, buffers } = this.#open = { dispatches: [], buffers: new Set() };
    const owned: Tracked[] = [];
    const cuts = [0];
    this.#scopes.push(owned);
    try {
      refusePromise("record", body(() => cuts.push(dispatches.length)));
    } catch (error) {
      for (const tensor of owned) tensor[Symbol.dispose]();
      throw error;
    } finally {
      this.#scopes.pop();
      this.#open = undefined;
    }
    const parts = cuts.map((start, i) => dispatches.slice(start, cuts[i + 1]));
    const bound = parts.map(buffersOf);
    const asked = new Set(bound.flatMap((part) => [...part]));
    const builts = parts.map((part, i) => {
      const elsewhere = new Set(bound.flatMap((other, j) => j === i ? [] : [...other]));
      return this.#builder.build(part, { plain, intermediate: fuse ? buffers.difference(elsewhere) : undefined });
    });
    const vanished = builts.reduce((left, built) => left.difference(built.buffers), asked);
    for (const tensor of owned) if (vanished.has(tensor.buffer)) tensor[Symbol.dispose]();
    const replayed = builts.map((built) => ({
      length: built.commands.filter((command) => "pipeline" in command).length,
      submit: (times: number) => this.#submit(built, times),
    }));
    return new Recording(replayed, [...builts, ...owned]);
  }

  /**
   * Runs a function and frees every tensor made in it but those it returns. Inside {@linkcode Device.record} it frees
   * nothing: the recording needs them all, and frees them in the end.
   *
   * @param body Runs at once; it must not wait.
   * @returns What the function returned: a tensor, an array or an object of tensors, or nothing of the GPU. A view dies with
   * the tensor it looks into: return that one.
   * @throws {TypeError} If the function is async.
   */
  tidy<T>(body: () => T): T {
    if (this.#open) return body();
    const owned: Tracked[] = [];
    this.#scopes.push(owned);
    let kept = new Set<unknown>();
    try {
      const result = body();
      refusePromise("tidy", result);
      kept = new Set([result, ...Object.values(result ?? {})]);
      return result;
    } finally {
      this.#scopes.pop();
      for (const tensor of owned) {
        if (kept.has(tensor)) this.track(tensor);
        else tensor[Symbol.dispose]();
      }
    }
  }

  /** Hands a tensor just made to the innermost `record` or `tidy` under way, which will free it. */
  track(resource: Tracked): void {
    this.#scopes.at(-1)?.push(resource);
  }

  /**
   * Writes into a buffer, after all that was put on the queue before.
   *
   * @param target Where to.
   * @param data A multiple of four bytes.
   * @throws {RangeError} If it is longer than the place.
   */
  write(target: Binding, data: ArrayBufferView<ArrayBuffer>): void {
    if (data.byteLength > target.byteLength) {
      throw new RangeError(`Cannot write ${data.byteLength} bytes into a place of ${target.byteLength}`);
    }
    if (data.byteLength === 0) return; // Deno panics at an empty array
    this.known.forget(target.buffer);
    const write = () => this.#gpu.queue.writeBuffer(target.buffer, target.byteOffset, data);
    this.#faults.watch(`writing to ${target.buffer.label}`, write);
  }

  /**
   * Copies between two places of the same length, in different buffers, after all that was put on the queue before.
   *
   * @throws {TypeError} If the lengths differ, or a recording is under way.
   */
  copy(source: Binding, target: Binding): void {
    if (this.#open) throw new TypeError("Cannot record a copy: a recording holds kernels only");
    const { buffer, byteOffset, byteLength } = source;
    if (byteLength !== target.byteLength) {
      throw new TypeError(`Cannot copy ${byteLength} bytes to a place of ${target.byteLength}`);
    }
    this.known.forget(target.buffer);
    this.#send(`copying ${buffer.label} to ${target.buffer.label}`, (encoder) => {
      encoder.copyBufferToBuffer(buffer, byteOffset, target.buffer, target.byteOffset, byteLength);
    });
  }

  /**
   * Reads places back in one wait, once all that was put on the queue before is done.
   *
   * @returns A copy of the bytes of each.
   * @throws {DeviceError} If any work before it failed, or the device was lost.
   */
  async read(places: readonly Binding[]): Promise<ArrayBuffer[]> {
    const bytes = places.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (places.length > 1 && bytes > this.limits.maxBufferSize) {
      const half = Math.ceil(places.length / 2);
      return [...await this.read(places.slice(0, half)), ...await this.read(places.slice(half))];
    }
    using staging = this.stage(places);
    return await staging.read((all, starts) => places.map((_, i) => all.slice(starts[i], starts[i + 1])));
  }

  /** Makes room for places that are read back again and again: each read then allocates nothing. Dispose of it. */
  stage(places: readonly Binding[]): Staging {
    const { MAP_READ, COPY_DST } = GPUBufferUsage;
    this.check();
    const buffers = places.map(({ buffer }) => buffer); // throws for a disposed tensor, before anything is made
    const starts = [0];
    for (const { byteLength } of places) starts.push(starts.at(-1)! + byteLength);
    const copy = this.#allocate(Math.max(4, starts.at(-1)!), MAP_READ | COPY_DST, "reading back", true);
    const send = () => {
      this.check();
      this.stats.waits++;
      this.#send("reading back", (encoder) => {
        places.forEach(({ byteOffset, byteLength }, i) => {
          if (byteLength > 0) encoder.copyBufferToBuffer(buffers[i], byteOffset, copy, starts[i], byteLength);
        });
      });
    };
    return new Staging(copy, starts, {
      send,
      check: () => this.check(),
      fail: (reason) => this.#faults.add(`reading back failed: ${reason}`),
      free: () => this.destroyBuffer(copy),
    });
  }

  /**
   * Says whether anything went wrong so far, at next to no cost; of work put on the queue just now the next read knows.
   *
   * @throws {DeviceError} With what WebGPU reported, under the names of the kernels; again at each call.
   */
  check(): void {
    this.#faults.check();
  }

  /** Destroys the device and with it every buffer. */
  dispose(): void {
    this.#faults.lose("the device was lost: it was disposed of");
    this.#gpu.destroy();
  }

  /** The same as {@linkcode Device.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #submit(built: Built, times: number): void {
    refuseDestroyed(built, this.#destroyed);
    this.#send((report) => kernelsOf(built.commands, report), (encoder) => {
      this.stats.dispatches += encode(encoder, built.commands, times);
    });
  }

  /** Puts what a function encodes on the queue; faults go under a name. */
  #send(name: string | ((report: string) => string), body: (encoder: GPUCommandEncoder) => void): void {
    this.#faults.watch(name, () => {
      const encoder = this.#gpu.createCommandEncoder();
      body(encoder);
      this.#gpu.queue.submit([encoder.finish()]);
    });
    this.stats.submits++;
  }

  #allocate(size: number, usage: number, label: string, mappedAtCreation = false): GPUBuffer {
    const create = () => this.#gpu.createBuffer({ size, usage, label, mappedAtCreation });
    const buffer = this.#faults.watch(label, create, size);
    this.stats.buffers++;
    this.stats.allocations++;
    this.stats.bytes += size;
    return buffer;
  }
}

/** What some dispatches bind. */
function buffersOf(dispatches: readonly PlannedDispatch[]): Set<GPUBuffer> {
  return new Set(dispatches.flatMap(({ resources }) => resources as Binding[]).map(({ buffer }) => buffer));
}

/** What an async function does after its first await is neither recorded nor kept. */
function refusePromise(action: string, result: unknown): void {
  if (!(result instanceof Promise)) return;
  result.catch(() => {}); // the one error is enough
  throw new TypeError(`Cannot ${action} an async function: it must not wait`);
}

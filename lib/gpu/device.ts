/**
 * The GPU: one adapter, its limits, its pipelines, and the three ways work reaches it.
 *
 * - `run` gathers dispatches, and puts them on the queue together when something has to come after them.
 * - `record` keeps the dispatches of a function; the {@linkcode Recording} replays them without building anything.
 * - `tidy` runs a function at once and frees the tensors it made.
 *
 * WebGPU reports mistakes a moment later, not by an exception. Every read after one throws what was reported, for what the
 * tensors hold from then on is not to be trusted: continue with a new device.
 *
 * @module
 */
import { type Kernel, kernels } from "../../kernels/mod.ts";
import { type DeviceOptions, nameOf, type ProductMethod, productsFor, requestAdapter, requestGpu } from "./adapter.ts";
import { Buffers } from "./buffers.ts";
import { type Built, type Command, CommandBuilder, dispatchesOf, encode, kernelsOf } from "./commands.ts";
import { type Dispatch, partsOf, type RecordOptions, refusePromise, type Tracked } from "./dispatch.ts";
import { Examination, type Examiner } from "./examination.ts";
import { GpuFaults } from "./faults.ts";
import { KnownNumbers } from "./known_numbers.ts";
import { type Binding, checkBindings, type PlannedDispatch } from "./pipeline.ts";
import { bindParts, Recording } from "./recording.ts";
import { Staging } from "./readback.ts";
import { Unrecorded } from "./unrecorded.ts";

/** A WebGPU device. Free it with `dispose` or `using`. */
export class Device implements Disposable {
  /** The adapter's own words on itself. */
  readonly info: GPUAdapterInfo;
  /** The device's limits: the adapter's largest buffers and bindings, else WebGPU's defaults. */
  readonly limits: GPUSupportedLimits;
  /** How larger matrix products run. */
  readonly products: ProductMethod;
  /** Counts since the device was made, except `buffers` and `bytes`, which are alive now. */
  readonly stats = { buffers: 0, bytes: 0, allocations: 0, bindGroups: 0, dispatches: 0, submits: 0, waits: 0 };
  /** First numbers of tensors that the CPU has seen, so that they can be shown without a wait. */
  readonly known: KnownNumbers = new KnownNumbers();
  readonly #gpu: GPUDevice;
  readonly #builder: CommandBuilder;
  /** What the functions of `record` and `tidy` under way have made, innermost last, with the buffers. */
  readonly #scopes: Map<Tracked, GPUBuffer>[] = [];
  readonly #faults: GpuFaults;
  readonly #buffers: Buffers;
  readonly #unrecorded: Unrecorded;
  readonly #examination = new Examination();
  /** The recording under way: its dispatches, and buffers made meanwhile. */
  #open: { readonly dispatches: PlannedDispatch[]; readonly buffers: Set<GPUBuffer> } | undefined;

  private constructor(adapter: GPUAdapter, gpu: GPUDevice, { products, gridWidth }: DeviceOptions) {
    this.#gpu = gpu;
    this.info = adapter.info;
    this.limits = gpu.limits;
    this.#faults = new GpuFaults(gpu, this.stats);
    this.products = products ?? productsFor(adapter.info);
    this.#builder = new CommandBuilder(gpu, this.stats, this.#faults, this.products, gridWidth);
    this.#buffers = new Buffers(gpu, this.stats, this.#faults);
    this.#unrecorded = new Unrecorded(this.#builder, (commands) => this.#submit(commands, 1));
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
   * Makes a buffer for storage.
   *
   * @param byteLength Its length in bytes.
   * @param label What it holds, for messages.
   * @param reuse Whether it may be one that was freed, and may be handed on when it is freed: with `zeroed` it then
   * holds zeros, with `any` whatever it held. Of such a one call `destroyBuffer` just once.
   * @returns The buffer; free it with {@linkcode Device.destroyBuffer}.
   * @throws {RangeError} If it is longer than the device allows; nothing is allocated then.
   */
  createBuffer(byteLength: number, label: string, reuse: "no" | "zeroed" | "any" = "no"): GPUBuffer {
    const allowed = Math.min(this.limits.maxBufferSize, this.limits.maxStorageBufferBindingSize);
    if (byteLength > allowed) {
      throw new RangeError(
        `Cannot allocate ${label}: it takes ${byteLength} bytes, and this device binds at most ${allowed} bytes at once`,
      );
    }
    const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
    // A binding must not be empty, and copies go by four bytes.
    const size = Math.max(4, Math.ceil(byteLength / 4) * 4);
    const old = reuse === "no" || this.#open ? undefined : this.#buffers.reuse(size, label);
    const buffer = old ?? this.#buffers.create(size, STORAGE | COPY_SRC | COPY_DST, label);
    if (!old && reuse !== "no") this.#buffers.share(buffer);
    if (old && reuse === "zeroed") this.write({ buffer, byteOffset: 0, byteLength: size }, new Uint8Array(size));
    this.#open?.buffers.add(buffer);
    return buffer;
  }

  /** Frees a buffer of this device, after all that was asked for before. A second call does nothing. */
  destroyBuffer(buffer: GPUBuffer): void {
    this.known.release(buffer);
    this.#buffers.free(buffer, (freed) => this.#unrecorded.flushIfUsing(freed));
  }

  /**
   * Runs a kernel, or records it inside {@linkcode Device.record}. Its pipeline is kept with the kernel object: make that once.
   * What it reads may lie in a buffer that it writes, or start anywhere: the kernel then gets a copy, one dispatch more.
   *
   * @throws {TypeError} If the buffers are not as many as the kernel binds, or one was disposed of.
   * @throws {RangeError} If one that it writes starts where the device cannot bind it.
   */
  run(kernel: Kernel, { buffers, sizes = [], reals = [], invocations }: Dispatch): void {
    const isBindable = checkBindings(kernel, buffers, this.limits.minStorageBufferOffsetAlignment);
    if (invocations === 0) return;
    for (const [i, { buffer }] of buffers.entries()) {
      if (kernel.access[i] !== "read_write") continue;
      if (this.#open) this.known.never(buffer);
      else this.known.forget(buffer);
    }
    const resources = buffers.map((place, i) => isBindable[i] ? place : this.#copyOf(place));
    const dispatch = { kernel, resources, sizes, reals, invocations };
    if (this.#open) {
      this.#open.dispatches.push(dispatch);
      return;
    }
    try {
      for (const { buffer } of buffers) this.#buffers.refuseFreed(buffer, () => kernel.name);
      const commands = this.#unrecorded.add(dispatch);
      this.#examination.note(commands);
      this.stats.dispatches += dispatchesOf(commands);
    } finally {
      resources.forEach(({ buffer }, i) => isBindable[i] || this.destroyBuffer(buffer));
    }
  }

  /** A copy of a place that a kernel cannot bind; a recording frees its own in the end. */
  #copyOf({ buffer, byteOffset, byteLength }: Binding): Binding {
    const rest = byteOffset % this.limits.minStorageBufferOffsetAlignment;
    const around = { buffer, byteOffset: byteOffset - rest, byteLength: byteLength + rest };
    const place = { buffer: this.createBuffer(byteLength, buffer.label, "any"), byteOffset: 0, byteLength };
    if (this.#open) this.track({ buffer: place.buffer, [Symbol.dispose]: () => this.destroyBuffer(place.buffer) });
    const count = byteLength / 4;
    this.run(kernels.slice, { buffers: [around, place], sizes: [count, rest / 4], invocations: count });
    return place;
  }

  /**
   * Keeps the dispatches of a function instead of running them, and the tensors it makes; the recording owns both.
   *
   * @param body Runs once, at once; it must not wait, and not write (`Tensor.write`, `Tensor.from`): a replay runs kernels only.
   * Each call of what it is given begins a part that can be replayed by itself.
   * @param options Whether to fuse, which never goes over the border of two parts.
   * @throws {TypeError} If a recording is under way, or the function is async, or writes into a tensor.
   */
  record(
    body: (cut: () => void) => void,
    { fuse = false, closed = false, plain = false }: RecordOptions = {},
  ): Recording {
    if (this.#open) throw new TypeError("Cannot record inside a recording");
    const { dispatches, buffers } = this.#open = { dispatches: [], buffers: new Set() };
    const owned = new Map<Tracked, GPUBuffer>();
    const cuts = [0];
    this.#scopes.push(owned);
    try {
      refusePromise("record", body(() => cuts.push(dispatches.length)));
      for (const { resources } of dispatches) {
        for (const { buffer } of resources as Binding[]) this.#buffers.refuseFreed(buffer, () => "a recording");
      }
      const parts = cuts.map((start, i) => dispatches.slice(start, cuts[i + 1]));
      const build = (part: readonly PlannedDispatch[], intermediate: ReadonlySet<GPUBuffer>) =>
        this.#builder.build(part, { plain, closed, intermediate: fuse ? intermediate : undefined });
      const { builts, bound, vanished } = bindParts(parts, buffers, build);
      this.#buffers.bind(bound);
      for (const { commands } of builts) this.#examination.note(commands);
      for (const [tensor, buffer] of owned) if (vanished.has(buffer)) tensor[Symbol.dispose]();
      const replayed = builts.map((built) => ({
        length: dispatchesOf(built.commands),
        submit: (times: number) => this.#replay(built, times),
      }));
      return new Recording(replayed, [...builts, ...owned.keys()]);
    } catch (error) {
      for (const tensor of owned.keys()) tensor[Symbol.dispose]();
      throw error;
    } finally {
      this.#scopes.pop();
      this.#open = undefined;
    }
  }

  /**
   * Runs a function and frees every tensor made in it but those it returns. Inside {@linkcode Device.record} it frees
   * nothing: the recording needs them all, and frees them in the end.
   *
   * @param body Runs at once; it must not wait.
   * @returns What the function returned: a tensor, tensors within arrays and objects, or nothing of the GPU. A view dies with
   * the tensor it looks into: return that one.
   * @throws {TypeError} If the function is async.
   */
  tidy<T>(body: () => T): T {
    if (this.#open) return body();
    const owned = new Map<Tracked, GPUBuffer>();
    this.#scopes.push(owned);
    let kept = new Set<unknown>();
    try {
      const result = body();
      refusePromise("tidy", result);
      kept = new Set(partsOf(result));
      return result;
    } finally {
      this.#scopes.pop();
      if (this.#scopes.length === 0) this.#unrecorded.flush();
      for (const tensor of owned.keys()) {
        if (kept.has(tensor)) this.track(tensor);
        else tensor[Symbol.dispose]();
      }
    }
  }

  /** Whether `record` is at work. */
  get isRecording(): boolean {
    return this.#open !== undefined;
  }

  /** Hands a tensor just made to the innermost `record` or `tidy` under way, which will free it. */
  track(resource: Tracked): void {
    this.#scopes.at(-1)?.set(resource, resource.buffer);
  }

  /**
   * Writes into a buffer, after all that was asked for before. A recording does not repeat it.
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
    this.#unrecorded.flushIfUsing(target.buffer);
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
    this.#unrecorded.flush();
    this.known.forget(target.buffer);
    this.#send(`copying ${buffer.label} to ${target.buffer.label}`, (encoder) => {
      encoder.copyBufferToBuffer(buffer, byteOffset, target.buffer, target.byteOffset, byteLength);
    });
  }

  /**
   * Reads places back in one wait, once all that was put on the queue before is done.
   *
   * @param places What to read.
   * @param isExamined False lets an examiner read what its tests computed; see {@linkcode Device.examineWith}.
   * @returns A copy of the bytes of each.
   * @throws {DeviceError} If any work before it failed, or the device was lost.
   */
  async read(places: readonly Binding[], isExamined = true): Promise<ArrayBuffer[]> {
    const bytes = places.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (places.length > 1 && bytes > this.limits.maxBufferSize) {
      const half = Math.ceil(places.length / 2);
      const [first, second] = [places.slice(0, half), places.slice(half)];
      return [...await this.read(first, isExamined), ...await this.read(second, isExamined)];
    }
    using staging = this.#stage(places, isExamined);
    return await staging.read((all, starts) => places.map((_, i) => all.slice(starts[i], starts[i + 1])));
  }

  /** Makes room for places that are read back again and again: each read then allocates nothing. Dispose of it. */
  stage(places: readonly Binding[]): Staging {
    this.#buffers.bind(places.map(({ buffer }) => buffer));
    return this.#stage(places);
  }

  #stage(places: readonly Binding[], isExamined = true): Staging {
    const { MAP_READ, COPY_DST } = GPUBufferUsage;
    this.check();
    const buffers = places.map(({ buffer }) => buffer); // throws for a disposed tensor, before anything is made
    const starts = [0];
    for (const { byteLength } of places) starts.push(starts.at(-1)! + byteLength);
    const copy = this.#buffers.create(Math.max(4, starts.at(-1)!), MAP_READ | COPY_DST, "reading back", true);
    const send = () => {
      this.check();
      this.#unrecorded.flush();
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
      examine: async () => isExamined ? await this.examine() : undefined,
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

  /**
   * From now on no number that the device computed is handed out before somebody has examined the kernels in use: each read
   * waits for that, and passes on what the examiner throws.
   *
   * @param examiner Is told each kernel once, in each of its forms. It reads what its own tests compute with `isExamined` false.
   */
  examineWith(examiner: Examiner): void {
    this.#examination.examiner = examiner;
  }

  /**
   * Has the kernels examined that came into use, or into a recording, since the last time.
   *
   * @throws What the examiner throws, now or at an earlier time.
   */
  async examine(): Promise<void> {
    await this.#examination.examine();
  }

  /**
   * Runs a function that tests kernels: what it runs does not come into use by that.
   *
   * @returns What the function returned, and the kernels that it ran or recorded.
   */
  test<T>(body: () => T): { result: T; kernels: ReadonlySet<Kernel> } {
    return this.#examination.collect(body);
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

  #replay({ commands, buffers }: Built, times: number): void {
    for (const buffer of buffers) this.#buffers.refuseFreed(buffer, () => kernelsOf(commands, buffer));
    this.#unrecorded.flush();
    this.stats.dispatches += times * dispatchesOf(commands);
    this.#submit(commands, times);
  }

  #submit(commands: readonly Command[], times: number): void {
    this.#send((report) => kernelsOf(commands, report), (encoder) => encode(encoder, commands, times));
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
}

/**
 * The buffers of a device: made and counted, kept for the next tensor of their size, destroyed.
 *
 * @module
 */
import type { GpuFaults } from "./faults.ts";

/** Bytes of a buffer that is kept at most, and of all that are kept. */
const MAX_KEPT_BUFFER = 1 << 20;
const MAX_KEPT = 64 << 20;

/** Counts of what callers hold, and of what was made. What is kept here for the next one is not counted. */
type Counts = Record<"buffers" | "bytes" | "allocations", number>;

export class Buffers {
  readonly #gpu: GPUDevice;
  readonly #counts: Counts;
  readonly #faults: GpuFaults;
  /** Freed, and not handed out again since. */
  readonly #freed = new WeakSet<GPUBuffer>();
  /** Somebody binds them for later: handed out again, they would be two things at once. */
  readonly #bound = new WeakSet<GPUBuffer>();
  /** Kept for reuse, by size. */
  readonly #kept = new Map<number, GPUBuffer[]>();
  #keptBytes = 0;

  constructor(gpu: GPUDevice, counts: Counts, faults: GpuFaults) {
    this.#gpu = gpu;
    this.#counts = counts;
    this.#faults = faults;
  }

  /** Makes a buffer, zeroed. */
  create(size: number, usage: number, label: string, mappedAtCreation = false): GPUBuffer {
    const create = () => this.#gpu.createBuffer({ size, usage, label, mappedAtCreation });
    const buffer = this.#faults.watch(label, create, size);
    this.#counts.allocations++;
    this.#count(1, size);
    return buffer;
  }

  /** A buffer of that size which was freed before; what it holds is whatever it held. */
  reuse(size: number, label: string): GPUBuffer | undefined {
    const buffer = this.#kept.get(size)?.pop();
    if (!buffer) return undefined;
    buffer.label = label;
    this.#freed.delete(buffer);
    this.#keptBytes -= size;
    this.#count(1, size);
    return buffer;
  }

  /** Takes a buffer back. It is kept for reuse where it is small and nobody binds it, or destroyed. */
  free(buffer: GPUBuffer, beforeDestroying: () => void): void {
    if (this.#freed.has(buffer)) return;
    this.#freed.add(buffer);
    this.#count(-1, buffer.size);
    const isKept = (buffer.usage & GPUBufferUsage.STORAGE) !== 0 && !this.#bound.has(buffer);
    if (!isKept || buffer.size > MAX_KEPT_BUFFER || this.#keptBytes + buffer.size > MAX_KEPT) {
      beforeDestroying();
      buffer.destroy();
      return;
    }
    const ofSize = this.#kept.get(buffer.size) ?? [];
    ofSize.push(buffer);
    this.#kept.set(buffer.size, ofSize);
    this.#keptBytes += buffer.size;
  }

  /** Refuses to run what binds a buffer that was freed. */
  refuseFreed(buffer: GPUBuffer, name: () => string): void {
    if (this.#freed.has(buffer)) throw new TypeError(`Cannot run ${name()}: ${buffer.label} was disposed of`);
  }

  /** Says that something will use these buffers again without being asked. */
  bind(buffers: Iterable<GPUBuffer>): void {
    for (const buffer of buffers) this.#bound.add(buffer);
  }

  #count(sign: 1 | -1, bytes: number): void {
    this.#counts.buffers += sign;
    this.#counts.bytes += sign * bytes;
  }
}

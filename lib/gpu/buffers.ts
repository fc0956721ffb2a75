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
  /** Those that may be handed out again. */
  readonly #shared = new WeakSet<GPUBuffer>();
  /** What a buffer that was handed out again holds now: the label that WebGPU knows stays. */
  readonly #labels = new WeakMap<GPUBuffer, string>();
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
    this.#labels.set(buffer, label);
    this.#freed.delete(buffer);
    this.#keptBytes -= costOf(size);
    this.#count(1, size);
    return buffer;
  }

  /** Says that a buffer may be handed out again once it is freed. */
  share(buffer: GPUBuffer): void {
    this.#shared.add(buffer);
  }

  /** Takes a buffer back. It is kept for reuse where it is small and nobody binds it, or destroyed. */
  free(buffer: GPUBuffer, beforeDestroying: (buffer: GPUBuffer) => void): void {
    if (this.#freed.has(buffer)) return;
    this.#freed.add(buffer);
    this.#count(-1, buffer.size);
    const isKept = this.#shared.has(buffer) && !this.#bound.has(buffer);
    if (!isKept || buffer.size > MAX_KEPT_BUFFER) {
      beforeDestroying(buffer);
      buffer.destroy();
      return;
    }
    if (this.#keptBytes + costOf(buffer.size) > MAX_KEPT) {
      // Sizes that never come again would fill it for ever.
      for (const old of [...this.#kept.values()].flat()) {
        beforeDestroying(old);
        old.destroy();
      }
      this.#kept.clear();
      this.#keptBytes = 0;
    }
    const ofSize = this.#kept.get(buffer.size) ?? [];
    ofSize.push(buffer);
    this.#kept.set(buffer.size, ofSize);
    this.#keptBytes += costOf(buffer.size);
  }

  /** Refuses to run what binds a buffer that was freed. */
  refuseFreed(buffer: GPUBuffer, name: () => string): void {
    if (!this.#freed.has(buffer)) return;
    throw new TypeError(`Cannot run ${name()}: ${this.#labels.get(buffer) ?? buffer.label} was disposed of`);
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

/** What a buffer counts for: the smallest one takes some kilobytes of the driver and of this process, too. */
function costOf(size: number): number {
  return Math.max(size, 4_096);
}

/**
 * The first numbers of tensors, kept where the CPU has them anyway: it wrote them or read them. So a tensor can be shown
 * without a wait.
 *
 * @module
 */

/** How many numbers of a buffer are kept. */
export const KNOWN_NUMBERS = 6;

/** Numbers at one place of a buffer. */
interface Known {
  /** In bytes. */
  readonly offset: number;
  readonly numbers: readonly number[];
}

/** What is known of buffers. A number is forgotten as soon as the GPU may have changed it. */
export class KnownNumbers {
  readonly #known = new WeakMap<GPUBuffer, Known>();
  readonly #never = new WeakSet<GPUBuffer>();
  #changes = 0;

  /** Counts writes. If it is the same after a read as before, what was read is still there. */
  get changes(): number {
    return this.#changes;
  }

  /** Keeps the first numbers from a byte on, instead of what was known. */
  set(buffer: GPUBuffer, offset: number, numbers: ArrayLike<number>): void {
    if (this.#never.has(buffer)) return;
    const first = Array.from({ length: Math.min(KNOWN_NUMBERS, numbers.length) }, (_, i) => numbers[i]);
    this.#known.set(buffer, { offset, numbers: first });
  }

  /** The first numbers from a byte on; undefined where none are known. */
  get(buffer: GPUBuffer, offset: number): readonly number[] | undefined {
    const known = this.#known.get(buffer);
    return known?.offset === offset ? known.numbers : undefined;
  }

  /** The GPU or the CPU writes the buffer. */
  forget(buffer: GPUBuffer): void {
    this.#changes++;
    this.#known.delete(buffer);
  }

  /** A recording writes the buffer: from now on nothing is known, for a replay does not say so. */
  never(buffer: GPUBuffer): void {
    this.forget(buffer);
    this.#never.add(buffer);
  }

  /** The buffer is freed: nothing is known, and no recording writes it any more. */
  release(buffer: GPUBuffer): void {
    this.#known.delete(buffer);
    this.#never.delete(buffer);
  }
}

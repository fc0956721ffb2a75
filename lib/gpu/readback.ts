/**
 * Reading back from the GPU, by way of a buffer that is made once.
 *
 * @module
 */

/** What a device does for it. */
interface Hooks {
  /** Puts the copies on the queue. */
  readonly send: () => void;
  /** Throws what the GPU reported. */
  readonly check: () => void;
  /** Waits until the kernels in use were examined. */
  readonly examine: () => Promise<void>;
  /** Takes note of a map that failed. */
  readonly fail: (reason: string) => Promise<void>;
  readonly free: () => void;
}

/**
 * Reads the same places again and again; `Device.stage` makes it.
 *
 * Deno waits for the GPU within the call of `mapAsync`, so the bytes are there when it returns, and its promise then sleeps
 * 10 ms before it says so (Deno 2.9, ext/webgpu/buffer.rs). WebGPU gives a mapped range as soon as there is one and throws
 * until then: so it is asked for at once, and where it is not there yet, as in a browser, the promise is waited for.
 */
export class Staging implements Disposable {
  readonly #copy: GPUBuffer;
  readonly #starts: readonly number[];
  readonly #hooks: Hooks;

  /**
   * Called by `Device.stage`.
   *
   * @param copy Where the places are copied to; made mapped, as Deno panics when asked for the range of a buffer that never was.
   * @param starts Where each begins there, and the end.
   */
  constructor(copy: GPUBuffer, starts: readonly number[], hooks: Hooks) {
    this.#copy = copy;
    this.#starts = starts;
    this.#hooks = hooks;
    try {
      copy.unmap();
    } catch {
      // It could not be made, which the next check tells.
    }
  }

  /**
   * Reads the places as they are after all that is on the queue now. One read at a time.
   *
   * @param use Is shown the bytes of all places, and where each begins in them, and the end; they are gone when it returns. Of
   * a fault it may learn only afterwards.
   * @returns What that returns.
   * @throws {DeviceError} If any work before it failed, or the device was lost.
   */
  async read<T>(use: (all: ArrayBuffer, starts: readonly number[]) => T): Promise<T> {
    const { send, check, examine, fail } = this.#hooks;
    send();
    const mapped = this.#copy.mapAsync(GPUMapMode.READ);
    mapped.catch(() => {}); // where it is of no more use
    const bytes = this.#range();
    const early = bytes && this.#show(bytes, use);
    await (early ? othersFirst() : mapped.catch((error) => fail(error.message))); // reports of faults come in meanwhile
    check();
    const { result } = early ?? this.#show(this.#copy.getMappedRange(), use);
    await examine();
    return result;
  }

  #range(): ArrayBuffer | undefined {
    try {
      return this.#copy.getMappedRange();
    } catch {
      return undefined;
    }
  }

  /** Shows what is mapped, and gives it back before anything else can free what the bytes lie in. */
  #show<T>(bytes: ArrayBuffer, use: (all: ArrayBuffer, starts: readonly number[]) => T): { readonly result: T } {
    try {
      return { result: use(bytes, this.#starts) };
    } finally {
      this.#copy.unmap();
    }
  }

  /** Frees the buffer. */
  [Symbol.dispose](): void {
    this.#hooks.free();
  }
}

/** Puts multiples of float32 numbers that were read at a place among others. */
export function scaleInto(target: Float32Array, start: number, bytes: ArrayBuffer, factor: number): void {
  const source = new Float32Array(bytes, 0, Math.min(bytes.byteLength / 4, target.length - start));
  for (let i = 0; i < source.length; i++) target[start + i] = factor * source[i];
}

/**
 * What everything else in the process has of its time while training reads and reads: a turn every few milliseconds, and now
 * and then a rest, a hundredth of it all, for Deno looks at the network only when it has nothing to do, or after scores of
 * turns. In milliseconds.
 */
const TURN_EVERY = 5;
const REST_EVERY = 250;
const REST = 1;

let turned = performance.now();
let rested = turned;

/** Lets everything else have its turn: timers, signals, requests. */
async function othersFirst(): Promise<void> {
  const now = performance.now();
  if (now - rested >= REST_EVERY) {
    await new Promise((resolve) => setTimeout(resolve, REST));
    rested = turned = performance.now();
  } else if (now - turned >= TURN_EVERY) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    turned = performance.now();
  }
}

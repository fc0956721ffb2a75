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
  /** Takes note of a map that failed. */
  readonly fail: (reason: string) => Promise<void>;
  readonly free: () => void;
}

/** Reads the same places again and again; `Device.stage` makes it. */
export class Staging implements Disposable {
  readonly #copy: GPUBuffer;
  readonly #starts: readonly number[];
  readonly #hooks: Hooks;

  /**
   * Called by `Device.stage`.
   *
   * @param copy Where the places are copied to.
   * @param starts Where each begins there, and the end.
   * @param hooks The device.
   */
  constructor(copy: GPUBuffer, starts: readonly number[], hooks: Hooks) {
    [this.#copy, this.#starts, this.#hooks] = [copy, starts, hooks];
  }

  /**
   * Reads the places as they are behind all that is on the queue now. One read at a time.
   *
   * @param use Is shown the bytes of all places, and where each begins in them, and the end; they are gone when it returns.
   * @returns What that returns.
   * @throws {DeviceError} If any work before it failed, or the device was lost.
   */
  async read<T>(use: (all: ArrayBuffer, starts: readonly number[]) => T): Promise<T> {
    const { send, check, fail } = this.#hooks;
    send();
    await this.#copy.mapAsync(GPUMapMode.READ).catch((error) => fail(error.message));
    check();
    try {
      return use(this.#copy.getMappedRange(), this.#starts);
    } finally {
      this.#copy.unmap();
    }
  }

  /** Frees the buffer. */
  dispose(): void {
    this.#hooks.free();
  }

  /** The same as {@linkcode Staging.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

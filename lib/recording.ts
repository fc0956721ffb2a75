/**
 * Recorded work: a list of dispatches with everything bound, replayed as often as asked.
 *
 * @module
 */

/** Dispatches that one submission holds at most: enough to hide its cost, few enough to start soon. */
const DISPATCHES_PER_SUBMIT = 2_048;

/**
 * What `Device.record` kept: dispatches, and the tensors that were made while recording.
 *
 * @example
 * ```ts
 * import { Device, type Recording, scale, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using x = Tensor.from(device, [1]);
 * using y = Tensor.zeros(device, [1]);
 * using recording: Recording = device.record(() => scale(x, 3, { out: y }));
 * assertEquals(recording.length, 1);
 * x.write([2]);
 * recording.replay();
 * assertEquals([...await y.read()], [6]);
 * ```
 */
export class Recording implements Disposable {
  /** Number of dispatches in one replay. */
  readonly length: number;
  readonly #submit: (times: number) => void;
  readonly #owned: readonly Disposable[];
  #disposed = false;

  /**
   * Called by `Device.record`.
   *
   * @param length Number of dispatches.
   * @param submit Puts them on the queue, so many times over.
   * @param owned What to free in the end.
   */
  constructor(length: number, submit: (times: number) => void, owned: readonly Disposable[]) {
    this.length = length;
    this.#submit = submit;
    this.#owned = owned;
  }

  /**
   * Puts the dispatches on the queue; makes no buffer, no bind group, and does not wait.
   *
   * @param times How often, one after the other.
   */
  replay(times = 1): void {
    if (this.#disposed) throw new TypeError("Cannot replay a recording that was disposed of");
    const batch = Math.max(1, Math.floor(DISPATCHES_PER_SUBMIT / Math.max(1, this.length)));
    for (let done = 0; done < times; done += batch) {
      this.#submit(Math.min(batch, times - done));
    }
  }

  /** Frees the tensors made while recording. A second call does nothing. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const resource of this.#owned) resource[Symbol.dispose]();
  }

  /** The same as {@linkcode Recording.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

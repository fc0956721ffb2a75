/**
 * Recorded work: a list of dispatches with everything bound, replayed as often as asked.
 *
 * @module
 */
import type { TextureCopy } from "./product.ts";

/** Copies into textures, or one dispatch, ready to run. */
export type Command = BoundDispatch | { readonly copies: readonly TextureCopy[] };

/** One dispatch with everything bound. */
export interface BoundDispatch {
  /** The compiled kernel. */
  readonly pipeline: GPUComputePipeline;
  /** Its buffers. */
  readonly bindGroup: GPUBindGroup;
  /** Workgroups along x. */
  readonly x: number;
  /** Workgroups along y. */
  readonly y: number;
}

/** What a recording needs of the device. */
export interface Queue {
  /** Puts commands on the queue, `times` over. */
  submit(commands: readonly Command[], times: number): void;
}

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
  readonly #queue: Queue;
  readonly #commands: readonly Command[];
  readonly #owned: readonly Disposable[];
  #disposed = false;

  /** Called by `Device.record`. */
  constructor(queue: Queue, commands: readonly Command[], owned: readonly Disposable[]) {
    this.#queue = queue;
    this.#commands = commands;
    this.#owned = owned;
  }

  /** Number of dispatches in one replay. */
  get length(): number {
    return this.#commands.filter((command) => "pipeline" in command).length;
  }

  /**
   * Puts the dispatches on the queue; makes no buffer, no bind group, and does not wait.
   *
   * @param times How often, one after the other.
   */
  replay(times = 1): void {
    if (this.#disposed) throw new TypeError("Cannot replay a recording that was disposed of");
    const batch = Math.max(1, Math.floor(DISPATCHES_PER_SUBMIT / Math.max(1, this.#commands.length)));
    for (let done = 0; done < times; done += batch) {
      this.#queue.submit(this.#commands, Math.min(batch, times - done));
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

/**
 * What goes wrong on the GPU. WebGPU throws nothing: it reports, by error scopes and events, mostly without saying which
 * kernel was at work, and a lost device reports nothing at all. Here each fault gets the name of what caused it, and stays:
 * what a device computes after a fault cannot be trusted, so every check from then on throws.
 *
 * @module
 */
import { DeviceError } from "../base/errors.ts";

/** Different faults that are kept: the first ones tell the cause, the others follow from it. */
const MAX_FAULTS = 4;

/** Milliseconds in which the news that a device was lost comes in, once something failed. */
const NEWS_OF_LOSS = 100;

const FILTERS: readonly GPUErrorFilter[] = ["validation", "out-of-memory", "internal"];

/** Collects the faults of one device. */
export class GpuFaults {
  readonly #gpu: GPUDevice;
  /** What the device holds. */
  readonly #held: Readonly<Record<"buffers" | "bytes", number>>;
  readonly #faults = new Set<string>();
  #memory = "";
  #lost = "";

  constructor(gpu: GPUDevice, held: Readonly<Record<"buffers" | "bytes", number>>) {
    this.#gpu = gpu;
    this.#held = held;
    gpu.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#keep((event as GPUUncapturedErrorEvent).error, "");
    });
    gpu.lost.then(({ reason, message }) => {
      const why = [reason, message].filter((part) => part && part !== "device was lost").join(": ");
      this.lose(`the device was lost (${why}) and with it all that it held: start again from what was saved`);
    });
  }

  /** Makes calls of WebGPU, and keeps what they are reported to have done wrong, now or when the queue comes to it. */
  watch<T>(what: string | ((report: string) => string), body: () => T, bytes?: number): T {
    const { buffers, bytes: held } = this.#held;
    for (const filter of FILTERS) this.#gpu.pushErrorScope(filter);
    try {
      return body();
    } finally {
      for (const _ of FILTERS) {
        this.#gpu.popErrorScope().then((error) => {
          if (!error) return;
          const name = typeof what === "string" ? what : what(error.message);
          const asked = bytes === undefined ? "" : `, which takes ${bytes} bytes besides ${held} in ${buffers} buffers`;
          this.#keep(error, name, asked);
        }, (error) => this.#faults.add(error.message));
      }
    }
  }

  /** Notes that something failed. If the reason is that the device was lost, that news comes first. */
  async add(what: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, NEWS_OF_LOSS);
    await Promise.race([this.#gpu.lost, promise]);
    clearTimeout(timer);
    this.#faults.add(what);
  }

  /** Takes note that the device is of no more use. The first reason stays. */
  lose(why: string): void {
    this.#lost ||= why;
  }

  /** Says whether anything went wrong so far; costs next to nothing. */
  check(): void {
    const told = this.#lost || this.#memory || [...this.#faults].join("\n");
    if (told !== "") throw new DeviceError(`The GPU reported: ${told}`);
  }

  #keep(error: GPUError, name: string, asked = ""): void {
    if (error instanceof GPUOutOfMemoryError) {
      const held = asked || `, besides ${this.#held.bytes} bytes in ${this.#held.buffers} buffers`;
      this.#memory ||= `out of memory for ${name || "work under way"}${held}: ` +
        "take smaller batches or a smaller network, or end other programs that use the GPU";
    } else if (this.#faults.size < MAX_FAULTS && !(this.#faults.size > 0 && / is invalid$/.test(error.message))) {
      // What uses something that was reported is reported as invalid in its turn.
      this.#faults.add(name ? `${name}: ${error.message.trim()}` : error.message.trim());
    }
  }
}

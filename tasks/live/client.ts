/** One page that listens: a stream of server-sent events that holds one event at most, and is dropped where nobody reads. */

import type { Cursor } from "./history.ts";

/** A page's stream. */
export class LiveClient {
  /** What the page reads. */
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** What it was sent. */
  cursor: Cursor | undefined;
  /** Whether there is something that it has not been sent. */
  isBehind = false;
  #controller!: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  #sentAt = performance.now();
  #isOpen = true;
  readonly #patience: number;

  constructor(onGone: () => void, patience: number) {
    this.#patience = patience;
    this.body = new ReadableStream({
      start: (controller) => void (this.#controller = controller),
      cancel: () => {
        this.#isOpen = false;
        onGone();
      },
    }, { highWaterMark: 1 });
  }

  /** Whether what was sent last is on its way, so that more can be sent. */
  get isReady(): boolean {
    return this.#isOpen && this.#controller.desiredSize! > 0;
  }

  /** Whether it has not read for so long that nobody will. */
  get isStalled(): boolean {
    return !this.isReady && performance.now() - this.#sentAt > this.#patience;
  }

  /** Sends an event, whether or not the last one was read. */
  send(name: string, data: unknown): void {
    if (!this.#isOpen) return;
    this.#controller.enqueue(new TextEncoder().encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`));
    this.#sentAt = performance.now();
  }

  /** Ends the stream behind what was sent. */
  close(): void {
    if (this.#isOpen) this.#controller.close();
    this.#isOpen = false;
  }
}

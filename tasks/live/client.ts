/** A page that listens: a stream of server-sent events with one unread event at most, which is given up if nobody reads. */

import type { Cursor } from "./history.ts";

export class LiveClient {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  cursor: Cursor | undefined;
  /** Whether there is news for it. */
  isBehind = false;
  #controller!: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  #isOpen = true;

  constructor(onGone: () => void) {
    this.body = new ReadableStream({
      start: (controller) => void (this.#controller = controller),
      cancel: () => {
        this.#isOpen = false;
        onGone();
      },
    }, { highWaterMark: 1 });
  }

  /** Whether the last event was read, so that another can be sent. */
  get isReady(): boolean {
    return this.#isOpen && this.#controller.desiredSize! > 0;
  }

  /** Sends an event, even if the last one was not read. */
  send(name: string, data: unknown): void {
    if (!this.#isOpen) return;
    this.#controller.enqueue(new TextEncoder().encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`));
  }

  /** Ends the stream after what was sent. */
  close(): void {
    if (this.#isOpen) this.#controller.close();
    this.#isOpen = false;
  }
}

/**
 * Signals while training. The first Ctrl-C or SIGTERM ends the run after the current step, a second one ends it at once. A
 * hang-up, as of a dropped ssh connection, ends it after the step however often it comes: the terminal and the shell in it
 * send one each, and nobody knows how long apart.
 */

import type { RunControl } from "../show/view.ts";

/** Exit codes, by signal: 128 and its number. */
const CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Milliseconds in which signals count as one. A terminal sends Ctrl-C to all its processes, and some of those that started
 * this one send it on.
 */
const ECHO = 500;

export class StopSignal implements RunControl, Disposable {
  /** The exit code, once the process was asked to end. */
  code: number | undefined;
  #listeners: [Deno.Signal, () => void][] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tell: (() => void) | undefined;

  /** Ends the run also when a promise resolves. */
  constructor(end?: Promise<void>) {
    end?.then(() => this.#ask(CODES.SIGTERM));
    for (const [signal, code] of Object.entries(CODES) as [Deno.Signal, number][]) {
      if (Deno.build.os === "windows" && signal !== "SIGINT") continue; // it knows no other
      const listener = () => this.#ask(code);
      Deno.addSignalListener(signal, listener);
      this.#listeners.push([signal, listener]);
    }
  }

  get isAsking(): boolean {
    return this.code !== undefined;
  }

  attend(): Promise<number | undefined> {
    return Promise.resolve(this.code);
  }

  /** Notes that the run is over and its files are being written: a signal is now answered by this. */
  end(tell: () => void): void {
    if (this.isAsking) tell();
    else this.#tell = tell;
  }

  /** Lets signals end the process at once again. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#forget(() => true);
  }

  #forget(isMeant: (signal: Deno.Signal) => boolean): void {
    for (const [signal, listener] of this.#listeners) if (isMeant(signal)) Deno.removeSignalListener(signal, listener);
    this.#listeners = this.#listeners.filter(([signal]) => !isMeant(signal));
  }

  #ask(code: number): void {
    if (this.code !== undefined) return;
    this.code = code;
    this.#tell?.();
    // Then the system ends the process, even if a step on a software adapter keeps this thread busy.
    this.#timer = setTimeout(() => this.#forget((signal) => signal !== "SIGHUP"), ECHO);
    Deno.unrefTimer(this.#timer);
  }
}

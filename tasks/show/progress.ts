/** Progress on stderr: a bar that is redrawn in place on a terminal, a plain line every few seconds elsewhere. */

import { type Screen, stderrScreen } from "./screen.ts";
import { cut } from "./text_table.ts";

/** Milliseconds between two drawings of the bar. */
const BAR_INTERVAL = 100;

/** Milliseconds between two plain lines. */
const LINE_INTERVAL = 5_000;

/** Milliseconds of compiling kernels until a line tells of it. */
export const COMPILING_PATIENCE = 2_000;

const BAR = 30;

/** Shows how far a job has come. With `using`, the bar disappears when the job ends. */
export class Progress {
  readonly #label: string;
  readonly #screen: Screen;
  readonly #interval: number;
  #last: number;
  #isDrawn = false;

  /**
   * Begins a job.
   *
   * @param patience Milliseconds until the first plain line: a job that ends sooner prints none.
   */
  constructor(label: string, screen: Screen = stderrScreen(), patience = LINE_INTERVAL) {
    this.#label = label;
    this.#screen = screen;
    this.#interval = screen.isTerminal ? BAR_INTERVAL : LINE_INTERVAL;
    this.#last = screen.now() - (screen.isTerminal ? 0 : LINE_INTERVAL - patience);
  }

  /** Draws, unless it has just done so. */
  update(done: number, total: number, note: string = ""): void {
    const now = this.#screen.now();
    if (now - this.#last < this.#interval) return;
    this.#last = now;
    const share = total > 0 ? Math.min(done / total, 1) : 1;
    const percent = `${Math.floor(share * 100)}%`.padStart(4);
    if (!this.#screen.isTerminal) {
      this.#screen.write(`${this.#label}${percent} ${note}`.trimEnd() + "\n");
      return;
    }
    this.#screen.write(`\r\x1b[K${this.#line(share, percent, note)}`);
    this.#isDrawn = true;
  }

  /** Erases the bar, so that a line can be printed; the next update draws it again. */
  clear(): void {
    if (this.#isDrawn) this.#screen.write("\r\x1b[K");
    this.#isDrawn = false;
  }

  [Symbol.dispose](): void {
    this.clear();
  }

  /** A line that is never broken: what is on a second line could not be erased. */
  #line(share: number, percent: string, note: string): string {
    const columns = (this.#screen.size?.().columns ?? Infinity) - 1;
    const rest = this.#label.length + percent.length + note.length + 4;
    const bar = Math.min(Math.max(columns - rest, 0), BAR);
    const filled = Math.round(share * bar);
    const drawn = bar < 5 ? "" : ` [${"#".repeat(filled)}${"-".repeat(bar - filled)}]`;
    return cut(`${this.#label}${drawn}${percent} ${note}`, columns);
  }
}

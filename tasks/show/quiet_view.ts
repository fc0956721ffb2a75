/** A run that is not looked at: only what is wrong, or needs somebody, on stderr. */

import { Progress } from "./progress.ts";
import { NO_SCREEN } from "./screen.ts";
import type { View } from "./view.ts";

/** Prints warnings, and where a run that was stopped can be taken up. */
export class QuietView implements View {
  readonly #warn: (text: string) => void;

  constructor(warn: (text: string) => void = console.error) {
    this.#warn = warn;
  }

  job(label: string): Progress {
    return new Progress(label, NO_SCREEN);
  }

  warning(text: string): void {
    this.#warn(text);
  }

  stopped(_: unknown, text: string): void {
    this.#warn(text);
  }

  begin(): void {}
  progress(): void {}
  epoch(): void {}
  note(): void {}
  end(): void {}
  summary(): void {}
}

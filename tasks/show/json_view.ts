/** A run as JSON for other programs: stdout gets one object a line, and nothing else. */

import { printable } from "../../lib/base/printable.ts";
import { printLine } from "../settings/lines.ts";
import { Progress } from "./progress.ts";
import { NO_SCREEN } from "./screen.ts";
import type { EpochLine, RunFacts, RunStop, RunSummary, RunView } from "./view.ts";

/** Prints what happens; `event` says what a line is. */
export class JsonView implements RunView {
  readonly #print: (line: string) => void;

  constructor(print: (line: string) => void = printLine) {
    this.#print = print;
  }

  job(label: string): Progress {
    return new Progress(label, NO_SCREEN);
  }

  begin(facts: RunFacts): void {
    this.#tell("begin", facts);
  }

  progress(): void {}

  epoch(line: EpochLine, seconds: number): void {
    this.#tell("epoch", { ...line, seconds });
  }

  warning(text: string): void {
    this.#tell("warning", { text: text.replaceAll(/^warning: /gm, "") });
  }

  note(text: string): void {
    this.#tell("note", { text });
  }

  end(): void {}

  summary(summary: RunSummary): void {
    this.#tell("summary", summary);
  }

  stopped(stop: RunStop): void {
    this.#tell("stopped", stop);
  }

  #tell(event: string, value: object): void {
    this.#print(printable(JSON.stringify({ event, ...value }))); // it may still end up on a terminal
  }
}

/**
 * A run on a terminal: lines that stay, and below them a picture that is redrawn in place. Between two drawings the cursor
 * rests on the empty line above the picture. So other output (the ^C of a terminal, the prompt after a kill) stays readable,
 * and erasing from there to the end of the screen is right even if a terminal that became narrower has broken the lines
 * below. The cursor is never hidden, so nothing has to bring it back.
 */

import { printable } from "../../lib/base/printable.ts";
import { Pace } from "./pace.ts";
import { curvesOf, type Line, linesOf } from "./picture.ts";
import { PlainView } from "./plain_view.ts";
import { Curve } from "./sparkline.ts";
import type { EpochLine, RunFacts } from "./view.ts";

/** Least milliseconds between two drawings. */
const INTERVAL = 100;

/** Milliseconds after which it is drawn again even without a step: the terminal may have another size. */
const IDLE_INTERVAL = 250;

/** Warnings below the picture; earlier ones stand above it. */
const MAX_WARNINGS = 3;

/** Colours by kind of line. */
const COLORS: Record<Line["kind"], string> = { head: "1", bar: "32", train: "36", validation: "35", warning: "33" };

const ERASE = "\r\x1b[J";

export class TerminalView extends PlainView {
  readonly #pace = new Pace();
  readonly #train = new Curve();
  readonly #validation = new Curve();
  #step = 0;
  #loss: number | undefined;
  #warnings: string[] = [];
  /** Prints what is to stay, above the next drawing. */
  #lines: (() => void)[] = [];
  #isDrawn = false;
  #last = -Infinity;
  #timer: ReturnType<typeof setInterval> | undefined;

  override begin(facts: RunFacts): void {
    super.begin(facts);
    this.#step = facts.firstStep;
    this.#timer = setInterval(() => this.#draw(), IDLE_INTERVAL);
  }

  override progress(step: number, loss?: number): void {
    this.#step = step;
    this.#loss = loss;
    this.#pace.mark(step, this.screen.now());
    this.noteFirstSteps();
    this.#draw();
  }

  override epoch(line: EpochLine, seconds: number, isLast: boolean): void {
    this.#train.push(line.trainLoss);
    if (line.valLoss !== null) this.#validation.push(line.valLoss);
    super.epoch(line, seconds, isLast);
  }

  override warning(text: string): void {
    this.#warnings.push(printable(text, "\n"));
    while (this.#warnings.length > (this.facts ? MAX_WARNINGS : 0)) this.#writeWarning();
    this.#draw();
  }

  override note(text: string): void {
    this.#keep(() => this.print(text));
  }

  override end(): void {
    clearInterval(this.#timer);
    if (!this.facts) return;
    const { columns } = this.#size();
    this.#erase();
    this.facts = undefined;
    this.#flush();
    for (const line of curvesOf({ train: this.#train, validation: this.#validation }, columns)) {
      this.screen.write(`${this.#colored(line)}\n`);
    }
    while (this.#warnings.length > 0) this.#writeWarning();
  }

  /** Moves the earliest of the warnings below the picture above it. */
  #writeWarning(): void {
    const text = this.#warnings.shift()!;
    this.#keep(() => this.screen.write(`${this.#colored({ text, kind: "warning" })}\n`));
  }

  /** Prints something above the picture, with its next drawing. */
  #keep(print: () => void): void {
    if (!this.facts) return print();
    this.#lines.push(print);
    this.#draw();
  }

  #draw(): void {
    const now = this.screen.now();
    const { facts } = this;
    if (!facts || now - this.#last < INTERVAL) return;
    this.#last = now;
    if (this.#lines.length > 0) this.#erase();
    this.#flush();
    const { columns, rows } = this.#size();
    const picture = {
      facts,
      step: this.#step,
      loss: this.#loss,
      stepsPerSecond: this.#pace.stepsPerSecond,
      secondsLeft: this.#pace.secondsUntil(facts.epochs * facts.stepsPerEpoch),
      train: this.#train,
      validation: this.#validation,
      warnings: this.#warnings,
    };
    const lines = linesOf(picture, columns, rows - 2);
    // One write, so that nothing comes between. If the terminal has just become narrower, lines are cut, not broken.
    const drawing = lines.map((line) => `\n${this.#colored(line)}`).join("");
    this.screen.write(`${ERASE}\x1b[?7l${drawing}\x1b[?7h\r${lines.length > 0 ? `\x1b[${lines.length}A` : ""}`);
    this.#isDrawn = true;
  }

  #erase(): void {
    if (this.#isDrawn) this.screen.write(ERASE);
    this.#isDrawn = false;
  }

  #flush(): void {
    for (const print of this.#lines.splice(0)) print();
  }

  /** The size of the terminal without its last column: terminals differ in what a full line does. */
  #size(): { columns: number; rows: number } {
    const { columns, rows } = this.screen.size?.() ?? { columns: 80, rows: 24 };
    return { columns: columns - 1, rows };
  }

  #colored({ text, kind }: Line): string {
    return this.screen.hasColor ? `\x1b[${COLORS[kind]}m${text}\x1b[0m` : text;
  }
}

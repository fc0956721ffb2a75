/**
 * A run on a terminal: epochs as lines that stay, and beneath them a picture that is redrawn in place. Between two drawings
 * the cursor rests on the empty line above the picture. Whatever else is written there (the ^C of a terminal, the prompt
 * after a kill) stays readable, and erasing from there to the end of the screen is right however a terminal that was made
 * narrower has broken the lines beneath. The cursor is never hidden, so nobody has to bring it back.
 */

import { printable } from "../../lib/base/printable.ts";
import { Pace } from "./pace.ts";
import { curvesOf, type Line, linesOf } from "./picture.ts";
import { firstStepsNote, isShownEpoch } from "./plain_view.ts";
import { Progress } from "./progress.ts";
import type { Screen } from "./screen.ts";
import { Curve } from "./sparkline.ts";
import type { RunFacts } from "./spectator.ts";
import { type EpochLine, formatEpoch } from "./train_report.ts";
import type { RunSummary, View } from "./view.ts";

/** Milliseconds between two drawings at least. */
const INTERVAL = 100;

/** Milliseconds after which it is drawn again though no step was done: the terminal may have another size. */
const IDLE_INTERVAL = 250;

/** Warnings beneath the picture; earlier ones stand above it. */
const MAX_WARNINGS = 3;

/** Colours by kind of line. */
const COLORS: Record<Line["kind"], string> = { head: "1", bar: "32", train: "36", validation: "35", warning: "33" };

const ERASE = "\r\x1b[J";

/** Draws what happens. */
export class TerminalView implements View {
  readonly #screen: Screen;
  readonly #print: (text: string) => void;
  readonly #pace = new Pace();
  readonly #train = new Curve();
  readonly #validation = new Curve();
  /** While a run trains. */
  #facts: RunFacts | undefined;
  #step = 0;
  #loss: number | undefined;
  #hasStepped = false;
  #warnings: string[] = [];
  /** Prints what is to stay, above the next drawing. */
  #lines: (() => void)[] = [];
  #isDrawn = false;
  #last = -Infinity;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(screen: Screen, print: (text: string) => void = console.log) {
    this.#screen = screen;
    this.#print = print;
  }

  job(label: string): Progress {
    return new Progress(label, this.#screen);
  }

  begin(facts: RunFacts): void {
    this.#facts = facts;
    this.#step = facts.firstStep;
    this.#timer = setInterval(() => this.#draw(), IDLE_INTERVAL);
  }

  progress(step: number, loss?: number): void {
    this.#step = step;
    this.#loss = loss;
    this.#pace.mark(step, this.#screen.now());
    if (!this.#hasStepped && this.#facts?.firstStep === 0) this.note(firstStepsNote());
    this.#hasStepped = true;
    this.#draw();
  }

  epoch(line: EpochLine, seconds: number, isLast: boolean): void {
    this.#train.push(line.trainLoss);
    if (line.valLoss !== null) this.#validation.push(line.valLoss);
    const { epochs } = this.#facts!;
    if (isShownEpoch(line.epoch, epochs, isLast)) this.note(formatEpoch(line, epochs, seconds));
  }

  warning(text: string): void {
    this.#warnings.push(printable(text, "\n"));
    while (this.#warnings.length > (this.#facts ? MAX_WARNINGS : 0)) this.#tellWarning();
    this.#draw();
  }

  note(text: string): void {
    this.#keep(() => this.#print(text));
  }

  end(): void {
    clearInterval(this.#timer);
    if (!this.#facts) return;
    const [columns] = this.#size();
    this.#erase();
    this.#facts = undefined;
    this.#flush();
    for (const line of curvesOf({ train: this.#train, validation: this.#validation }, columns)) {
      this.#screen.write(`${this.#colored(line)}\n`);
    }
    while (this.#warnings.length > 0) this.#tellWarning();
  }

  summary(_: RunSummary, text: string): void {
    this.note(text);
  }

  stopped(_: unknown, text: string): void {
    this.note(text);
  }

  /** Tells the earliest of the warnings beneath the picture above it. */
  #tellWarning(): void {
    const text = this.#warnings.shift()!;
    this.#keep(() => this.#screen.write(`${this.#colored({ text, kind: "warning" })}\n`));
  }

  /** Prints something above the picture, with its next drawing. */
  #keep(print: () => void): void {
    if (!this.#facts) return print();
    this.#lines.push(print);
    this.#draw();
  }

  #draw(): void {
    const now = this.#screen.now();
    if (!this.#facts || now - this.#last < INTERVAL) return;
    this.#last = now;
    if (this.#lines.length > 0) this.#erase();
    this.#flush();
    const [columns, rows] = this.#size();
    const facts = this.#facts;
    const { stepsPerSecond } = this.#pace;
    const secondsLeft = this.#pace.secondsUntil(facts.epochs * facts.stepsPerEpoch);
    const seen = {
      step: this.#step,
      loss: this.#loss,
      train: this.#train,
      validation: this.#validation,
      warnings: this.#warnings,
    };
    const lines = linesOf({ facts, stepsPerSecond, secondsLeft, ...seen }, columns, rows - 2);
    // One write, so that nothing comes between; lines are cut rather than broken where it has become narrower just now.
    const drawing = lines.map((line) => `\n${this.#colored(line)}`).join("");
    this.#screen.write(`${ERASE}\x1b[?7l${drawing}\x1b[?7h\r${lines.length > 0 ? `\x1b[${lines.length}A` : ""}`);
    this.#isDrawn = true;
  }

  #erase(): void {
    if (this.#isDrawn) this.#screen.write(ERASE);
    this.#isDrawn = false;
  }

  #flush(): void {
    for (const print of this.#lines.splice(0)) print();
  }

  /** Columns and rows; the last column stays free, as terminals differ in what a full line does. */
  #size(): [number, number] {
    const { columns, rows } = this.#screen.size?.() ?? { columns: 80, rows: 24 };
    return [columns - 1, rows];
  }

  #colored({ text, kind }: Line): string {
    return this.#screen.hasColor ? `\x1b[${COLORS[kind]}m${text}\x1b[0m` : text;
  }
}

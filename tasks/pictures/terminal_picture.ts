/** The screen of a terminal as a picture: its text stays text, its bars and blocks are drawn, so that no font breaks them. */

import { escaped } from "../charts/html.ts";
// deno-lint-ignore no-import-prefix -- in deno.json or deno.lock every task would download it
import xterm from "npm:@xterm/headless@6.0.0";
import type { TerminalSize } from "../bench/processes.ts";

/** Pixels of a character, and around them all. */
const WIDTH = 8.4;
const HEIGHT = 18;
const MARGIN = 16;

/** The eight colours of a terminal, and its own. */
const PALETTE = ["#6e7681", "#ff7b72", "#7ee787", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#f0f6fc"];
const INK = "#d0d7de";
const PAPER = "#0d1117";

/** Neighbouring characters of one look. */
interface Span {
  column: number;
  text: string;
  color: string;
  bold: boolean;
}

export class TerminalScreen {
  readonly #terminal: xterm.Terminal;
  readonly #size: TerminalSize;

  constructor(size: TerminalSize) {
    const { columns: cols, rows } = size;
    this.#terminal = new xterm.Terminal({ cols, rows, allowProposedApi: true });
    this.#size = size;
  }

  /** Takes what a program prints; resolves when the screen shows it. */
  write(text: string): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(text, resolve));
  }

  /** What the screen shows as plain text, a line each. */
  get text(): string {
    return this.#lines().map((spans) => spans.map(({ text }) => text).join("")).join("\n");
  }

  toSvg(title: string): string {
    const lines = this.#lines();
    while (lines.at(-1)?.every(({ text }) => text.trim() === "")) lines.pop();
    const [width, height] = [this.#size.columns * WIDTH, lines.length * HEIGHT].map((size) => size + 2 * MARGIN);
    const body = lines.flatMap((spans, row) => spans.map((span) => drawSpan(span, row)));
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img"` +
      ` font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14">`,
      `<title>${escaped(title)}</title>`,
      `<rect width="${width}" height="${height}" rx="8" fill="${PAPER}"/>`,
      ...body.filter((element) => element !== ""),
      "</svg>\n",
    ].join("\n");
  }

  #lines(): Span[][] {
    const { active } = this.#terminal.buffer;
    const lines: Span[][] = [];
    for (let row = 0; row < this.#size.rows; row++) {
      const line = active.getLine(active.viewportY + row);
      const spans: Span[] = [];
      for (let column = 0; column < this.#size.columns; column++) {
        const cell = line?.getCell(column);
        const color = cell?.isFgPalette() ? PALETTE[cell.getFgColor() % PALETTE.length] : INK;
        const bold = cell?.isBold() !== 0;
        const text = cell?.getChars() || " ";
        const last = spans.at(-1);
        if (last?.color === color && last.bold === bold) last.text += text;
        else spans.push({ column, text, color, bold });
      }
      lines.push(spans);
    }
    return lines;
  }
}

/** Blocks as rectangles, the rest as text of fixed width. */
function drawSpan({ column, text, color, bold }: Span, row: number): string {
  const parts = text.match(/[▁-█]+|░+|[^▁-█░]+/g) ?? [];
  const drawn: string[] = [];
  let at = column;
  for (const part of parts) {
    const x = MARGIN + at * WIDTH;
    const y = MARGIN + row * HEIGHT;
    if (/[▁-█]/.test(part)) drawn.push(drawBars(part, x, y, color));
    else if (part[0] === "░") drawn.push(rectangle(x, y, part.length, 1, `${color}" fill-opacity="0.25`));
    else drawn.push(drawText(part, x, y, color, bold));
    at += part.length;
  }
  return drawn.join("");
}

function drawText(text: string, x: number, y: number, color: string, bold: boolean): string {
  const words = text.trim();
  const start = x + (text.length - text.trimStart().length) * WIDTH;
  if (words === "") return "";
  const weight = bold ? ' font-weight="bold"' : "";
  return `<text x="${round(start)}" y="${y + 13}" fill="${color}"${weight} textLength="${
    round(words.length * WIDTH)
  }"` +
    ` lengthAdjust="spacingAndGlyphs">${escaped(words).replaceAll(" ", "\u00a0")}</text>`; // two spaces would become one
}

/** Neighbours of one height are one rectangle. */
function drawBars(bars: string, x: number, y: number, color: string): string {
  let at = 0;
  return [...bars.matchAll(/(.)\1*/g)].map(([run, bar]) => {
    const height = (bar.charCodeAt(0) - "▁".charCodeAt(0) + 1) / 8;
    at += run.length;
    return rectangle(x + (at - run.length) * WIDTH, y, run.length, height, color);
  }).join("");
}

function rectangle(x: number, y: number, columns: number, height: number, fill: string): string {
  const tall = (HEIGHT - 4) * height;
  return `<rect x="${round(x)}" y="${round(y + HEIGHT - 3 - tall)}" width="${round(columns * WIDTH)}"` +
    ` height="${round(tall)}" fill="${fill}"/>`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

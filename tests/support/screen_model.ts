/** A small terminal: it interprets what a program writes, so that tests can look at what its user sees. */

import { unicodeWidth } from "@std/cli/unicode-width";

/** A row of the screen, and whether the next one goes on with its text. */
interface Row {
  cells: string[];
  isBroken: boolean;
}

/** What a program tells a terminal by an escape sequence: `CSI ? 7 h`, `OSC 0 ; text BEL`. */
// deno-lint-ignore no-control-regex -- that is what it is about
const TOKEN = /\x1b\[([?]?)([\d;]*)([A-Za-z])|\x1b\]0;([^\x07]*)\x07|[\s\S]/gu;

/** A screen with all that scrolled off it. */
export class ScreenModel {
  /** Rows from the first that was ever written. */
  #rows: Row[] = [newRow()];
  #row = 0;
  #column = 0;
  /** The first row that has not scrolled off. */
  #top = 0;
  #wraps = true;
  /** Whether the cursor is shown. */
  isCursorVisible = true;
  /** Whether any text was coloured. */
  hasColor = false;

  /** `reflows`: whether lines are broken anew when it becomes narrower, as most terminals do; xterm cuts them. */
  constructor(public columns: number, public height: number, readonly reflows = true) {}

  /** Interprets a text; a title `size=40x24` changes the size, as a user does by its frame. */
  write(text: string): this {
    for (const [token, mode, numbers, code, title] of text.matchAll(TOKEN)) {
      if (title !== undefined) this.#obey(title);
      else if (code !== undefined) this.#escape(mode, numbers, code);
      else if (token === "\r") this.#column = 0;
      else if (token === "\n") this.#down();
      else if (token < " " || token === "\x1b") throw new Error(`unknown control ${JSON.stringify(token)}`);
      else this.#put(token);
    }
    return this;
  }

  /** Gives it another size. Whatever has to move, the cursor stays at its character. */
  resize(columns: number, height: number): void {
    if (this.reflows && columns !== this.columns) this.#reflow(columns);
    else for (const row of this.#rows) row.cells.length = Math.min(row.cells.length, columns);
    this.columns = columns;
    this.height = height;
    this.#column = Math.min(this.#column, columns - 1);
    this.#top = Math.max(Math.min(this.#rows.length - height, this.#row), 0); // rows under the cursor give way first
  }

  /** All lines from the first on, those that were broken whole again, without spaces at their ends. */
  get lines(): string[] {
    return linesOf(this.#rows);
  }

  /** The lines from the cursor's row on. */
  get linesAtCursor(): string[] {
    return linesOf(this.#rows.slice(this.#row));
  }

  /** From the first row that was ever written. */
  get cursor(): [row: number, column: number] {
    return [this.#row, this.#column];
  }

  #put(character: string): void {
    const width = unicodeWidth(character);
    if (width === 0) return;
    if (this.#column + width > this.columns) {
      if (this.#wraps) {
        this.#rows[this.#row].isBroken = true;
        this.#down();
        this.#column = 0;
      } else this.#column = this.columns - width;
    }
    const { cells } = this.#rows[this.#row];
    while (cells.length < this.#column) cells.push(" ");
    cells.splice(this.#column, width, character, ...Array(width - 1).fill(""));
    this.#column += width;
  }

  #down(): void {
    if (++this.#row === this.#rows.length) this.#rows.push(newRow());
    this.#top = Math.max(this.#top, this.#row - this.height + 1);
  }

  #escape(mode: string, numbers: string, code: string): void {
    const count = Number(numbers || 0);
    const row = this.#rows[this.#row];
    if (mode === "?" && numbers === "7") this.#wraps = code === "h";
    else if (mode === "?" && numbers === "25") this.isCursorVisible = code === "h";
    else if (code === "m") this.hasColor = true;
    else if (code === "A") this.#row = Math.max(this.#row - Math.max(count, 1), this.#top);
    else if (code === "G") this.#column = Math.max(count - 1, 0);
    else if (code === "K" && count === 2) row.cells = [];
    else if (code === "K" || code === "J") {
      row.cells.length = Math.min(row.cells.length, this.#column);
      row.isBroken = false;
      if (code === "J") this.#rows.length = this.#row + 1;
    } else throw new Error(`unknown escape sequence ${mode}${numbers}${code}`);
  }

  #obey(title: string): void {
    const size = title.match(/^size=(\d+)x(\d+)$/);
    if (size) this.resize(Number(size[1]), Number(size[2]));
  }

  #reflow(columns: number): void {
    const rows: Row[] = [];
    const old = this.#rows;
    const at = this.#row;
    const line: string[] = [];
    let cursor: number | undefined;
    old.forEach((row, i) => {
      if (i === at) cursor = line.length + this.#column;
      line.push(...row.cells);
      if (row.isBroken) return;
      const first = rows.length;
      do rows.push({ cells: line.splice(0, columns), isBroken: line.length > 0 }); while (line.length > 0);
      if (cursor === undefined) return;
      this.#row = Math.min(first + Math.floor(cursor / columns), rows.length - 1);
      this.#column = cursor % columns;
      cursor = undefined;
    });
    this.#rows = rows;
  }
}

function linesOf(rows: readonly Row[]): string[] {
  const lines: string[] = [];
  rows.forEach(({ cells }, i) => {
    const text = cells.join("");
    if (i > 0 && rows[i - 1].isBroken) lines.push(lines.pop()! + text);
    else lines.push(text);
  });
  return lines.map((line) => line.trimEnd());
}

function newRow(): Row {
  return { cells: [], isBroken: false };
}

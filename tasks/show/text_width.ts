/** Texts as wide as a terminal shows them: some characters take two columns, some none. */

import { unicodeWidth } from "@std/cli/unicode-width";

/** Cuts a text to a width. */
export function cut(text: string, columns: number): string {
  return unicodeWidth(text) <= columns ? text : columns < 1 ? "" : `${headOf(text, columns - 1)}…`;
}

/** Breaks lines that are too wide, between words where that can be; what goes on is indented. */
export function wrap(text: string, columns: number): string[] {
  return text.split("\n").flatMap((line) => {
    const lines: string[] = [];
    let rest = line;
    while (unicodeWidth(rest) > columns) {
      const head = headOf(rest, columns);
      const space = head.trimStart().length > 0 ? head.lastIndexOf(" ") : -1;
      const isNext = rest[head.length] === " ";
      const taken = isNext || space < columns / 2 ? head.length : space;
      lines.push(rest.slice(0, taken).trimEnd());
      rest = `  ${rest.slice(taken).trimStart()}`;
    }
    return [...lines, rest];
  });
}

/** As much of a text as fits. */
function headOf(text: string, columns: number): string {
  let head = "";
  let width = 0;
  for (const character of text) {
    width += unicodeWidth(character);
    if (width > columns) break;
    head += character;
  }
  return head;
}

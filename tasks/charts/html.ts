/** HTML from templates: values are escaped, unless they are HTML already. */

/** Text that is HTML already. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A value in a template; lists are joined. */
export type Part = string | number | Html | undefined | false | readonly Part[];

/** The characters that mean something in HTML. */
const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A template whose values are escaped; the indentation of the source is left out. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const fixed = strings.map((text) => text.replaceAll(/\n\s*/g, "\n"));
  return new Html(fixed.map((text, i) => i === 0 ? text.trimStart() : textOf(parts[i - 1]) + text).join(""));
}

function textOf(part: Part): string {
  if (part instanceof Html) return part.text;
  if (part === undefined || part === false) return "";
  if (typeof part === "object") return part.map(textOf).join("");
  return escaped(`${part}`);
}

/** A text for HTML and XML, also in quotes. */
export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (mark) => ESCAPES[mark]);
}

/** Rows that a table of a long list shows: its first and its last. */
export const MOST_ROWS = 24;

interface TableOptions<T> {
  readonly caption: string;
  readonly header: readonly string[];
  readonly list: readonly T[];
  /** The cells of an item; the first one names it. */
  readonly row: (item: T) => readonly Part[];
  /** Leading columns of words; the others are numbers. */
  readonly words?: number;
  /** The most rows; a longer list loses its middle. */
  readonly most?: number;
  /** Where the other rows are. */
  readonly rest?: string;
}

/** A table that a screen reader can read: caption, headers with their scope. It scrolls if it is too wide. */
export function table<T>(
  { caption, header, list, row, words = 1, most = Infinity, rest }: TableOptions<T>,
): Html {
  const isLong = list.length > most;
  const head = isLong ? Math.ceil(most / 2) : list.length;
  const line = (item: T) =>
    html`<tr>${
      row(item).map((cell, i) =>
        i === 0
          ? html`
            <th scope="row" ${words === 0 && NUMBER}>${cell}</th>
          `
          : html`<td${i < words && WORD}>${cell}</td>`
      )
    }</tr>`;
  const gap = isLong &&
    html`
      <tr class="gap">
        <td colspan="${header.length}">… ${list.length - most} more rows${rest && `: ${rest}`} …</td>
      </tr>
    `;
  return html`
    <div class="table" tabindex="0" role="region" aria-label="${caption}">
      <table>
        <caption>${caption}</caption>
        <thead>
          <tr>${header.map((name, i) =>
            html`
              <th scope="col" ${i < words && WORD}>${name}</th>
            `
          )}</tr>
        </thead>
        <tbody>
    ${list.slice(0, head).map(line)}${gap}${isLong && list.slice(list.length - (most - head)).map(line)}</tbody>
      </table>
    </div>
  `;
}

const WORD = new Html(' class="word"');
const NUMBER = new Html(' class="number"');

/** A number as tables show it. */
export function number(value: unknown): string {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    return value === null || value === undefined ? "–" : `${value}`;
  }
  if (Number.isInteger(value) && Math.abs(value) < 1e15) {
    return value.toLocaleString("en-US").replaceAll(",", "\u202f").replace("-", "−");
  }
  const size = Math.abs(value);
  return (size >= 1e6 || size < 1e-4 ? value.toExponential(3) : `${Number(value.toPrecision(5))}`).replaceAll("-", "−");
}

/** HTML from templates: what is put in is escaped, unless it is HTML already. */

/** HTML that may stand as it is. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a template takes; nothing and lists are fine. */
export type Part = string | number | Html | undefined | false | readonly Part[];

/** The characters that mean something in HTML, text and attributes alike. */
const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A template whose parts are escaped. How it is set in the source is left out: of each break with its blanks, a break stays. */
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

/** A text as it stands in HTML and in XML, also in quotes. */
export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (mark) => ESCAPES[mark]);
}

/** A table. */
export interface TableOptions {
  readonly caption: string;
  readonly header: readonly string[];
  /** The first cell of each row names it. */
  readonly rows: readonly (readonly Part[])[];
  /** How many there are, where `rows` has only the first and the last of them. */
  readonly total?: number;
  /** Leading columns of words; the others are numbers. */
  readonly words?: number;
  /** Rows at most; the middle of longer ones is left out. */
  readonly most?: number;
  /** Where the rest is. */
  readonly rest?: string;
}

/** A table that a screen reader can go through: caption, headers with their scope. It scrolls where it is too wide. */
export function table(
  { caption, header, rows, total = rows.length, words = 1, most = Infinity, rest }: TableOptions,
): Html {
  const isLong = total > most;
  const head = isLong ? Math.ceil(most / 2) : rows.length;
  const line = (cells: readonly Part[]) =>
    html`<tr>${
      cells.map((cell, i) =>
        i === 0
          ? html`
            <th scope="row" ${words === 0 && NUMBER}>${cell}</th>
          `
          : html`<td${i < words && WORD}>${cell}</td>`
      )
    }</tr>`;
  const skipped = total - most;
  const gap = isLong &&
    html`
      <tr class="gap">
        <td colspan="${header.length}">… ${skipped} more rows${rest && `: ${rest}`} …</td>
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
    ${rows.slice(0, head).map(line)}${gap}${isLong && rows.slice(rows.length - (most - head)).map(line)}</tbody>
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

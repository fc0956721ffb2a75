/**
 * JSON from files that may hold anything: it is parsed only if the result fits into memory.
 *
 * @module
 */

/** Most values of a text: each may take a hundred times the bytes of its text. */
const MAX_VALUES = 2_000_000;

/** Deepest nesting: a function that calls itself for each level stays far within the stack. */
const MAX_DEPTH = 100;

/** Options of {@linkcode parseBoundedJson}. */
interface BoundedJsonOptions {
  /** Most values; {@linkcode MAX_VALUES} if left out. */
  maxValues?: number;
  /** As of `JSON.parse`. */
  reviver?: (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown;
}

/**
 * Parses JSON, unless it has too many values or is nested too deep.
 *
 * @throws {SyntaxError} If it is no JSON, or too much of it.
 */
export function parseBoundedJson(text: string, options: BoundedJsonOptions = {}): unknown {
  const { maxValues = MAX_VALUES, reviver } = options;
  const marks = /["{}[\],]/g;
  let depth = 0;
  let values = 1;
  for (let mark = marks.exec(text); mark !== null; mark = marks.exec(text)) {
    if (mark[0] === '"') marks.lastIndex = endOfText(text, mark.index);
    else if (mark[0] === "}" || mark[0] === "]") depth--;
    else {
      values++;
      if (mark[0] !== ",") depth++;
      if (depth > MAX_DEPTH) throw new SyntaxError(`JSON nested deeper than ${MAX_DEPTH}`);
      if (values > maxValues) throw new SyntaxError(`JSON of more than ${maxValues} values`);
    }
  }
  return JSON.parse(text, reviver as Parameters<typeof JSON.parse>[1]);
}

/** The place after the quote that closes a text. A regular expression would need a stack as long as the text. */
export function endOfText(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end !== -1; end = json.indexOf('"', end + 1)) {
    let slash = end;
    while (json[slash - 1] === "\\") slash--;
    if ((end - slash) % 2 === 0) return end + 1;
  }
  return json.length;
}

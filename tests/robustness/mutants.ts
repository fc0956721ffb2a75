/** Mutants of a text: each operator of some of its functions flipped, one at a time. Kernels and TypeScript alike. */

/** A text with one operator flipped. */
export interface Mutant {
  /** The file, as from the project's folder. */
  readonly file: string;
  /** The file and the line, with the operator and what it became between ‹ and ›. */
  readonly name: string;
  /** The whole file's text. */
  readonly text: string;
}

/** A place in a text and what to put there. */
interface Flip {
  readonly start: number;
  readonly end: number;
  readonly to: string;
}

/** Operators that stand for each other. */
const PAIRS = "+ -, * /, += -=, *= /=, < >=, > <=, == !=, === !==, && ||, & |, << >>, ++ --, min max, true false"
  .split(", ").map((pair) => pair.split(" "));

const FLIPPED: ReadonlyMap<string, string> = new Map([
  ...PAIRS.map(([one, other]) => [one, other] as const),
  ...PAIRS.map(([one, other]) => [other, one] as const),
  ["%", "*"],
  ["**", "*"],
  ["??", "&&"],
  ["^", "|"],
]);

/** Formatted text has spaces around each binary operator, and around no bracket of a type. */
const BINARY = /(?<=\s)(?:[-+*/%<>&|^]|[-+*/<>]=|\*\*|[=!]==?|&&|\|\||\?\?|<<|>>)(?=\s)/g;
const WORDS = /\+\+|--|\b(?:min|max)(?=\()|\b(?:true|false)\b/g;
const UNARY = /(?<=[[(]|[,=?:*/+] |return )-(?=[\w(])|!(?=[\w(])/g;
const ARMS = /\bselect(?=\()|(?<=\s)\?(?=\s)/g;
const UNSEEN = /\/\*[\s\S]*?\*\/|\/\/.*|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`/g;
const OPEN = "([{";
const CLOSE = ")]}";

/** Every mutant of some functions of a formatted text: `Class.method` or `constant.property` where a name is there twice. */
export function mutantsOf(file: string, text: string, names: readonly string[]): Mutant[] {
  const seen = withoutRefusals(blank(text, UNSEEN));
  const regions = names.map((name) => regionOf(seen, name));
  const flips = regions.flatMap(([start, end]) => flipsOf(text, seen, start, end)).sort((a, b) => a.start - b.start);
  const times = new Map<string, number>();
  return flips.map(({ start, end, to }) => {
    const from = text.lastIndexOf("\n", start) + 1;
    const behind = text.indexOf("\n", end);
    const line = `${text.slice(from, start)}‹${text.slice(start, end)} → ${to}›${text.slice(end, behind)}`;
    const plain = `${file}: ${line.replaceAll(/\s+/g, " ").trim()}`;
    const time = (times.get(plain) ?? 0) + 1;
    times.set(plain, time);
    const name = time > 1 ? `${plain} (${time})` : plain;
    return { file, name, text: text.slice(0, start) + to + text.slice(end) };
  });
}

function flipsOf(text: string, seen: string, start: number, end: number): Flip[] {
  const found = (pattern: RegExp) => [...seen.slice(start, end).matchAll(pattern)];
  const place = ({ index, 0: { length } }: RegExpExecArray) => ({ start: start + index, end: start + index + length });
  return [
    ...[...found(BINARY), ...found(WORDS)].map((match) => ({ ...place(match), to: FLIPPED.get(match[0])! })),
    ...found(UNARY).map((match) => ({ ...place(match), to: "" })),
    ...found(ARMS).map((match) => (match[0] === "?" ? swapArms : swapArguments)(text, seen, place(match).end)),
  ];
}

/** Exchanges the first two arguments; `open` is the place of their bracket. */
function swapArguments(text: string, seen: string, open: number): Flip {
  const first = endOf(seen, open + 1, ",");
  const second = endOf(seen, first + 1, ",");
  const to = `${text.slice(first + 1, second).trim()}, ${text.slice(open + 1, first).trim()}`;
  return { start: open + 1, end: second, to };
}

/** Exchanges what stands between ? and :, and behind. */
function swapArms(text: string, seen: string, start: number): Flip {
  const colon = endOf(seen, start, ":");
  const end = endOf(seen, colon + 1, ",;");
  return { start, end, to: ` ${text.slice(colon + 1, end).trim()} : ${text.slice(start, colon).trim()}` };
}

/** The next of some characters outside all brackets that open behind `start`, or the bracket that closes around it. */
function endOf(text: string, start: number, characters: string): number {
  let depth = 0;
  let questions = 0;
  for (let i = start; i < text.length; i++) {
    if (OPEN.includes(text[i])) depth++;
    if (CLOSE.includes(text[i]) && --depth < 0) return i;
    if (depth === 0 && text.slice(i - 1, i + 2) === " ? ") questions++;
    if (depth === 0 && characters.includes(text[i]) && (text[i] !== ":" || questions-- === 0)) return i;
  }
  return text.length;
}

/** From the name to the end of what it names. */
function regionOf(text: string, name: string): [start: number, end: number] {
  const [outer, inner] = name.includes(".") ? name.split(".") : ["", name];
  const whole: [number, number] = outer ? regionOf(text, outer) : [0, text.length];
  const declared = new RegExp(`\\b(?:fn|function|const|class) ${inner}\\b|^\\s+${inner}(?=\\(|: \\()`, "m");
  const start = whole[0] + text.slice(...whole).search(declared);
  if (start < whole[0]) throw new RangeError(`There is no ${name}`);
  let depth = 0;
  for (let i = start; i < whole[1]; i++) {
    if (OPEN.includes(text[i])) depth++;
    if (CLOSE.includes(text[i]) && (--depth < 0 || depth === 0 && text[i] === "}")) return [start, i];
    if (depth === 0 && ",;".includes(text[i])) return [start, i];
  }
  return [start, whole[1]];
}

function blank(text: string, pattern: RegExp): string {
  return text.replaceAll(pattern, (found) => found.replaceAll(/[^\n]/g, "_"));
}

/** What refuses an argument computes no gradient: other tests hold the refusals. */
function withoutRefusals(text: string): string {
  let result = text;
  for (const { index } of text.matchAll(/\bif \(/g)) {
    const condition = endOf(text, index + 4, "");
    const body = text.slice(condition + 1).search(/\S/) + condition + 1;
    const end = text[body] === "{" ? endOf(text, body + 1, "") + 1 : endOf(text, body, ";");
    if (/\bthrow\b/.test(text.slice(body, end))) {
      result = result.slice(0, index) + blank(text.slice(index, end), /.+/g) + result.slice(end);
    }
  }
  return result;
}

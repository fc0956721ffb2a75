/**
 * Holds whatever "@std/..." stands for on this machine, the real packages or their stand-ins, to the behaviour that this
 * project counts on; so it passes with either.
 */
import { assert, assertAlmostEquals, assertEquals, AssertionError, assertMatch } from "@std/assert";
import { assertNotEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import * as cli from "@std/cli";
import { parseArgs } from "@std/cli/parse-args";
import { unicodeWidth } from "@std/cli/unicode-width";
import { parse, stringify } from "@std/csv";
import * as dotenv from "@std/dotenv";
import { parse as parseEnv } from "@std/dotenv/parse";
import { permitted } from "../../support/permitted.ts";

/** Runs what must fail, and holds the failure's message without leaning on the assertions under test. */
function mustFail(fn: () => unknown, start: string): void {
  try {
    fn();
  } catch (error) {
    if (error instanceof AssertionError && error.message.startsWith(start)) return;
    throw new Error(`Expected an AssertionError "${start}", got ${error}`);
  }
  throw new Error(`Expected an AssertionError "${start}"`);
}

Deno.test("assertEquals() compares deeply, with 0 equal to -0 and NaN to NaN", () => {
  assertEquals({ a: [1, { b: NaN }] }, { a: [1, { b: NaN }] });
  assertEquals(0, -0);
  assertEquals(new Float32Array([0, NaN]), new Float32Array([-0, NaN]));
  assertEquals(new Map([[1, [2]]]), new Map([[1, [2]]]));
  assertEquals(new Set(["a", "b"]), new Set(["b", "a"]));
  assertEquals(Object.assign(Object.create(null), { a: 1 }), { a: 1 });
  mustFail(() => assertEquals<unknown>({ a: undefined }, {}), "Values are not equal.\n");
  mustFail(() => assertEquals<unknown>(new Float32Array([1]), [1]), "Values are not equal.\n");
  mustFail(() => assertEquals([1, 2], [1, 3], "why"), "Values are not equal: why\n");
});

Deno.test("assertAlmostEquals() is relative by default, with no tolerance at 0", () => {
  assertAlmostEquals(1e6, 1e6 + 0.05);
  assertAlmostEquals(1, 1.5, 0.5);
  const far = 'Expected actual: "1e-12" to be close to "0": delta "1e-12" is greater';
  mustFail(() => assertAlmostEquals(1e-12, 0), far);
  mustFail(() => assertAlmostEquals(NaN, 1, 9), "Expected actual: ");
});

Deno.test("assert() and its kin fail on what they refuse", () => {
  assert(1);
  assertNotEquals([1], [2]);
  assertMatch("abc", /b/);
  assertStringIncludes("abc", "b");
  mustFail(() => assert(0, "zero"), "zero");
  mustFail(() => assertNotEquals(1, 1), "Expected actual: 1 not to be: 1.");
  mustFail(() => assertMatch("abc", /d/), 'Expected actual: "abc" to match: "/d/".');
  mustFail(() => assertStringIncludes("abc", "d"), 'Expected actual: "abc" to contain: "d".');
});

Deno.test("assertThrows() returns the error, and checks class and message", () => {
  const error = assertThrows(() => JSON.parse("{"), SyntaxError, "JSON");
  assert(error instanceof SyntaxError);
  assert(assertThrows(() => assert(0), "a message, not a class") instanceof AssertionError);
  const raise = () => {
    throw new RangeError("too big");
  };
  mustFail(() => assertThrows(() => 1), "Expected function to throw.");
  const otherClass = 'Expected error to be instance of "TypeError", but was "RangeError".';
  mustFail(() => assertThrows(raise, TypeError), otherClass);
  const otherText = 'Expected error message to include "too small", but got "too big".';
  mustFail(() => assertThrows(raise, RangeError, "too small"), otherText);
});

Deno.test("assertRejects() resolves to the error, and refuses a function that throws", async () => {
  const error = await assertRejects(() => Promise.reject(new RangeError("late")), RangeError, "late");
  assertEquals(error.message, "late");
  const failures: [() => Promise<unknown>, string][] = [
    [() => assertRejects(() => Promise.resolve(1)), "Expected function to reject."],
    [() => assertRejects(() => JSON.parse("{")), "Function throws when expected to reject."],
    [() => assertRejects(() => Promise.reject(new Error("x")), TypeError), "Expected error to be instance of"],
  ];
  for (const [fn, start] of failures) {
    const message = await fn().then(() => "nothing", (failure) => failure.message);
    assert(message.startsWith(start), `Expected "${start}", got "${message}"`);
  }
});

Deno.test("parse() reads quotes, CRLF, a byte-order mark, zeros as other characters, and skips blank lines", () => {
  assertEquals(parse('"a",\0b\0,"\0"\n'), [["a", "\0b\0", "\0"]]);
  assertThrows(() => parse('"a"\0,b\n'), SyntaxError);
  assertEquals(parse("a,b\n1,2\n"), [["a", "b"], ["1", "2"]]);
  assertEquals(parse("\ufeffa,b\r\n\r\n1,\r\n"), [["a", "b"], ["1", ""]]);
  assertEquals(parse('"x,""y""","two\r\nlines",\n'), [['x,"y"', "two\nlines", ""]]);
  assertEquals(parse("a\rb\n c \n1,2,3\r"), [["a\rb"], [" c "], ["1", "2", "3"]]);
  assertEquals(parse('""\n,\n'), [[""], ["", ""]]);
  assertEquals(parse("a;b", { separator: ";" }), [["a", "b"]]);
  assertEquals(parse(""), []);
});

Deno.test("parse() makes objects where the first row names the columns", () => {
  const rows: Record<string, string>[] = parse("x,y\n1,2\n", { skipFirstRow: true });
  assertEquals(rows, [{ x: "1", y: "2" }]);
  const fault = "Syntax error on line 3: The record has 1 fields, but the header has 2 fields";
  assertThrows(() => parse("x,y\n1,2\n1\n", { skipFirstRow: true }), Error, fault);
  assertThrows(() => parse("", { skipFirstRow: true }), TypeError, "headers must be defined");
});

Deno.test("parse() says where a quote is at fault", () => {
  const bare = 'bare " in non-quoted-field';
  const quoted = 'extraneous or missing " in quoted-field';
  const cases: [string, string][] = [
    ['a,b\n1,x"y\n', `Syntax error on line 2; parse error on line 2, column 4: ${bare}`],
    ['\n\na""b,c', `Syntax error on line 3; parse error on line 3, column 2: ${bare}`],
    ['a,é,🐱"', `Syntax error on line 1; parse error on line 1, column 6: ${bare}`],
    ['a,b\n"x"y,1\n', `Syntax error on line 2; parse error on line 2, column 3: ${quoted}`],
    ['"a ""b""c"d', `Syntax error on line 1; parse error on line 1, column 10: ${quoted}`],
    ['a,"b\nc"d,e', `Syntax error on line 1; parse error on line 2, column 2: ${quoted}`],
    ['a\n\n1,"open\nfoo\n', `Syntax error on line 3; parse error on line 4, column 1: ${quoted}`],
    ['1,"', `Syntax error on line 1; parse error on line 1, column 4: ${quoted}`],
  ];
  for (const [text, message] of cases) assertEquals(assertThrows(() => parse(text), SyntaxError).message, message);
  assertThrows(() => parse("a", { separator: '"' }), Error, "Cannot parse input: invalid delimiter");
});

Deno.test("stringify() quotes what needs it and ends lines with CRLF", () => {
  assertEquals(stringify([[1, -0.5, 1e21], ["a,b", 'c"d', "e\nf"]]), '1,-0.5,1e+21\r\n"a,b","c""d","e\nf"\r\n');
  assertEquals(stringify([[true, null, undefined, " x ", "", "=1"]]), "true,,, x ,,=1\r\n");
  assertEquals(stringify([]), "");
  const rows = [["x", "y z", '"', ","], ["", "é\n🐱", "1", '","']];
  assertEquals(parse(stringify(rows)), rows);
});

Deno.test("parseArgs() reads text, numbers and switches", () => {
  const given = ["--lr=-0.5", "--n", "5", "--help", "file", "7"];
  const args = parseArgs(given, { string: ["lr"], boolean: ["help", "quiet"] });
  assertEquals(args, { _: ["file", 7], lr: "-0.5", n: 5, help: true, quiet: false });
  const lr: string | undefined = args.lr;
  const help: boolean = args.help;
  assertEquals([lr, help], ["-0.5", true]);
});

Deno.test("parseArgs() takes no value that starts with a hyphen, unless it follows =", () => {
  assertEquals(parseArgs(["--lr", "-0.5"], { string: ["lr"] }), { _: [], lr: "", 0: 0.5 });
  assertEquals(parseArgs(["--lr"], { string: ["lr"] }), { _: [], lr: "" });
  assertEquals(parseArgs(["--x", "--y=", "-z", "1"]), { _: [], x: true, y: "", z: 1 });
  assertEquals(parseArgs(["-a", "--", "-b", "--c=1"]), { _: ["-b", "--c=1"], a: true });
});

Deno.test("parseArgs() keeps the last of several values, takes defaults, and leaves no- alone", () => {
  assertEquals(parseArgs(["--a=1", "--a", "2"]), { _: [], a: 2 });
  const options = { string: ["seed"], default: { seed: "42" } } as const;
  assertEquals(parseArgs([], options), { _: [], seed: "42" });
  assertEquals(parseArgs(["--seed=1"], options), { _: [], seed: "1" });
  assertEquals(parseArgs(["--no-color"]), { _: [], "no-color": true });
  assertEquals(parseArgs(["--quiet=false"], { boolean: ["quiet"] }), { _: [], quiet: false });
});

Deno.test("parse() of a .env file reads comments, quotes and export", () => {
  const text = "A=1 # one\n# B=2\nexport C='x # y'\nD=\"l\\nm\"\nE=\n  F = -0.5 \nG='$A'\nH=1,0,0#x\n";
  assertEquals(parseEnv(text), { A: "1", C: "x # y", D: "l\nm", E: "", F: "-0.5", G: "$A", H: "1,0,0" });
  assertEquals(parseEnv(text.replaceAll("\n", "\r\n")), parseEnv(text));
  assertEquals(parseEnv(""), {});
});

permitted("parse() of a .env file expands references in unquoted values", () => {
  const text = "A=1\nB=$A-${A}\nC=${NOT_THERE_EITHER:-none}\nD=$B\n";
  assertEquals(parseEnv(text), { A: "1", B: "1-1", C: "none", D: "1-1" });
});

Deno.test("parse() of a .env file leaves out a key that is no identifier", () => {
  const warn = console.warn;
  let warning = "";
  console.warn = (text: string) => warning = text;
  try {
    assertEquals(parseEnv("1X=3\nY=4\n"), { Y: "4" });
  } finally {
    console.warn = warn;
  }
  assertStringIncludes(warning, 'Ignored the key "1X"');
});

Deno.test("@std/cli and @std/dotenv export the same from their main entries", () => {
  assertEquals([cli.parseArgs, cli.unicodeWidth, dotenv.parse], [parseArgs, unicodeWidth, parseEnv]);
});

Deno.test("unicodeWidth() counts columns: two of wide characters, none of marks and controls", () => {
  const texts = ["", "abc", "価格", "ｗｉｄｅ", "ﾊﾝ", "é", "e\u0301", "a\u200bb", "\x07", "█▁…", "🚀", "Ж"];
  assertEquals(texts.map(unicodeWidth), [0, 3, 4, 8, 2, 1, 1, 2, 0, 3, 2, 1]);
});

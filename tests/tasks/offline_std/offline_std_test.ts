/**
 * Holds whatever "@std/..." stands for on this machine, the real packages or their stand-ins, to the behaviour that this
 * project counts on; so it passes with either.
 */
import * as std from "@std/assert";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  AssertionError,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { parse, stringify } from "@std/csv";
import { parseArgs } from "@std/cli/parse-args";
import { unicodeWidth } from "@std/cli/unicode-width";
import { parse as parseEnv } from "@std/dotenv/parse";
import * as cli from "@std/cli";
import * as dotenv from "@std/dotenv";
import { permitted } from "../../support/permitted.ts";

/** Runs what must fail, and holds the failure's message without leaning on the assertions under test. */
function mustFail(fn: () => unknown, start: string): void {
  let error: unknown;
  try {
    fn();
  } catch (thrown) {
    error = thrown;
  }
  if (!(error instanceof AssertionError)) throw new Error(`Expected an AssertionError "${start}", got ${error}`);
  if (!error.message.startsWith(start)) throw new Error(`Expected "${start}", got "${error.message}"`);
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

Deno.test("assertNotEquals() and assertStrictEquals() fail with both values", () => {
  std.assertNotEquals([1], [2]);
  mustFail(() => std.assertNotEquals(1, 1), "Expected actual: 1 not to be: 1.");
  std.assertStrictEquals(NaN, NaN);
  mustFail(() => std.assertStrictEquals(0, -0), "Values are not strictly equal.\n");
  mustFail(
    () => std.assertStrictEquals<unknown>([1], [1]),
    "Values have the same structure but are not reference-equal.",
  );
});

Deno.test("assertAlmostEquals() is relative by default, with no tolerance at 0", () => {
  std.assertAlmostEquals(1e6, 1e6 + 0.05);
  std.assertAlmostEquals(1, 1.5, 0.5);
  mustFail(
    () => std.assertAlmostEquals(1e-12, 0),
    'Expected actual: "1e-12" to be close to "0": delta "1e-12" is greater',
  );
  mustFail(() => std.assertAlmostEquals(NaN, 1, 9), "Expected actual: ");
});

Deno.test("assert() and its kin fail on what they refuse", () => {
  assert(1);
  std.assertFalse(0);
  std.assertExists(0);
  std.assertMatch("abc", /b/);
  assertStringIncludes("abc", "b");
  std.assertGreater(2, 1);
  std.assertGreaterOrEqual(1, 1);
  std.assertLess(1, 2);
  std.assertLessOrEqual(1, 1);
  assertInstanceOf(new RangeError(), Error);
  mustFail(() => assert(0, "zero"), "zero");
  mustFail(() => std.assertFalse(1, "one"), "one");
  mustFail(() => std.fail("now"), "Failed assertion: now");
  mustFail(() => std.assertExists(null), 'Expected actual: "null" to not be null or undefined.');
  mustFail(() => std.assertMatch("abc", /d/), 'Expected actual: "abc" to match: "/d/".');
  mustFail(() => assertStringIncludes("abc", "d"), 'Expected actual: "abc" to contain: "d".');
  mustFail(() => std.assertGreater(1, 1), "Expect 1 > 1");
  mustFail(() => std.assertGreaterOrEqual(1, 2), "Expect 1 >= 2");
  mustFail(() => std.assertLess(NaN, 1), "Expect NaN < 1");
  mustFail(() => std.assertLessOrEqual(2, 1), "Expect 2 <= 1");
  mustFail(
    () => assertInstanceOf({}, Map),
    'Expected object to be an instance of "Map" but was "Object".',
  );
});

Deno.test("assertThrows() returns the error, and checks class and message", () => {
  const error = assertThrows(() => JSON.parse("{"), SyntaxError, "JSON");
  assertInstanceOf(error, SyntaxError);
  assertEquals(assertThrows(() => std.fail("x"), "a message, not a class") instanceof AssertionError, true);
  const raise = () => {
    throw new RangeError("too big");
  };
  mustFail(() => assertThrows(() => 1), "Expected function to throw.");
  mustFail(
    () => assertThrows(raise, TypeError),
    'Expected error to be instance of "TypeError", but was "RangeError".',
  );
  mustFail(
    () => assertThrows(raise, RangeError, "too small"),
    'Expected error message to include "too small", but got "too big".',
  );
});

Deno.test("assertRejects() resolves to the error, and refuses a function that throws", async () => {
  const error = await std.assertRejects(() => Promise.reject(new RangeError("late")), RangeError, "late");
  assertEquals(error.message, "late");
  const failures: [() => Promise<unknown>, string][] = [
    [() => std.assertRejects(() => Promise.resolve(1)), "Expected function to reject."],
    [() => std.assertRejects(() => JSON.parse("{")), "Function throws when expected to reject."],
    [() => std.assertRejects(() => Promise.reject(new Error("x")), TypeError), "Expected error to be instance of"],
  ];
  for (const [fn, start] of failures) {
    const message = await fn().then(() => "nothing", (failure) => failure.message);
    assert(message.startsWith(start), `Expected "${start}", got "${message}"`);
  }
});

Deno.test("parse() reads quotes, CRLF, a byte-order mark, and skips blank lines", () => {
  assertEquals(parse("a,b\n1,2\n"), [["a", "b"], ["1", "2"]]);
  assertEquals(parse("\ufeffa,b\r\n\r\n1,\r\n"), [["a", "b"], ["1", ""]]);
  assertEquals(parse('"x,""y""","two\r\nlines",\n'), [['x,"y"', "two\nlines", ""]]);
  assertEquals(parse("a\rb\n c \n1,2,3\r"), [["a\rb"], [" c "], ["1", "2", "3"]]);
  assertEquals(parse('""\n,\n'), [[""], ["", ""]]);
  assertEquals(parse("a;b", { separator: ";" }), [["a", "b"]]);
  assertEquals(parse(""), []);
});

Deno.test("parse() makes objects where columns have names", () => {
  const rows: Record<string, string>[] = parse("x,y\n1,2\n", { skipFirstRow: true });
  assertEquals(rows, [{ x: "1", y: "2" }]);
  const named: { p: string; q: string }[] = parse("1,2", { columns: ["p", "q"] });
  assertEquals(named, [{ p: "1", q: "2" }]);
  assertEquals(parse("x,y\n1,2\n", { skipFirstRow: true, columns: ["p", "q"] }), [{ p: "1", q: "2" }]);
  assertThrows(
    () => parse("x,y\n1,2\n1\n", { skipFirstRow: true }),
    Error,
    "Syntax error on line 3: The record has 1 fields, but the header has 2 fields",
  );
  assertThrows(() => parse("", { skipFirstRow: true }), TypeError, "headers must be defined");
});

Deno.test("parse() takes a zero as a character like others", () => {
  assertEquals(parse('"a",\0b\0,"\0"\n'), [["a", "\0b\0", "\0"]]);
  assertThrows(() => parse('"a"\0,b\n'), SyntaxError);
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
  assertEquals(stringify([["a;b", "c,d"]], { separator: ";" }), '"a;b";c,d\r\n');
  assertEquals(stringify([]), "");
  assertThrows(() => stringify([], { separator: '"' }), TypeError, "Separator cannot include");
});

Deno.test("stringify() writes columns of objects, with headers unless told not to", () => {
  const data = [{ x: 1, y: { z: 2 } }, { x: 3, y: { z: 4 } }];
  const columns = ["x", { prop: ["y", "z"], header: "zed" }];
  assertEquals(stringify(data, { columns }), "x,zed\r\n1,2\r\n3,4\r\n");
  assertEquals(stringify(data, { columns: ["x"], headers: false }), "1\r\n3\r\n");
  assertThrows(() => stringify(data), TypeError, "No property accessor function was provided for object");
});

Deno.test("stringify() and parse() undo each other", () => {
  const rows = [["x", "y z", '"', ","], ["", "é\n🐱", "1", '","']];
  assertEquals(parse(stringify(rows)), rows);
});

Deno.test("parseArgs() reads text, numbers and switches", () => {
  const args = parseArgs(["--lr=-0.5", "--n", "5", "--help", "file", "7"], {
    string: ["lr"],
    boolean: ["help", "quiet"],
  });
  assertEquals(args, { _: ["file", 7], lr: "-0.5", n: 5, help: true, quiet: false });
  const lr: string | undefined = args.lr;
  const help: boolean = args.help;
  assertEquals([lr, help], ["-0.5", true]);
});

Deno.test("parseArgs() takes no value that starts with a hyphen, unless it follows =", () => {
  assertEquals(parseArgs(["--lr", "-0.5"], { string: ["lr"] }), { _: [], lr: "", 0: 0.5 });
  assertEquals(parseArgs(["--lr"], { string: ["lr"] }), { _: [], lr: "" });
  assertEquals(parseArgs(["--x", "--y=", "-z", "1"]), { _: [], x: true, y: "", z: 1 });
});

Deno.test("parseArgs() keeps the last of several values, or collects them", () => {
  assertEquals(parseArgs(["--a=1", "--a", "2"]), { _: [], a: 2 });
  assertEquals(parseArgs(["--a=1", "--a", "2"], { string: ["a"], collect: ["a"] }), { _: [], a: ["1", "2"] });
  assertEquals(parseArgs(["--a=1"], { string: ["a", "b"], collect: ["a", "b"] }), { _: [], a: ["1"], b: [] });
});

Deno.test("parseArgs() knows aliases, defaults and negations", () => {
  const options = { alias: { h: "help" }, boolean: ["help"], string: ["seed"], default: { seed: "42" } } as const;
  assertEquals(parseArgs(["-h"], options), { _: [], h: true, help: true, seed: "42" });
  assertEquals(parseArgs(["--seed=1"], options), { _: [], h: false, help: false, seed: "1" });
  const negatable = { boolean: ["color"], negatable: ["color"], default: { color: true } } as const;
  assertEquals(parseArgs(["--no-color"], negatable), { _: [], color: false });
  assertEquals(parseArgs([], negatable), { _: [], color: true });
  assertEquals(parseArgs(["--no-color"]), { _: [], "no-color": true });
  assertEquals(parseArgs(["--quiet=false"], { boolean: ["quiet"] }), { _: [], quiet: false });
});

Deno.test("parseArgs() asks about what is unknown", () => {
  const seen: unknown[] = [];
  const unknown = (...about: unknown[]) => {
    seen.push(about);
    return false;
  };
  const args = parseArgs(["--known=1", "--lr", "0.1", "--odd", "--eq=a=b", "file"], { string: ["known"], unknown });
  assertEquals(args, { _: [], known: "1" });
  assertEquals(seen, [["--lr", "lr", "0.1"], ["--odd", "odd", true], ["--eq=a=b", "eq", "a=b"], ["file"]]);
});

Deno.test("parseArgs() stops at -- and, where asked, at the first argument that is no flag", () => {
  assertEquals(parseArgs(["-a", "--", "-b", "--c=1"]), { _: ["-b", "--c=1"], a: true });
  assertEquals(parseArgs(["x", "--", "-b"], { "--": true }), { _: ["x"], "--": ["-b"] });
  assertEquals(parseArgs(["--a=1", "x", "--b", "y"], { stopEarly: true }), { _: ["x", "--b", "y"], a: 1 });
});

Deno.test("parse() of a .env file reads comments, quotes and export", () => {
  const text = [
    "A=1 # one",
    "# B=2",
    "export C='x # y'",
    'D="l\\nm"',
    "E=",
    "  F = -0.5 ",
    "G='$A'",
    "H=1,0,0#x",
    "",
  ].join("\n");
  assertEquals(parseEnv(text), { A: "1", C: "x # y", D: "l\nm", E: "", F: "-0.5", G: "$A", H: "1,0,0" });
  assertEquals(parseEnv(text.replaceAll("\n", "\r\n")), parseEnv(text));
  assertEquals(parseEnv(""), {});
});

permitted("parse() of a .env file expands references in unquoted values", () => {
  assertEquals(parseEnv("A=1\nB=$A-${A}\nC=${NOT_THERE_EITHER:-none}\nD=$B\n"), {
    A: "1",
    B: "1-1",
    C: "none",
    D: "1-1",
  });
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

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { TerminalScreen } from "../../../tasks/pictures/terminal_picture.ts";

const SIZE = { columns: 20, rows: 4 };

/** Attributes of the elements of a kind, in order. */
function elementsOf(svg: string, kind: string, ...names: string[]): string[][] {
  return [...svg.matchAll(new RegExp(`<${kind} [^>]*>`, "g"))].map(([tag]) =>
    names.map((name) => tag.match(new RegExp(` ${name}="([^"]*)"`))?.[1] ?? "")
  );
}

Deno.test("TerminalScreen shows what a terminal would: lines that scroll, are erased and drawn over", async () => {
  const screen = new TerminalScreen(SIZE);
  await screen.write("one\r\ntwo\r\nthree\r\nfour\r\nfive\r\x1b[J\x1b[1A12345\x1b[4D!");
  assertEquals(screen.text.split("\n").map((line) => line.trimEnd()), ["two", "three", "1!345", ""]);
});

Deno.test("toSvg() keeps colours and columns of text, and draws bars as high as they are", async () => {
  const screen = new TerminalScreen(SIZE);
  await screen.write("a  <b>\r\n\x1b[1;32mok\x1b[0m \x1b[36m▁▁█\x1b[0m░░");
  const svg = screen.toSvg('loss & "curve"');
  assertStringIncludes(svg, "<title>loss &amp; &quot;curve&quot;</title>");
  assertStringIncludes(svg, ">a\u00a0\u00a0&lt;b&gt;</text>");
  assertEquals(elementsOf(svg, "text", "x", "fill", "font-weight", "textLength"), [
    ["16", "#d0d7de", "", "50.4"],
    ["16", "#7ee787", "bold", "16.8"],
  ]);
  assertEquals(elementsOf(svg, "rect", "x", "width", "height", "fill").slice(1), [
    ["41.2", "16.8", "1.75", "#56d4dd"],
    ["58", "8.4", "14", "#56d4dd"],
    ["66.4", "16.8", "14", "#d0d7de"],
  ]);
  assertMatch(svg, /^<svg [^>]*viewBox="0 0 200 68"/, "two lines of twenty columns");
});

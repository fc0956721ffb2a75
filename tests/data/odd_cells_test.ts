import { assertEquals } from "@std/assert";
import { isPlaceholder, writtenNumber } from "../../lib/data/odd_cells.ts";

Deno.test("writtenNumber() says what is odd about a number, and how it is written plainly where that is sure", () => {
  const cases: [cell: string, has: string, plain?: string][] = [
    ["−7.5", "a minus sign that is not -, but U+2212", "-7.5"],
    ["–7", "a minus sign that is not -, but U+2013", "-7"],
    ["1e−5", "a minus sign that is not -, but U+2212", "1e-5"],
    ["12 kg", "a unit: kg", "12"],
    ["5m²", "a unit: m²", "5"],
    ["5 km2", "a unit: km2", "5"],
    ["20 °C", "a unit: °C", "20"],
    ["36 months", "a unit: months", "36"],
    ["(5)", "brackets for a negative number", "-5"],
    ["($1,234.5)", "brackets for a negative number and a currency: $ and a comma between digits"],
    ["5-", "a minus sign after the number", "-5"],
    ["- 5", "a space after the sign", "-5"],
    ["5K", "K in place of zeros"],
    ["3 M", "M in place of zeros"],
    ["1bn", "bn in place of zeros"],
    ["3 m", "a unit: m", "3"],
    ["-0x1f", "a base other than ten", "-31"],
    ["１２．５", "digits or signs of another script", "12.5"],
    ["٣٤٫٥", "digits or signs of another script", "34.5"],
    ["१२", "digits or signs of another script", "12"],
    ["𝟏𝟐", "digits or signs of another script", "12"],
    ["'12", "' before the number", "12"],
    ['="12"', "= before the number", "12"],
    ["12\u200b", "an invisible character U+200B", "12"],
    ["1\u200b2", "an invisible character U+200B", "12"],
    ["1\ufeff2", "an invisible character U+FEFF", "12"],
    ["1\u00a0200", "a space between digits"],
    ["1_000_000", "underscores between digits", "1000000"],
    ["1,234.5", "a comma between digits"],
    ["1.234,5", "a comma between digits"],
    ["12,34,567", "a comma between digits"],
    ["2,5", "a comma between digits"],
    ["1’234", "an apostrophe between digits"],
    ["1.234.567", "more than one point between digits"],
    ["12 %", "a percent sign"],
    ["$5", "a currency: $", "5"],
    ["-US$5", "a currency: US$", "-5"],
    ["5 €", "a currency: €", "5"],
    ["EUR 5", "a currency: EUR", "5"],
    ["5*", "a mark after the number: *", "5"],
    ["5[1]", "a mark after the number: [1]", "5"],
    ["1.5D+03", "D before the exponent", "1.5e+03"],
    ["1.5x10^3", "a power of ten"],
    ["1.5×10³", "a power of ten"],
    ["12:30", "the form of a time"],
    ["1 days 02:03:04", "the form of a time"],
    ["2h 5m", "the form of a time"],
    ["5pm", "a unit: pm", "5"],
    ["inf", "no finite value"],
    ["-Infinity", "no finite value"],
  ];
  for (const [cell, has, plain] of cases) {
    const found = writtenNumber(cell);
    assertEquals([cell, found?.has, found?.plain], [cell, has, plain]);
  }
});

Deno.test("writtenNumber() leaves numbers and names alone", () => {
  const names =
    "7 -2.5e1 1st 2nd 3rd 1er 2024Q2 2024H3 b1 A4 1,2,3 1/2/26 1.2.3 <5 5+ 10-19 2x4 5x105 abc ? - 1_0 nano kg"
      .split(" ");
  for (const cell of ["", "2 x 4", "x".repeat(41), `${"1".repeat(41)} kg`, "1 2", ...names]) {
    assertEquals([cell, writtenNumber(cell)], [cell, undefined]);
  }
});

Deno.test("isPlaceholder() knows what holds the place of a value", () => {
  const always =
    "? ?? - -- .  .. ... * N/A n/a na NA #N/A #VALUE! None none NULL <NA> (null) n.a. — − 1.#QNAN \\N -nan NaT nil _";
  for (const text of always.split(/ +/)) assertEquals([text, isPlaceholder(text, false)], [text, true]);
  for (const text of ["missing", "Unknown", "not available", "no data", "tbd"]) {
    assertEquals([text, isPlaceholder(text, true), isPlaceholder(text, false)], [text, true, false]);
  }
  for (const text of ["", "a", "no", "+", "0", "-1", "nana", "north", "x".repeat(30), "?".repeat(21)]) {
    assertEquals([text, isPlaceholder(text, true)], [text, false]);
  }
});

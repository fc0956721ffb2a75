import { assertEquals, assertNotEquals } from "@std/assert";
import { nameKey } from "../../lib/data/names.ts";

Deno.test("nameKey() is the same for equal numbers, booleans and ends of lines, and for nothing else", () => {
  const same = [["0", "0.0", "-0", "+0.", "0e5"], ["1", "1.0", "+1", "1e0"], ["0.5", ".5", "5e-1"], [
    "true",
    "True",
    "TRUE",
  ], ["a\r\nb\r\nc", "a\nb\nc", "a\r\nb\nc"]];
  for (const names of same) assertEquals(new Set(names.map(nameKey)).size, 1, names.join(" "));
  const apart = [["00501", "501"], ["12345678901234567890", "12345678901234567891"], ["mon", "Mon"], ["a\rb", "a\nb"], [
    "1",
    "true",
  ], [
    "yes",
    "Yes",
  ]];
  for (const [a, b] of apart) assertNotEquals(nameKey(a), nameKey(b));
});

import { assertEquals, assertThrows } from "@std/assert";
import { TargetFit } from "../../../tasks/prepare/target_fit.ts";

function classesOf(...cells: string[]) {
  const fit = new TargetFit(["k"], "classes");
  for (const cell of cells) fit.add([cell]);
  return fit.result();
}

Deno.test("TargetFit takes spellings of one class together, and tells of it", () => {
  const { target, counts, notes } = classesOf("1", "0.0", "1.0", "0", "1");
  assertEquals(target, { kind: "classes", name: "k", classes: ["0.0", "1"] });
  assertEquals([...counts], [["0.0", 2], ["1", 3]]);
  assertEquals(notes, ["k: names that mean the same are one: 1 and 1.0, 0.0 and 0"]);
});

Deno.test("TargetFit refuses a single class", () => {
  for (const cells of [["a"], ["yes", "yes"], ["1", "1.0"]]) {
    assertThrows(() => classesOf(...cells), RangeError, `the training rows have the one class ${cells[0]} of k`);
  }
});

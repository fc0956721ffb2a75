import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { Folds, stratifiedFolds } from "../../lib/base/folds.ts";

/** How often each fold comes among some rows. */
const countsOf = (folds: ArrayLike<number>, count: number) =>
  Array.from({ length: count }, (_, fold) => Array.from(folds).filter((value) => value === fold).length);

Deno.test("stratifiedFolds() gives each fold its share of each group, to a row, by the seed", () => {
  const groups = Float64Array.from({ length: 103 }, (_, row) => row % 10 === 0 ? -3 : row % 7 === 0 ? 8.5 : 2);
  for (const count of [2, 4, 7]) {
    const folds = stratifiedFolds(groups, count, 42);
    const within = [-3, 2, 8.5].map((group) => countsOf(folds.filter((_, row) => groups[row] === group), count));
    for (const counts of [countsOf(folds, count), ...within]) {
      assert(Math.max(...counts) - Math.min(...counts) <= 1, `${count} folds of ${counts}`);
    }
    assertEquals(stratifiedFolds(groups, count, 42), folds);
    assertNotEquals(stratifiedFolds(groups, count, 43), folds);
  }
});

Deno.test("Folds say who is trained on which rows, and who holds them out", () => {
  const folds = new Folds(Uint8Array.of(2, 0, 1, 0), 3, 6);
  assertEquals([folds.sizes, folds.trainedRows], [[2, 1, 1], 2]);
  assertEquals([0, 1, 2, 3, 4, 5].map((member) => [...folds.heldOut(member)]), [[1, 3], [2], [0], [1, 3], [2], [0]]);
  assertEquals([...folds.trained(4)], [0, 1, 3]);
  assertEquals([0, 1].map((row) => folds.membersOf(row)), [[2, 5], [0, 3]]);
});

Deno.test("Folds that cannot be are refused", () => {
  const cases: [number[], number, number, string][] = [
    [[0, 0], 1, 1, "Cannot hold out 1 folds of 2 rows: allowed is 2 to as many as there are rows, 255 at most"],
    [[0, 1], 3, 3, "Cannot hold out 3 folds of 2 rows: allowed is 2 to"],
    [[0, 1], 2, 3, "3 members are no multiple of 2"],
    [[0, 2], 2, 2, "a row is of fold 2, and they count from 0"],
    [[0, 0, 0, 1], 2, 2, "they have 3, 1 rows"],
  ];
  for (const [foldOf, count, members, words] of cases) {
    assertThrows(() => new Folds(Uint8Array.from(foldOf), count, members), RangeError, words);
  }
});

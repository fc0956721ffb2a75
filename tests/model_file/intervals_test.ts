import { assert, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../lib/base/random.ts";
import { mse, softmaxCrossEntropy } from "../../lib/core/losses.ts";
import { bceWithLogits } from "../../lib/core/losses.ts";
import { Scaler } from "../../lib/data/scaler.ts";
import { numericTable } from "../../lib/data/table.ts";
import { Intervals, RunningCoverage, scorePredictions } from "../../lib/model_file/intervals.ts";
import type { ModelDescription } from "../../lib/model_file/saved_model.ts";

const scaler = (...names: string[]) =>
  new Scaler("standardize", names.map((name, i) => ({ name, min: 0, max: 1, mean: 0, deviation: i + 1 })));

const numbers: ModelDescription = {
  table: numericTable(["x"], ["y", "z"]),
  features: ["x"],
  targets: ["y", "z"],
  scalers: { inputs: scaler("x"), targets: scaler("y", "z") },
  loss: mse,
  settings: {},
};

const classes: ModelDescription = {
  ...numbers,
  table: { ...numbers.table, target: { kind: "classes", name: "kind", classes: ["a", "b", "c"] } },
  targets: ["a", "b", "c"],
  scalers: { inputs: scaler("x"), targets: scaler("a", "b", "c") },
  loss: softmaxCrossEntropy,
};

/** Rows of two targets by two members, of which the second target's differ as much as they are wrong. */
function guesses(rows: number, random: Random) {
  const own = new Float64Array(4 * rows);
  const predicted = new Float64Array(2 * rows);
  const actual = new Float64Array(2 * rows);
  for (let at = 0; at < 2 * rows; at += 2) {
    const size = random.uniform(0.1, 4);
    // One deviation of z is 2, and two members that are apart by d deviate by d / 2.
    own.set([random.normal(0, 1), size / 2], at);
    own.set([own[at], -size / 2], 2 * rows + at);
    predicted.set([own[at], 0], at);
    actual.set([own[at] + random.normal(0, 3), random.normal(0, size)], at);
  }
  return { own, predicted, actual };
}

Deno.test("each number has intervals of its own, which hold 0.9 of new rows on average over seeds", () => {
  const sums = [0, 0];
  const seeds = 25;
  for (let seed = 0; seed < seeds; seed++) {
    const random = new Random(seed, "weights");
    const old = guesses(150, random);
    const conformal = scorePredictions(old, old.actual, numbers)!;
    assertEquals(conformal.map(({ spread }) => spread !== undefined), [false, true]);
    const running = new RunningCoverage(new Intervals({ ...numbers, output: { conformal } }, 2, 0.9), numbers);
    for (let block = 0; block < 3; block++) {
      const rows = guesses(100, random);
      running.add(rows, rows.actual);
    }
    const [y, z] = running.result();
    assertEquals([y.target, z.target], ["y", "z"]);
    sums[0] += y.coverage;
    sums[1] += z.coverage;
    assert(Math.abs(y.width / (2 * 1.645 * 3) - 1) < 0.4, `${y.width}`);
  }
  for (const sum of sums) assert(Math.abs(sum / seeds - 0.9) < 0.02, `${sum / seeds}`);
});

Deno.test("bounds() are as far from the prediction as the score of the level", () => {
  const output = { conformal: [{ rows: 3, scores: [1, 2, 3] }, { rows: 3, scores: [1, 2, 3], spread: 0.5 }] };
  const intervals = new Intervals({ ...numbers, output }, 2, 0.5);
  // The members' predictions of z are 4 and 0 in raw units: their deviation is 2.
  const { lower, upper } = intervals.bounds({ predicted: [10, 2], own: [10, 2, 10, 0] });
  assertEquals([[...lower], [...upper]], [[8, -3], [12, 7]]);
});

Deno.test("classes have sets that hold the true one, also of two by one probability", () => {
  const predicted = [0.7, 0.2, 0.1, 0.3, 0.4, 0.3, 0.1, 0.1, 0.8];
  const actual = [1, 0, 0, 0, 0, 1, 0, 0, 1];
  const conformal = scorePredictions({ predicted, own: predicted }, actual, classes)!;
  // 1 - 0.7 is a little over 0.3: scores are rounded up.
  assertEquals(conformal, [{ rows: 3, scores: [0.2, 0.3000001, 0.7] }]);
  const intervals = new Intervals({ ...classes, output: { conformal } }, 1, 0.75);
  assertEquals(intervals.isOfClasses, true);
  assertEquals(intervals.sets({ predicted, own: predicted }), [[0], [1, 0, 2], [2]]);
  const running = new RunningCoverage(intervals, classes);
  running.add({ predicted, own: predicted }, actual);
  assertEquals(running.result(), [{ target: "kind", coverage: 1, width: 5 / 3 }]);

  const target = { kind: "classes", name: "kind", classes: ["no", "yes"] } as const;
  const table = { ...classes.table, target };
  const two = { ...classes, table, targets: ["kind"], loss: bceWithLogits };
  const scored = scorePredictions({ predicted: [0.75, 0.25], own: [0, 0] }, [1, 1], two)!;
  assertEquals(scored, [{ rows: 2, scores: [0.25, 0.75] }]);
  const sets = new Intervals({ ...two, output: { conformal: scored } }, 1, 0.6).sets({
    predicted: [0.9, 0.5],
    own: [],
  });
  assertEquals(sets, [[1], [0, 1]]);
});

Deno.test("Intervals say what is missing", () => {
  const conformal = [{ rows: 3, scores: [1, 2, 3] }, { rows: 3, scores: [1, 2, 3] }];
  for (
    const [model, level, says] of [
      [numbers, 0.9, "the model was not scored on validation rows; train it with some"],
      [{ ...numbers, output: { conformal } }, 0.9, "level 0.9: that needs 9 rows, and the model was scored on 3"],
      [{ ...numbers, output: { conformal } }, 90, "level 90: it is a share over 0 and under 1"],
      [{ ...numbers, loss: bceWithLogits }, 0.9, "the model predicts probabilities of targets that are no classes"],
    ] as const
  ) {
    assertThrows(() => new Intervals(model, 1, level), RangeError, says);
  }
  assertEquals(
    scorePredictions({ predicted: [1, 1], own: [1, 1] }, [1, 1], { ...numbers, loss: bceWithLogits }),
    undefined,
  );
});

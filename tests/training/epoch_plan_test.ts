import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { EpochPlan, type PlanOptions } from "../../lib/training/epoch_plan.ts";
import { Folds } from "../../lib/base/folds.ts";
import { Random } from "../../lib/base/random.ts";

const plan = (options: Partial<PlanOptions>) =>
  new EpochPlan({ rows: 23, windowRows: 10, batchSize: 5, seed: 1, shuffle: true, ...options });

/** Rows of the source in the order in which an epoch sees them. */
function rowsOf(plan: EpochPlan, epoch: number): number[] {
  return [...plan.visits(epoch, 1)].flatMap((visit) => [...plan.order(visit)].map((row) => visit.start + row));
}

Deno.test("EpochPlan visits every row exactly once an epoch, window by window", () => {
  const cases = [[23, 10, 5], [20, 10, 5], [21, 10, 5], [7, 7, 7], [7, 9, 2], [12, 1, 1], [1, 1, 1], [100, 30, 30]];
  for (const [rows, windowRows, batchSize] of cases) {
    for (const shuffle of [true, false]) {
      const drawn = plan({ rows, windowRows, batchSize, shuffle });
      for (let epoch = 0; epoch < 4; epoch++) {
        const visits = [...drawn.visits(epoch, 1)];
        const seen = rowsOf(drawn, epoch); // without shuffle as they are given
        assertEquals(shuffle ? seen.toSorted((a, b) => a - b) : seen, Array.from({ length: rows }, (_, i) => i));
        assertEquals(visits.map(({ ends }) => ends), visits.map((_, i) => i === visits.length - 1));
        assertEquals(visits.reduce((sum, { steps }) => sum + steps, 0), drawn.stepsPerEpoch);
        assertEquals(visits.map(({ firstStep }) => firstStep)[0], 0);
        for (const { rows, steps, firstStep } of visits) {
          assertEquals(steps, Math.ceil(rows / batchSize));
          assert(steps <= drawn.stepsPerWindow && firstStep + steps <= drawn.stepsPerEpoch);
        }
      }
    }
  }
});

Deno.test("EpochPlan draws windows and rows again for each epoch, the same for the same seed, in any order of asking", () => {
  const options = { rows: 400, windowRows: 20, seed: 7 };
  const windows = (plan: EpochPlan, epoch: number) => [...plan.visits(epoch, 1)].map(({ window }) => window);
  const first = plan(options);
  const second = plan(options);
  const later = [rowsOf(second, 2), rowsOf(second, 0)];
  assertEquals([rowsOf(first, 0), rowsOf(first, 2)], later.toReversed());
  assertNotEquals(windows(first, 0), windows(first, 1));
  assertNotEquals(windows(first, 0), windows(plan({ ...options, seed: 8 }), 0));
  const [a, b] = first.visits(0, 1);
  assertNotEquals(first.order(a), first.order(b), "two windows in one order");
  assertEquals([...first.visits(0, 2)].slice(20), [...first.visits(1, 1)]);
});

Deno.test("EpochPlan of one window draws each order from the stream that all rows had before", () => {
  const [visit] = plan({ windowRows: 23 }).visits(4, 1);
  assertEquals(plan({ windowRows: 23 }).order(visit), new Random(1, "shuffle 4").permutation(23));
});

Deno.test("EpochPlan.mean() weights the short step wherever its window comes", () => {
  const drawn = plan({});
  const places = new Set<number>();
  for (let epoch = 0; epoch < 20; epoch++) {
    const visits = [...drawn.visits(epoch, 1)];
    const short = visits.find(({ rows }) => rows === 3)!.firstStep;
    const losses = Float32Array.from({ length: 5 }, (_, i) => i === short ? 23 : 0);
    assertEquals(drawn.mean(epoch, losses), 3);
    places.add(short);
  }
  assertEquals([...places].sort(), [0, 2, 4]);
  assertEquals(plan({ rows: 20 }).mean(0, Float32Array.of(1, 2, 3, 4)), 2.5);
});

Deno.test("EpochPlan refuses batches and windows that do not fit", () => {
  for (const batchSize of [0, 24, 1.5, NaN]) {
    assertThrows(() => plan({ batchSize }), RangeError, `batches of ${batchSize}: allowed is 1 to the 23 rows`);
  }
  for (const windowRows of [0, 4, 12, -5, 7.5, NaN]) {
    const text = `Cannot train on windows of ${windowRows} rows: allowed is a multiple of the batch size 5`;
    assertThrows(() => plan({ windowRows }), RangeError, text);
  }
});

Deno.test("EpochPlan with folds gives each member its own rows, as many as the others, in an order of its own", () => {
  const folds = new Folds(Uint8Array.of(0, 1, 0, 1, 0, 1, 0), 2, 4); // members 1 and 3 have a row more than 0 and 2
  for (const shuffle of [true, false]) {
    const drawn = plan({ rows: 7, windowRows: 7, batchSize: 2, shuffle, folds });
    assertEquals([drawn.rows, drawn.windows, drawn.stepsPerEpoch], [3, 1, 2]);
    const left = [0, 1, 2, 3].map(() => new Set<number>());
    const orders = new Set<string>();
    for (let epoch = 0; epoch < 40; epoch++) {
      const seen = rowsOf(drawn, epoch);
      left.forEach((rows, member) => {
        const own = seen.slice(member * 3, member * 3 + 3);
        const trained = [...folds.trained(member)];
        assertEquals(own.filter((row, i) => trained.includes(row) && own.indexOf(row) === i), own);
        trained.filter((row) => !own.includes(row)).forEach((row) => rows.add(row));
        if (epoch === 0) orders.add(own.join());
      });
      const steps = [1, 2].map((step) => [...drawn.rowsOf(2 * epoch + step)]);
      const [a, b, c, d] = [0, 3, 6, 9].map((start) => seen.slice(start, start + 3));
      assertEquals(steps[0], [a, b, c, d].flatMap((own) => own.slice(0, 2)));
      assertEquals(steps[1], [a[2], b[2], c[2], d[2]]);
    }
    // Each row of those with a row more is left out now and then.
    assertEquals(left.map(({ size }) => size), [0, 4, 0, 4]);
    if (shuffle) assertEquals(orders.size, 4);
  }
});

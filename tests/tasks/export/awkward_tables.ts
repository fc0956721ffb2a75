/** Tables as people have them, each with a model of random weights and what the library predicts of it. */

import { assert, assertEquals } from "@std/assert";
import { Linear, Tanh } from "../../../lib/core/layers.ts";
import { bceWithLogits, type Loss, mse, softmaxCrossEntropy } from "../../../lib/core/losses.ts";
import { Model } from "../../../lib/core/model.ts";
import { type Cell, type ClassPrediction, LoadedModel, type Row } from "../../../lib/model_file/load_model.ts";
import { outputNames } from "../../../lib/model_file/metadata.ts";
import type { OutputRule } from "../../../lib/model_file/output_rule.ts";
import { Random } from "../../../lib/base/random.ts";
import { SavedModel, saveModel } from "../../../lib/model_file/saved_model.ts";
import { Scaler } from "../../../lib/data/scaler.ts";
import type { ColumnStatistics } from "../../../lib/data/statistics.ts";
import { encodedNames, type InputColumn, MISSING_CATEGORY, nameRows, type Table } from "../../../lib/data/table.ts";
import { TableEncoder } from "../../../lib/data/table_encoder.ts";
import { type EmbeddedColumn, TableEmbedding } from "../../../lib/tabular/table_embedding.ts";
import { readExportedModel } from "../../../tasks/export/exported_model.ts";
import type { Workplace } from "../../support/run_task_process.ts";
import type { Expected } from "./export_cases.ts";

interface AwkwardTable {
  table: Table;
  loss: Loss;
  output: OutputRule;
  /** Statistics of the targets, where they are numbers. */
  targets: ColumnStatistics[];
  /** Cells to try in each column; the others have their first then. */
  cells: Record<string, Cell[]>;
  /** Cells that a graph does not know, as its metadata say. */
  beyondGraphs?: Cell[];
}

function statistics(name: string, mean: number, deviation: number): ColumnStatistics {
  return { name, min: mean - 3 * deviation, max: mean + 3 * deviation, mean, deviation };
}

export function names(name: string, categories: string[], more: Partial<InputColumn> = {}): InputColumn {
  return { kind: "categorical", name, categories, ...more } as InputColumn;
}

const SPECIES = { kind: "classes", name: "species", classes: ["ant", "bee", "cat"] } as const;
const NOW = 1_764_000_000;

export const TABLES: Record<string, AwkwardTable> = {
  "names in other spellings, rare and unseen ones": {
    table: {
      inputs: [
        names("work", ["State-gov", "Private"], { shares: [0.25, 0.75] }),
        names("member", ["True", "False"], { shares: [0.5, 0.5] }),
        names("cars", ["1.0", "2", "00501", "-3"], { shares: [0.1, 0.2, 0.3, 0.4] }),
        names("town", ["Ulm", "Bonn"], { others: ["Erding", "7"] }),
        names("old", ["a", "b"]),
        names("step", ["0.0", "10", "0.5", "1e-7"], { shares: [0.1, 0.2, 0.3, 0.4] }),
        names("address", ["Ulm\nMain St", "Bonn\r\nLake St"], { shares: [0.25, 0.75] }),
      ],
      target: SPECIES,
      missing: "error",
    },
    loss: softmaxCrossEntropy,
    output: { temperature: 1.6 },
    targets: [],
    cells: {
      work: ["Private", " Private", "State-gov ", "State", " Private ", "  Private", "Private\u00a0", 5],
      member: ["True", true, "true", "TRUE", false, "False", " false", "tRue"],
      cars: ["2", 1, "1", "1.0", 1.5, "2.0", 2, "00501", "501", 501, -3, "-3.0", "+1", "1e0", "0.2e1", true],
      town: ["Bonn", "Ulm", "Erding", 7, "7.0", "Rome"],
      old: ["b", "a", "c", " b"],
      step: ["10", "1e1", "1E1", " 10.0 ", "0", "-0", "-0.0", "0e0", ".5", "5e-1", "1E-7", "0.5 ", "1.0e1", "1e-07"],
      address: ["Ulm\nMain St", "Ulm\r\nMain St", "Bonn\nLake St", " Bonn\r\nLake St ", "Ulm Main St"],
    },
    beyondGraphs: ["  Private", "Private\u00a0", "tRue", "+1", "0.2e1", ".5", "1.0e1", "1e-07"],
  },
  "texts that mean missing, and NA that does not": {
    table: {
      inputs: [
        { kind: "numeric", name: "height", fill: 1.75 },
        names("country", ["NA", "DE"], { shares: [0.5, 0.5], fill: "DE" }),
        names("job", [MISSING_CATEGORY, "cook"], { shares: [0.25, 0.75], fill: MISSING_CATEGORY }),
        names("never missing", ["x", "y"], { shares: [0.9, 0.1], fill: MISSING_CATEGORY }),
      ],
      target: { kind: "numeric", names: ["y", "z"] },
      missing: "category",
      missingTexts: ["?", "-999", "N/A"],
    },
    loss: mse,
    output: { clip: true },
    targets: [statistics("y", 3, 2), statistics("z", 0, 1)],
    cells: {
      height: [1.6, "?", "-999", -999, null, "1.9", " 2e0 ", "N/A", 1.5],
      country: ["NA", "DE", "?", " N/A", null, "null", "nan"],
      job: ["cook", "?", "", " ", "-999", "baker"],
      "never missing": ["y", "x", "?"],
    },
  },
  "numbers far from 0, close to each other, and huge": {
    table: {
      inputs: ["time", "close", "huge"].map((name) => ({ kind: "numeric", name }) as const),
      target: { kind: "numeric", names: ["when", "price"] },
      missing: "error",
    },
    loss: mse,
    output: {},
    targets: [statistics("when", NOW, 40), statistics("price", 1e9, 0.5)],
    cells: {
      time: [NOW, NOW + 1, NOW + 2, NOW + 2.5],
      close: [14.62, 14.62 + 1e-13, 14.62 + 1e-12],
      huge: [1e100, 1.1e100, 3e100],
    },
  },
  "dates": {
    table: {
      inputs: [
        { kind: "date", name: "sold", origin: 19_000.25, parts: ["year", "month", "weekday", "hour"] },
        { kind: "date", name: "born", format: "%d.%m.%y", origin: 3000, parts: ["month"], fill: 2999 },
        { kind: "date", name: "seen", format: "%b %d, %Y %I:%M %p", origin: 19_000, parts: ["hour"] },
        { kind: "numeric", name: "x" },
      ],
      target: { kind: "classes", name: "bought", classes: ["no", "yes"] },
      missing: "mean",
      missingTexts: ["01.01.01"],
    },
    loss: bceWithLogits,
    output: { temperature: 0.9 },
    targets: [],
    cells: {
      sold: [
        "2021-06-01",
        "2024-02-29T23:59:59.5",
        "1969-12-31 06:00+05:30",
        "2022/7/4 20:00-03:30",
        "2022-12",
        "0001-01-01",
        "2020-03-01T00:00Z",
      ],
      born: ["31.12.68", " 1.2.69", null, "29.02.04", "01.01.01"],
      seen: ["Jan 5, 2022 12:05 AM", "sep. 30, 2021 12:00 PM", "December 24, 2020 6:30 p.m."],
      x: [1, 2],
    },
  },
};

/** Rows in each of which one column has another cell than in the first. */
function rowsOf(cells: Record<string, Cell[]>): Row[] {
  const first = Object.fromEntries(Object.entries(cells).map(([name, [cell]]) => [name, cell]));
  return Object.entries(cells).flatMap(([name, own]) => own.map((cell) => ({ ...first, [name]: cell })));
}

/** The input scaler that training would make of these rows: numbers of names are left as they are. */
function inputScaler({ inputs, missingTexts }: Table, rows: readonly Row[]): Scaler {
  const encoder = new TableEncoder({ inputs, missingTexts });
  const encoded = rows.map((row) => {
    const out = new Float64Array(encoder.names.length);
    encoder.encode(inputs.map(({ name }) => row[name] === null ? undefined : `${row[name]}`), out, 0);
    return out;
  });
  const names = inputs.flatMap((column) => encodedNames([column]).map(() => namesOf(column)));
  return new Scaler(
    "robust",
    encoder.names.map((name, i) => {
      const values = encoded.map((row) => row[i]).sort((a, b) => a - b);
      const quantiles = Array.from({ length: 17 }, (_, k) => values[Math.floor(k / 16 * (values.length - 1))]);
      const [min, max] = [values[0], values.at(-1)!];
      const own = { name, min, max, mean: (min + max) / 2, deviation: (max - min) / 2, quantiles };
      // What has one value is left as it is, as numbers of names are.
      return names[i] !== undefined || min === max ? { ...own, names: names[i] ?? 1 } : own;
    }),
  );
}

/** How many names the network has for a column; undefined for numbers. */
function namesOf(column: InputColumn): number | undefined {
  return column.kind === "categorical" ? nameRows(column) : undefined;
}

/** The layer of a table's columns: every second one of names has trained rows, the others are one-hot. */
function embeddingOf({ inputs }: Table): TableEmbedding {
  const columns = inputs.flatMap((column, i): EmbeddedColumn[] => {
    if (column.kind !== "categorical") return encodedNames([column]).map(() => ({ kind: "number" }));
    return [{ kind: "names", names: nameRows(column), shares: column.shares, width: i % 2 === 0 ? 3 : undefined }];
  });
  return new TableEmbedding({ columns, numbers: "pbld", members: MEMBERS });
}

const MEMBERS = 2;

async function save(device: Model["device"], path: string, { table, loss, output, targets: own, cells }: AwkwardTable) {
  const features = encodedNames(table.inputs);
  const targets = outputNames(table.target, loss.kind);
  const columns = embeddingOf(table);
  const options = { members: MEMBERS };
  const layers = [columns, new Linear(columns.outputs, 8, options), new Tanh(), new Linear(8, targets.length, options)];
  using model = new Model(device, layers);
  const random = new Random(5, "awkward tables");
  model.load(Object.fromEntries(model.parameters.map(({ name, parameter }) => {
    const length = parameter.shape.reduce((a, b) => a * b);
    return [name, Float32Array.from({ length }, () => random.normal() / (name.endsWith("waves") ? 10 : 1))];
  })));
  const none = targets.map((name) => statistics(name, 0, 1));
  const scalers = {
    inputs: inputScaler(table, rowsOf(cells)),
    targets: new Scaler(own.length > 0 ? "standardize" : "none", own.length > 0 ? own : none),
  };
  await saveModel(path, model, { table, features, targets, scalers, loss, output, settings: {} });
}

/** A model of random weights on a table, as exports have it, and what the library predicts for the table's rows. */
export async function modelOf(device: Model["device"], place: Workplace, name: string) {
  const path = place.at("model.safetensors");
  const own = TABLES[name];
  await save(device, path, own);
  const rows = rowsOf(own.cells);
  using loaded = new LoadedModel(await SavedModel.load(device, path));
  const predicted = await loaded.predict(rows);
  const model = await readExportedModel(`awkward_${Object.keys(TABLES).indexOf(name)}`, path);
  return { model, rows, wanted: predicted.map((prediction) => toExpected(prediction)) };
}

/** A prediction of the library or of an export. */
// deno-lint-ignore no-explicit-any -- numbers by target, or a class
export function toExpected(prediction: any): Expected {
  if (!("probabilities" in prediction)) return { numbers: prediction };
  const { class: label, probabilities } = prediction as ClassPrediction;
  return { class: label, numbers: probabilities };
}

/** Compares to five digits of how far the predictions lie apart. */
export function assertAgree(found: readonly Expected[], wanted: readonly Expected[], rows: readonly Row[]): void {
  assertEquals(found.length, wanted.length);
  for (const name of Object.keys(wanted[0].numbers)) {
    const own = wanted.map(({ numbers }) => numbers[name]);
    const spread = Math.max(...own) - Math.min(...own);
    assert(spread > 0, `${name} does not vary`);
    found.forEach(({ numbers }, i) => {
      const distance = Math.abs(numbers[name] - own[i]);
      assert(distance <= 1e-5 * spread, `${name}: ${numbers[name]}, not ${own[i]}, of ${JSON.stringify(rows[i])}`);
    });
  }
  assertEquals(found.map((row) => row.class), wanted.map((row) => row.class));
}

/**
 * A model as an ONNX file. The graph prepares the rows:
 *
 *   inputs    `numeric` double [N, numeric columns], and for each categorical column one with its name, string [N, 1]
 *   outputs   `prediction` double [N, targets]; or `label` string [N] and `probabilities` float [N, classes]
 *
 * A missing number is NaN; a missing name is an empty text or one of the texts that meant so in training. A graph knows a
 * name by a list of spellings (`spellingsOf`). Without a fill value a missing number stays NaN and a missing name counts as
 * unseen: a graph cannot refuse a row.
 */

import { isMissing, numberOf } from "../../lib/data/cells.ts";
import { nameKey } from "../../lib/data/names.ts";
import type { CategoricalColumn, InputColumn, NumericColumn } from "../../lib/data/table.ts";
import { placeOf, placesOf } from "../../lib/data/table_encoder.ts";
import { showJson } from "../../lib/base/printable.ts";
import { VERSION } from "../../lib/base/version.ts";
import type { ExportedModel } from "./exported_model.ts";
import { OnnxGraph } from "./onnx_format.ts";
import { addNetwork, concat, reorder, row } from "./onnx_layers.ts";
import { addOutputs, NAMES, type Names } from "./onnx_outputs.ts";
import { scaleInputs } from "./onnx_scaling.ts";

/** Which cells of names a graph knows, for people: what `spellingsOf` lists. */
export const NAMES_NOTE = "Cells of names are known by a list of spellings: as in the columns of the metadata; " +
  "a number also as 10, 10.0, 1e1 or 1E1, and 0 as -0 or -0.0; a boolean also as true, True or TRUE; " +
  "lines within a name with \\n or \\r\\n; each also with one space before, after or on both sides. " +
  "Strip other spaces first, and write numbers as 10: any other spelling counts as unseen, even one of the training rows.";

/**
 * Encodes a model.
 *
 * @throws {RangeError} If a column of names has no name, or one holds dates.
 */
export function encodeOnnx(model: ExportedModel): Uint8Array<ArrayBuffer> {
  const columns = namesOf(model, "categorical");
  const dates = namesOf(model, "date").map((name) => showJson(name));
  if (dates.length > 0) {
    const columns = dates.length === 1 ? `column ${dates[0]} holds` : `the columns ${dates.join(", ")} hold`;
    throw new RangeError(
      `Cannot export to ONNX: ${columns} dates, which a graph cannot read; export with --format ts or --format pytorch, ` +
        "or train without (--ignore)",
    );
  }
  if (columns.includes("")) throw new RangeError("Cannot export to ONNX: inputs need names, and one column has none");
  const names = Object.fromEntries(NAMES.map((name) => [name, freeName(name, columns)])) as Names;
  const graph = new OnnxGraph([...columns, ...Object.values(names)]);
  const x = addNetwork(graph, addInputs(graph, model, names.numeric), model.members);
  addOutputs(graph, x, model, names);
  return graph.encode(model.name, VERSION, propertiesOf(model, names.numeric));
}

function freeName(name: string, taken: readonly string[]): string {
  return taken.includes(name) ? freeName(`${name}_`, taken) : name;
}

/** The names of the columns of a kind. */
export function namesOf({ inputs }: ExportedModel, kind: InputColumn["kind"]): string[] {
  return inputs.filter((column) => column.kind === kind).map(({ name }) => name);
}

function propertiesOf(model: ExportedModel, numericName: string): Record<string, string> {
  const { name, inputs, missingTexts, output, notes } = model;
  return {
    run: name,
    columns: JSON.stringify(inputs),
    [`columns of ${numericName}`]: JSON.stringify(namesOf(model, "numeric")),
    "missing texts": JSON.stringify(missingTexts),
    ...(namesOf(model, "categorical").length > 0 ? { names: NAMES_NOTE } : {}),
    ...(notes ? { notes: JSON.stringify(notes) } : {}),
    target: JSON.stringify(output.kind === "classes" ? output.name : output.names),
    ...(output.kind === "classes" ? { classes: JSON.stringify(output.classes) } : {}),
  };
}

/** The encoded and scaled rows [N, encoded columns]. */
function addInputs(graph: OnnxGraph, model: ExportedModel, numericName: string): string {
  const { inputs, scalings, missingTexts } = model;
  const placesOf = (kind: InputColumn["kind"]) => inputs.flatMap((column, i) => column.kind === kind ? [i] : []);
  const numeric = placesOf("numeric");
  const names = placesOf("categorical");
  const blocks = names.map((i) => addCodes(graph, inputs[i] as CategoricalColumn, missingTexts));
  if (numeric.length > 0) {
    const own = numeric.map((i) => inputs[i] as NumericColumn);
    blocks.unshift(addNumbers(graph, graph.input(numericName, "double", own.length), own, missingTexts));
  }
  // The numeric columns come first here; the network takes its columns in the table's order.
  const x = reorder(graph, concat(graph, blocks), [...numeric, ...names], inputs.length);
  return graph.cast(scaleInputs(graph, x, scalings), "float");
}

/** Numbers [N, columns] with their fill values. */
function addNumbers(graph: OnnxGraph, x: string, columns: NumericColumn[], missingTexts: readonly string[]): string {
  const fills = Float64Array.from(columns, ({ fill }) => fill ?? NaN);
  // Such as -999.
  const numbers = missingTexts.map(numberOf).filter((value) => !Number.isNaN(value));
  if (numbers.length === 0 && fills.every(Number.isNaN)) return x;
  const isMissing = numbers.reduce((found, value) => {
    return graph.add("Or", [found, graph.add("Equal", [x, row(graph, Float64Array.of(value))])]);
  }, graph.add("IsNaN", [x]));
  return graph.add("Where", [isMissing, row(graph, fills), x]);
}

/** A column of names: the number of each, as float64 [N, 1]; one that training did not see has the number after the last. */
function addCodes(graph: OnnxGraph, column: CategoricalColumn, missingTexts: readonly string[]): string {
  const { name, categories, fill } = column;
  const known = placesOf(categories);
  const keys = spellingsOf(categories, missingTexts);
  const places = keys.map((key) => {
    const text = isMissing(key, missingTexts) ? fill : key.trim();
    return (text === undefined ? undefined : placeOf(known, text)) ?? categories.length;
  });
  const code = graph.add("LabelEncoder", [graph.input(name, "string", 1)], {
    keys_strings: { strings: keys },
    values_int64s: { ints: places },
    default_int64: { i: categories.length },
  }, "ai.onnx.ml");
  return graph.cast(code, "double");
}

/** The texts that a graph knows: a graph cannot take spaces off a text, nor read a number in it. */
function spellingsOf(categories: readonly string[], missingTexts: readonly string[]): string[] {
  const spellings = categories.flatMap((name) => {
    const key = nameKey(name);
    if (key === "true" || key === "false") return [name, key, key.toUpperCase(), key[0].toUpperCase() + key.slice(1)];
    return [name, key, key.replaceAll("\n", "\r\n"), ...numberForms(key)];
  });
  const texts = [...spellings, "", ...missingTexts];
  return [...new Set(texts.flatMap((text) => [text, ` ${text}`, `${text} `, ` ${text} `]))];
}

/** Usual ways to write the number that a name is known by; none if that is no number. */
function numberForms(key: string): string[] {
  const power = Number(key).toExponential().replace("+", "");
  const forms = [`${key}.0`, power, power.toUpperCase(), "-0", "-0.0"];
  return forms.filter((form) => nameKey(form) === key);
}

/** What every export is made from: a trained network, and all that happens between raw columns and raw predictions. */

import { printable } from "../../lib/base/printable.ts";
import { readSafetensors } from "../../lib/safetensors/reader.ts";
import { inFile } from "../../lib/model_file/file_format.ts";
import { type ModelDescription, parseStored } from "../../lib/model_file/saved_model.ts";
import { MISSING_TEXTS } from "../../lib/data/cells.ts";
import type { InputColumn } from "../../lib/data/table.ts";
import type { TableNotes } from "../../lib/data/table_notes.ts";
import { targetNames } from "../../lib/data/table_json.ts";
import { type ExportedLayer, membersOf } from "./exported_layers.ts";

/** How a column is scaled: scaled = (raw - shift) / factor, and with a clip scaled / sqrt(1 + (scaled / clip)^2) of that. */
export interface Scaling {
  shift: number;
  factor: number;
  clip?: number;
}

/** What happens to the outputs of the members. They are averaged; of classes and probabilities the probabilities are. */
export type ExportedOutput =
  /** Raw = output * factor + shift, one output per name; within the range of each, where there are ranges. */
  | {
    kind: "numbers";
    names: readonly string[];
    scalings: readonly Scaling[];
    ranges?: readonly { min: number; max: number }[];
  }
  /** The sigmoid of each output. */
  | { kind: "probabilities"; names: readonly string[]; temperature?: number }
  /** The softmax of all outputs; if two classes have a single output, its sigmoid is the probability of the second. */
  | {
    kind: "classes";
    name: string;
    classes: readonly string[];
    outputs: number;
    /** Divides the logits of the mean probabilities. */
    temperature?: number;
    /** The least probability of the second of two classes that makes it the answer; without it the most likely class is. */
    threshold?: number;
  };

export interface ExportedModel {
  name: string;
  inputs: readonly InputColumn[];
  /** Texts that mean that a cell is missing, besides blank ones. */
  missingTexts: readonly string[];
  /** Columns that rows may have besides the inputs: what is predicted. */
  targets: readonly string[];
  scalings: readonly Scaling[];
  /** The layers of each member: networks that are the same but for their weights. */
  members: readonly (readonly ExportedLayer[])[];
  output: ExportedOutput;
  /** What was made of the table that it was trained on. */
  notes?: TableNotes;
}

/**
 * Reads the model of a run.
 *
 * @throws {DataError} If the file is no such model, or does not fit together.
 * @throws {Deno.errors.NotFound} If there is no such file.
 */
export async function readExportedModel(name: string, path: string): Promise<ExportedModel> {
  const stored = await readSafetensors(path);
  const { description, layers } = parseStored(stored, path);
  const { table: { inputs, target, missingTexts = MISSING_TEXTS }, scalers, notes } = description;
  return {
    name,
    inputs,
    missingTexts,
    targets: targetNames(target),
    scalings: scalers.inputs.scalings,
    members: inFile(path, () => membersOf(layers, stored.tensors)),
    output: describeOutput(description),
    notes,
  };
}

/** A text, number or list of them, as TypeScript and Python read it; characters that turn text around are escaped. */
export function literal(value: string | number | readonly (string | number)[]): string {
  return Array.isArray(value) ? `[${value.map(literal).join(", ")}]` : printable(JSON.stringify(value));
}

/** A date as a column's format writes it, for people: the last of January 2026, at noon. */
export function dateExample(format = "%Y-%m-%d"): string {
  return format.replaceAll(/%(.)/g, (_, piece) => EXAMPLES[piece]);
}

const EXAMPLES: Readonly<Record<string, string>> = {
  Y: "2026",
  y: "26",
  m: "01",
  b: "Jan",
  B: "January",
  d: "31",
  H: "12",
  I: "12",
  M: "00",
  S: "00",
  p: "PM",
  z: "+00:00",
};

/** Lines of code, each indented. */
export function indent(lines: readonly string[], spaces: number): string {
  return lines.map((line) => `${" ".repeat(spaces)}${line}\n`).join("");
}

function describeOutput(
  { table: { target }, targets, scalers, loss, output = {} }: ModelDescription,
): ExportedOutput {
  const { temperature, clip, threshold } = output;
  const outputs = targets.length;
  if (target.kind === "classes") {
    const { name, classes } = target;
    // Of a single output, a probability of 0.5 of the second class is the second.
    const least = threshold ?? (outputs === 1 ? 0.5 : undefined);
    return { kind: "classes", name, classes, outputs, temperature, threshold: least };
  }
  // Shares as numeric targets: the names are those of the classes.
  if (loss.kind === "softmax") return { kind: "classes", name: "class", classes: targets, outputs, temperature };
  if (loss.kind === "bce") return { kind: "probabilities", names: targets, temperature };
  const { scalings, columns } = scalers.targets;
  return { kind: "numbers", names: targets, scalings, ranges: clip && columns.map(({ min, max }) => ({ min, max })) };
}

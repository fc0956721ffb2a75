/** The pass over the rows that learns from those that train: table, scalers, and what is worth knowing. */

import { CellError, cellFault, MISSING_TEXTS, numberOf } from "../../lib/data/cells.ts";
import { targetForm } from "../../lib/model_file/metadata.ts";
import { Scaler } from "../../lib/data/scaler.ts";
import type { ColumnStatistics } from "../../lib/data/statistics.ts";
import type { Table } from "../../lib/data/table.ts";
import { TargetEncoder } from "../../lib/data/table_encoder.ts";
import type { ColumnNote, TableNotes } from "../../lib/data/table_notes.ts";
import type { Config } from "../settings/settings.ts";
import { countOf } from "./name_counts.ts";
import { type Scalers, sourceName, targetScaler } from "./scaled_dataset.ts";
import { DROPPED, type PartName, PARTS } from "./split.ts";
import { type ColumnFit, fitOf } from "./table_fit.ts";
import type { OnProgress } from "./table_look.ts";
import { noColumnLeft, type TablePlan } from "./table_plan.ts";
import { partedBlocks, type PartedTable } from "./table_rows.ts";
import { TargetFit } from "./target_fit.ts";
import { sampleSize } from "./value_sample.ts";

/** What the training rows say, and how many rows each part has. */
interface Fitted {
  table: Table;
  /** Which of the planned inputs the table has: those that differ among the training rows. */
  inputPlaces: number[];
  scalers: Scalers;
  counts: Record<PartName, number>;
  /** Training rows of each class; empty where numbers are predicted. */
  classes: ReadonlyMap<string, number>;
  notes: TableNotes;
}

/** What the rows were gathered to. */
interface Gathered {
  inputs: ColumnFit[];
  target: TargetFit;
  /** Rows of each part. */
  rows: [number, number, number];
  /** Rows that are left out: of the table that is split, and of the files of validation and test rows. */
  dropped: [number, number, number];
}

/**
 * Learns table and scalers.
 *
 * @throws {DataError} If a cell of a recipe's file is no number, or no column differs among the training rows.
 * @throws {RangeError} If no row trains, or the target of those that do is always the same.
 */
export async function fit(
  config: Config,
  plan: TablePlan,
  tables: readonly PartedTable[],
  onProgress: OnProgress,
): Promise<Fitted> {
  const gathered = await gather(config, plan, tables, onProgress);
  const [train, validation, test] = gathered.rows;
  const name = sourceName(config);
  if (train === 0) throw new RangeError(`${name}: no row is left for training${whyNone(config, validation + test)}`);
  try {
    const { target, statistics, counts, notes: targetNotes } = gathered.target.result();
    const fitted = gathered.inputs.map((fit) => fit.result());
    // A recipe's columns are what they are: a constant one is an error of scaling.
    const constant = plan.isLookedAt ? fitted.filter(({ constant }) => constant !== undefined) : [];
    const reasons = new Map(constant.map(({ column, constant }) => [column.name, constant!]));
    const inputPlaces = [...fitted.keys()].filter((i) => !reasons.has(fitted[i].column.name));
    const columns = plan.notes.columns.map((note): ColumnNote =>
      reasons.has(note.name) ? { ...note, as: "left out", holds: reasons.get(note.name)! } : note
    );
    if (inputPlaces.length === 0) throw noColumnLeft({ columns, notes: plan.notes.notes }, name);
    const kept = inputPlaces.map((i) => fitted[i]);
    const outputs = target.kind === "numeric" ? [] : new TargetEncoder(target, targetForm(target, plan.loss)).names;
    const rare = [...counts].filter(([_, count]) => count === 1).map(([name]) => name);
    const areUsual = `${config.missingTexts}` === `${MISSING_TEXTS}`;
    return {
      table: {
        inputs: kept.map(({ column }) => column),
        target,
        missing: config.missing,
        ...(areUsual ? {} : { missingTexts: config.missingTexts }),
      },
      inputPlaces,
      scalers: {
        inputs: new Scaler(config.scalingMethod, kept.flatMap(({ statistics }) => statistics)),
        targets: target.kind === "classes"
          ? new Scaler("none", shareStatistics(outputs, target.classes, counts))
          // A recipe's targets from 0 to 1 are classes, too.
          : targetScaler(plan.loss === "bce" ? "none" : config.scalingMethod, statistics),
      },
      counts: { train, validation, test },
      classes: counts,
      notes: {
        columns,
        notes: [
          ...plan.notes.notes,
          ...kept.flatMap(({ notes }) => notes),
          ...targetNotes,
          ...droppedNotes(gathered.dropped),
          ...(rare.length > 0 ? [`classes with a single training row: ${rare.join(", ")}`] : []),
        ],
      },
    };
  } catch (error) {
    throw error instanceof RangeError ? new RangeError(`${name}: ${error.message}`, { cause: error }) : error;
  }
}

async function gather(
  config: Config,
  plan: TablePlan,
  tables: readonly PartedTable[],
  onProgress: OnProgress,
): Promise<Gathered> {
  const size = sampleSize(plan.inputs.filter(({ kind }) => kind !== "categorical").length);
  const inputs = plan.inputs.map((input) => fitOf(input, config, size));
  const target = new TargetFit(plan.targets, plan.kind, config.missingTexts);
  const rows: Gathered["rows"] = [0, 0, 0];
  const dropped: Gathered["dropped"] = [0, 0, 0];
  for await (const { records, parts, part, places, faultOf } of partedBlocks(config, plan, tables, onProgress)) {
    const targets = places.slice(inputs.length);
    for (let i = 0; i < records.length; i++) {
      const fault = plan.isLookedAt ? undefined : cellErrorIn(plan, records[i], places);
      if (fault) throw faultOf(fault, i);
      if (parts[i] === DROPPED) {
        dropped[part]++;
        continue;
      }
      rows[parts[i]]++;
      try {
        for (let column = 0; column < inputs.length; column++) {
          const cell = records[i][places[column]];
          if (parts[i] === 0) inputs[column].add(cell);
          else inputs[column].addOther(cell);
        }
        if (parts[i] === 0) target.add(targets.map((place) => records[i][place]));
      } catch (error) {
        throw faultOf(error, i);
      }
    }
  }
  return { inputs, target, rows, dropped };
}

/** Why no row may be left. */
function whyNone({ timeColumn }: Config, others: number): string {
  if (others === 0) return ": all have missing cells; fill them in, or say --missing mean or median";
  if (timeColumn !== "") {
    return `: rows of the same time stay together, and most have the same ${timeColumn}; choose another TIME_COLUMN`;
  }
  return "";
}

function droppedNotes(dropped: Gathered["dropped"]): string[] {
  return PARTS.flatMap((part, i) => {
    if (dropped[i] === 0) return [];
    const rows = countOf(dropped[i], i === 0 ? "row" : `${part} row`);
    return [`${rows} with missing cells ${dropped[i] === 1 ? "is" : "are"} left out`];
  });
}

/** What is wrong with a row that no look has checked. */
function cellErrorIn(
  { inputs, targets, loss }: TablePlan,
  record: readonly string[],
  places: readonly number[],
): CellError | undefined {
  for (let i = 0; i < places.length; i++) {
    const cell = record[places[i]];
    const value = numberOf(cell);
    const isClass = loss === "bce" && i >= inputs.length;
    if (isClass ? value >= 0 && value <= 1 : !Number.isNaN(value)) continue;
    const problem = Number.isNaN(value)
      ? cellFault(cell)
      : `the target is ${value}: loss bce needs targets from 0 to 1`;
    return new CellError(problem, i < inputs.length ? inputs[i].name : targets[i - inputs.length]);
  }
}

/** Statistics of the outputs of classes: their means are the shares of the training rows, as a baseline needs them. */
function shareStatistics(
  outputs: readonly string[],
  classes: readonly string[],
  counts: ReadonlyMap<string, number>,
): ColumnStatistics[] {
  const rows = classes.reduce((sum, name) => sum + counts.get(name)!, 0);
  // A single output is the probability of the second class.
  const counted = outputs.length === 1 ? [classes[1]] : classes;
  return outputs.map((name, i) => ({ name, min: 0, max: 1, mean: counts.get(counted[i])! / rows, deviation: 1 }));
}

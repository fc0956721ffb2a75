/** Measures a trained run on rows whose target is known. */

import { stringify } from "@std/csv";
import { DataError } from "../../lib/base/errors.ts";
import { type Evaluation, Evaluator, toRaw } from "../../lib/evaluate/evaluation.ts";
import { isMissing } from "../../lib/data/cells.ts";
import { printable } from "../../lib/base/printable.ts";
import { targetForm } from "../../lib/model_file/metadata.ts";
import { type Intervals, RunningCoverage } from "../../lib/model_file/intervals.ts";
import type { SavedModel } from "../../lib/model_file/saved_model.ts";
import type { Table } from "../../lib/data/table.ts";
import { TableEncoder, TargetEncoder, type UnseenNames } from "../../lib/data/table_encoder.ts";
import { targetNames } from "../../lib/data/table_json.ts";
import { requestMeasured } from "../settings/adapters.ts";
import { ConfigError, type TaskConfig } from "../settings/config.ts";
import { formatClasses, formatCoverage, formatEvaluations, type IntervalCoverage } from "../show/evaluation_report.ts";
import { checkOutput } from "../runs/outputs.ts";
import { type FileRecord, fileRecords, loadRun } from "../runs/saved_run.ts";
import { askedThreshold } from "../runs/threshold.ts";
import { shortEvaluation } from "../show/short_evaluation.ts";
import { fromUsersFolder, writeAside } from "../settings/users_files.ts";
import { intervalsOf } from "./intervals.ts";
import { tellUnseen } from "./unseen.ts";

/** Most values of the rows that are measured at a time: of 1,000 classes each row has as many. */
const MAX_VALUES = 1 << 20;

export async function main({ extras, runName, given }: TaskConfig): Promise<void> {
  const { DATA: data, JSON: json = "false" } = extras;
  const faults = [
    ...(data === undefined ? ["nothing to measure on: --data file.csv names rows whose target is known"] : []),
    ...(json === "true" || json === "false" ? [] : [`--json is ${json}: allowed is true or false`]),
  ];
  if (faults.length > 0) throw new ConfigError(faults);
  const path = fromUsersFolder(data!);
  const matrix = fromUsersFolder(extras.CONFUSION);
  if (matrix !== undefined) await checkOutput(runName, ["--confusion", matrix], { reads: ["--data", path] });
  using device = await requestMeasured();
  using model = await loadRun(device, runName);
  const threshold = await askedThreshold(extras.THRESHOLD, runName, model, given.THRESHOLD);
  const intervals = intervalsOf(model, extras.INTERVAL);
  const { evaluation, coverage, dropped, unseen } = await measure(model, path, { threshold, intervals });
  tellUnseen(data!, unseen);
  if (matrix !== undefined) await writeMatrix(matrix, evaluation);
  if (json === "true") {
    const measures = shortEvaluation(evaluation);
    const shown = { run: runName, data, dropped, unseen, ...measures, interval: coverage };
    console.log(printable(JSON.stringify(shown)));
    return;
  }
  if (dropped > 0) console.log(`rows with missing cells, left out as in training: ${dropped}`);
  const classes = formatClasses(evaluation);
  const told = coverage ? formatCoverage(coverage) : [];
  console.log([formatEvaluations({ [runName]: evaluation }), ...(classes ? [classes] : []), ...told].join("\n"));
}

/** Writes how often each class was predicted as which: a line for each actual class, a column for each predicted one. */
async function writeMatrix(path: string, { confusion, perClass }: Evaluation): Promise<void> {
  if (!confusion || !perClass) throw new ConfigError(["--confusion: the run predicts no classes, but numbers"]);
  const names = perClass.map((one) => one.class);
  await writeAside(path, async (sink) => {
    await sink(stringify([["actual", ...names]]));
    for (const [i, name] of names.entries()) await sink(stringify([[name, ...confusion.row(i)]]));
  });
}

/** What flags ask for. */
interface Asked {
  readonly threshold?: number;
  readonly intervals?: Intervals;
}

/** What a file's rows say of a run. */
interface Measured {
  evaluation: Evaluation;
  /** How often intervals hold the truth, where they are asked for. */
  coverage?: IntervalCoverage;
  /** Rows that were left out. */
  dropped: number;
  /** Names that training did not see, by column. */
  unseen: readonly UnseenNames[];
}

/** Reads the rows once, in constant memory. */
async function measure(model: SavedModel, path: string, { threshold, intervals }: Asked): Promise<Measured> {
  const { table, loss, scalers, baseline } = model.description;
  const { target } = table;
  const classes = target.kind === "classes" ? target.classes : undefined;
  const evaluator = new Evaluator(loss, scalers.targets, { baseline, classes, threshold });
  const running = intervals && new RunningCoverage(intervals, model.description);
  const encoder = new TableEncoder(table);
  const targets = new TargetEncoder(target, targetForm(target, loss.kind), table.missingTexts);
  const columns = [...table.inputs.map(({ name }) => name), ...targetNames(target)];
  const most = Math.max(1, Math.floor(MAX_VALUES / Math.max(encoder.names.length, targets.names.length)));
  let rows = 0;
  let dropped = 0;
  for await (const records of fileRecords(path, columns)) {
    const kept = records.filter((record) => !isDropped(record, table));
    for (let first = 0; first < kept.length; first += most) {
      const some = kept.slice(first, first + most);
      const x = new Float64Array(some.length * encoder.names.length);
      const y = new Float64Array(some.length * targets.names.length);
      some.forEach(({ cells, placed }, i) => {
        try {
          encoder.encode(cells.slice(0, table.inputs.length), x, i * encoder.names.length);
          targets.encode(cells.slice(table.inputs.length), y, i * targets.names.length);
        } catch (error) {
          throw placed(error);
        }
      });
      const { output, own } = await model.outputsEach(x, rows + first + 1);
      evaluator.add(output, scalers.targets.transform(y));
      running?.add({ predicted: toRaw(output, loss, scalers.targets), own }, y);
    }
    rows += kept.length;
    dropped += records.length - kept.length;
  }
  if (rows === 0) throw new DataError("every row has missing cells, and the run leaves such rows out", { file: path });
  const coverage = running && { level: running.level, isOfClasses: running.isOfClasses, targets: running.result() };
  return { evaluation: evaluator.result(), coverage, dropped, unseen: encoder.unseen };
}

/** Whether training would have left the record out. */
function isDropped({ cells }: FileRecord, { missing, missingTexts }: Table): boolean {
  return missing === "drop" && cells.some((cell) => isMissing(cell, missingTexts));
}

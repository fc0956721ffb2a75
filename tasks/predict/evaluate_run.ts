/** Measures a trained run on rows whose target is known. */

import { Device } from "../../lib/gpu/device.ts";
import { DataError } from "../../lib/base/errors.ts";
import { type Evaluation, Evaluator } from "../../lib/evaluate/evaluation.ts";
import { isMissing } from "../../lib/data/cells.ts";
import { printable } from "../../lib/base/printable.ts";
import { targetForm } from "../../lib/model_file/metadata.ts";
import type { SavedModel } from "../../lib/model_file/saved_model.ts";
import type { Table } from "../../lib/data/table.ts";
import { TableEncoder, TargetEncoder, type UnseenNames } from "../../lib/data/table_encoder.ts";
import { targetNames } from "../../lib/data/table_json.ts";
import { ConfigError, type TaskConfig } from "../settings/config.ts";
import { formatClasses, formatEvaluations } from "../show/evaluation_report.ts";
import { type FileRecord, fileRecords, loadRun } from "../runs/saved_run.ts";
import { fromUsersFolder } from "../settings/users_files.ts";
import { tellUnseen } from "./unseen.ts";

export async function main({ extras: { DATA: data, JSON: json = "false" }, runName }: TaskConfig): Promise<void> {
  const faults = [
    ...(data === undefined ? ["nothing to measure on: --data file.csv names rows whose target is known"] : []),
    ...(json === "true" || json === "false" ? [] : [`--json is ${json}: allowed is true or false`]),
  ];
  if (faults.length > 0) throw new ConfigError(faults);
  const path = fromUsersFolder(data!);
  using device = await Device.request();
  using model = await loadRun(device, runName);
  const { evaluation, dropped, unseen } = await measure(model, path);
  tellUnseen(data!, unseen);
  if (json === "true") {
    console.log(printable(JSON.stringify({ run: runName, data, dropped, unseen, ...evaluation })));
    return;
  }
  if (dropped > 0) console.log(`rows with missing cells, left out as in training: ${dropped}`);
  const classes = formatClasses(evaluation);
  console.log([formatEvaluations({ [runName]: evaluation }), ...(classes ? [classes] : [])].join("\n"));
}

/** What a file's rows say of a run. */
interface Measured {
  evaluation: Evaluation;
  /** Rows that were left out. */
  dropped: number;
  /** Names that training did not see, by column. */
  unseen: readonly UnseenNames[];
}

/** Reads the rows once, in constant memory. */
async function measure(model: SavedModel, path: string): Promise<Measured> {
  const { table, loss, scalers, baseline } = model.description;
  const { target } = table;
  const classes = target.kind === "classes" ? target.classes : undefined;
  const evaluator = new Evaluator(loss, scalers.targets, { baseline, classes });
  const encoder = new TableEncoder(table);
  const targets = new TargetEncoder(target, targetForm(target, loss.kind), table.missingTexts);
  const columns = [...table.inputs.map(({ name }) => name), ...targetNames(target)];
  let rows = 0;
  let dropped = 0;
  for await (const records of fileRecords(path, columns)) {
    const kept = records.filter((record) => !isDropped(record, table));
    const x = new Float64Array(kept.length * encoder.names.length);
    const y = new Float64Array(kept.length * targets.names.length);
    kept.forEach(({ cells, placed }, i) => {
      try {
        encoder.encode(cells.slice(0, table.inputs.length), x, i * encoder.names.length);
        targets.encode(cells.slice(table.inputs.length), y, i * targets.names.length);
      } catch (error) {
        throw placed(error);
      }
    });
    evaluator.add(await model.outputs(x, rows + 1), scalers.targets.transform(y));
    rows += kept.length;
    dropped += records.length - kept.length;
  }
  if (rows === 0) throw new DataError("every row has missing cells, and the run leaves such rows out", { file: path });
  return { evaluation: evaluator.result(), dropped, unseen: encoder.unseen };
}

/** Whether training would have left the record out. */
function isDropped({ cells }: FileRecord, { missing, missingTexts }: Table): boolean {
  return missing === "drop" && cells.some((cell) => isMissing(cell, missingTexts));
}

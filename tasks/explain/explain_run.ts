/** Explains a trained run: which columns matter, and what it predicts by them. */

import { DataError } from "../../lib/base/errors.ts";
import { printable } from "../../lib/base/printable.ts";
import { askedRun } from "../runs/asked_run.ts";
import { RunFolder } from "../runs/folder.ts";
import { openRunRows } from "../runs/run_rows.ts";
import { loadRun } from "../runs/saved_run.ts";
import { requestMeasured } from "../settings/adapters.ts";
import type { TaskConfig } from "../settings/config.ts";
import { explainModel } from "./explain_model.ts";
import { formatExplanation } from "./explanation_text.ts";

export async function main(config: TaskConfig): Promise<void> {
  const run = askedRun("explain", config);
  const { REPEATS: repeats = "5", JSON: json } = config.extras;
  using device = await requestMeasured();
  using model = await loadRun(device, run);
  const rows = await openRunRows(run, model);
  if (typeof rows === "string") {
    throw new DataError(`it cannot be explained. ${rows}`, { file: new RunFolder(run).path });
  }
  using dataset = rows;
  const explanation = await explainModel(model, dataset, { repeats: Number(repeats) });
  console.log(json === "true" ? printable(JSON.stringify({ run, ...explanation })) : formatExplanation(explanation));
}

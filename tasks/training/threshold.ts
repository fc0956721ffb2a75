/** The threshold that a training ends with. */

import type { RowSource } from "../../lib/data/row_source.ts";
import type { SavedModel } from "../../lib/model_file/saved_model.ts";
import { measureRows } from "../runs/run_rows.ts";
import { chooseThreshold } from "../runs/threshold.ts";
import type { TaskConfig } from "../settings/config.ts";
import { formatNumber } from "../show/text_table.ts";
import type { RunView } from "../show/view.ts";

/** The usual threshold: it is not kept. */
const USUAL = 0.5;

/** The threshold that the setting gives, or that its rule chooses on the validation rows; undefined for the usual one. */
export async function trainedThreshold(
  { threshold: asked, texts }: TaskConfig,
  saved: SavedModel,
  validation: RowSource,
  view: RunView,
): Promise<number | undefined> {
  if (typeof asked === "number") return asked === USUAL ? undefined : asked;
  const { target } = saved.description.table;
  const classes = target.kind === "classes" ? target.classes : undefined;
  const chosen = await chooseThreshold(asked, (threshold) => measureRows(saved, validation, { classes, threshold }));
  if (typeof chosen === "string") {
    view.warning(`warning: THRESHOLD is ${texts.THRESHOLD}, but ${chosen}: ${USUAL} is kept`);
    return undefined;
  }
  view.note(`threshold: ${formatNumber(chosen)}, chosen by ${texts.THRESHOLD} on the validation rows`);
  return chosen;
}

/** The threshold that a training ends with. */

import type { Evaluation } from "../../lib/evaluate/evaluation.ts";
import type { ThresholdRule } from "../../lib/evaluate/two_classes.ts";
import { chooseThreshold } from "../runs/threshold.ts";
import type { TaskConfig } from "../settings/config.ts";
import { formatNumber } from "../show/text_table.ts";
import type { RunView } from "../show/view.ts";

/** The usual threshold: it is not kept. */
const USUAL = 0.5;

/**
 * The threshold that the setting gives, or that its rule chooses on the validation rows; undefined for the usual one.
 *
 * @param measure Measures those rows, which there are where a rule is to choose.
 */
export async function trainedThreshold(
  { threshold: asked, texts }: TaskConfig,
  measure: (rule?: ThresholdRule) => Promise<Evaluation>,
  view: RunView,
): Promise<number | undefined> {
  if (typeof asked === "number") return asked === USUAL ? undefined : asked;
  const chosen = await chooseThreshold(asked, measure);
  if (typeof chosen === "string") {
    view.warning(`warning: THRESHOLD is ${texts.THRESHOLD}, but ${chosen}: ${USUAL} is kept`);
    return undefined;
  }
  view.note(`threshold: ${formatNumber(chosen)}, chosen by ${texts.THRESHOLD} on the validation rows`);
  return chosen;
}

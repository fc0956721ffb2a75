/** From which probability on a row counts as the second of two classes: a number, or a rule that validation rows decide. */

import { showName } from "../../lib/base/printable.ts";
import type { Target } from "../../lib/data/table.ts";
import type { Evaluation } from "../../lib/evaluate/evaluation.ts";
import type { ThresholdRule } from "../../lib/evaluate/two_classes.ts";
import type { SavedModel } from "../../lib/model_file/saved_model.ts";
import { ConfigError } from "../settings/config.ts";
import { THRESHOLD } from "../settings/readers.ts";
import { measureRows, openRunRows, validationOf } from "./run_rows.ts";

/** What is wrong with a threshold for a target, in words; undefined if nothing is. */
export function targetFault(target: Target): string | undefined {
  if (target.kind === "classes" && target.classes.length === 2) return undefined;
  const between = "a threshold decides between two classes, and";
  if (target.kind === "numeric") {
    const names = target.names.map(showName).join(", ");
    return `${between} ${names} ${target.names.length > 1 ? "are" : "is"} predicted as numbers: leave it out`;
  }
  const found = `${showName(target.name)} has ${target.classes.length}`;
  return `${between} ${found}: leave it out, and the most probable class is predicted`;
}

/** What is wrong with a rule without validation rows. */
export const NO_VALIDATION = "it is chosen on validation rows, and there are none";

/**
 * Lets a rule choose on validation rows.
 *
 * @param measure Measures them, with the rule or without.
 * @returns The threshold; a sentence if the rows have only one class.
 */
export async function chooseThreshold(
  rule: ThresholdRule,
  measure: (rule?: ThresholdRule) => Promise<Evaluation>,
): Promise<number | string> {
  const { perClass = [] } = await measure();
  const missing = perClass.find(({ rows }) => rows === 0);
  if (missing) return `no validation row is of the class ${showName(missing.class)}, so nothing can be chosen`;
  return (await measure(rule)).threshold!;
}

/**
 * The threshold that the flag of predict or evaluate asks for, else that of the model's file.
 *
 * @param from The environment or .env, where it stands there; undefined for a flag.
 * @throws {ConfigError} If the run does not predict two classes, or its validation rows are needed and not there.
 */
export async function askedThreshold(
  text: string | undefined,
  runName: string,
  saved: SavedModel,
  from?: string,
): Promise<number | undefined> {
  const { table: { target }, output } = saved.description;
  if (text === undefined) return output?.threshold;
  const refuse = (why: string) => new ConfigError([`--threshold is ${JSON.stringify(text)}: ${why}`]);
  const fault = targetFault(target);
  // The environment and .env are the same for all runs, also for those that it says nothing of.
  if (fault && from !== undefined) return undefined;
  if (fault) throw refuse(fault);
  const rule = THRESHOLD.parse(text)!;
  if (typeof rule === "number") {
    if (from !== undefined) console.error(`note: the threshold is ${text}, from ${from}`);
    return rule;
  }
  const dataset = await openRunRows(runName, saved);
  if (typeof dataset === "string") throw refuse(`it is chosen on the run's validation rows. ${dataset}`);
  using opened = dataset;
  const validation = validationOf(opened);
  if (!validation) throw refuse(`${NO_VALIDATION}; give a number, such as 0.3`);
  const classes = target.kind === "classes" ? target.classes : undefined;
  const chosen = await chooseThreshold(rule, (threshold) => measureRows(saved, validation, { classes, threshold }));
  if (typeof chosen === "string") throw refuse(`${chosen}; give a number, such as 0.3`);
  const part = validation.folds ? "out-of-fold" : "validation";
  console.error(
    `threshold: ${Number(chosen.toPrecision(6))}, chosen by ${text} on ${validation.source.rows} ${part} rows`,
  );
  return chosen;
}

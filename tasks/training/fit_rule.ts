/** What is done to the outputs of a trained network: the validation rows say it. */

import type { Folds } from "../../lib/base/folds.ts";
import { toRaw } from "../../lib/evaluate/evaluation.ts";
import { leastRows } from "../../lib/evaluate/conformal.ts";
import { fitTemperature } from "../../lib/evaluate/temperature.ts";
import { Intervals, RunningCoverage, scorePredictions } from "../../lib/model_file/intervals.ts";
import { applyRule, type OutputRule } from "../../lib/model_file/output_rule.ts";
import type { ModelDescription } from "../../lib/model_file/saved_model.ts";
import type { IntervalCoverage } from "../show/evaluation_report.ts";
import { formatNumber } from "../show/text_table.ts";
import type { Part } from "./training.ts";

/** The most values of validation rows that are looked at: of more, every so many rows. */
const MAX_VALUES = 1 << 18;

/** The level of the intervals that training measures. */
const LEVEL = 0.9;

/** What is said with folds. */
const NO_TEMPERATURE = "temperature: none with folds; the mean of the members is less sure than each of them";

/** What a model predicts. */
type Described = Pick<ModelDescription, "table" | "targets" | "scalers" | "loss" | "output">;

interface RuleRequest {
  readonly model: Described;
  /** The parts that have rows. */
  readonly parts: readonly Part[];
  /** Where the validation rows are those of training, each said by the members that held it out. */
  readonly folds?: Folds;
  /** Whether a temperature is fitted. */
  readonly calibrate: boolean;
  /** Whether numbers are clipped. */
  readonly clipTargets: boolean;
}

/** A rule, and what is told of it. */
export interface FittedRule {
  readonly rule: OutputRule;
  readonly told: readonly string[];
}

/** Finds the rule of a trained network. */
export async function fitRule(request: RuleRequest): Promise<FittedRule> {
  const { model, parts, folds, calibrate, clipTargets } = request;
  const { loss, scalers, targets } = model;
  const told: string[] = [];
  let rule: OutputRule = {};
  const isOfLogits = loss.kind === "bce" || loss.kind === "softmax";
  if (clipTargets && !isOfLogits) {
    rule = { clip: true };
    const ranges = scalers.targets.columns.map(({ name, min, max }) => {
      const range = `${formatNumber(min)} to ${formatNumber(max)}`;
      return targets.length > 1 ? `${name} ${range}` : range;
    });
    const more = ranges.length > 5 ? ` and ${ranges.length - 5} more` : "";
    told.push(`predictions are clipped to the range of the training rows: ${ranges.slice(0, 5).join(", ")}${more}`);
  }
  const validation = parts.find(({ name }) => name === "validation");
  if (!validation) return { rule, told };
  const { output, own, y } = await someRows(validation, targets.length);
  // Out of fold single members are measured. Their mean is less sure than they are, and needs no temperature.
  const isFitted = calibrate && isOfLogits && !folds;
  if (calibrate && isOfLogits && folds) told.push(NO_TEMPERATURE);
  const fitted = isFitted ? fitTemperature(output, y, targets.length, loss) : undefined;
  // Below 1 it would make the mean of several networks surer than its rows bear: few rows without a fault ask for that.
  // Nor is one kept that makes the rows' loss worse: it is fitted to smoothed labels, and few rows without a fault ask for that.
  if (fitted && fitted.temperature > 1 && fitted.after < fitted.before) {
    const { temperature, before, after } = fitted;
    rule = { temperature };
    const change = `${before.toPrecision(5)} becomes ${after.toPrecision(5)}`;
    told.push(`temperature ${formatNumber(temperature)}: the loss of the validation rows, ${change}`);
  }
  const predicted = toRaw(applyRule(output, rule, scalers.targets), loss, scalers.targets);
  // A network that puts out no finite numbers is refused where its rows are measured.
  if (!predicted.every(Number.isFinite)) return { rule, told };
  // Out of fold there is one output of a row, without a spread: members that were trained on the row say nothing of it.
  const conformal = scorePredictions({ predicted, own }, scalers.targets.inverse(y), model);
  return { rule: conformal ? { ...rule, conformal } : rule, told };
}

/** What a part's rows give, those of every so many rows where there are very many. */
async function someRows(part: Part, columns: number) {
  const { rows } = part;
  const total = rows.source ? rows.source.rows : rows.x.shape[0];
  const step = Math.ceil(total * columns / MAX_VALUES);
  const output: number[] = [];
  const y: number[] = [];
  const members: number[][] = [];
  let first = 0;
  for await (const block of part.outputs()) {
    const count = block.y.length / columns;
    const size = block.y.length;
    for (let row = (step - first % step) % step; row < count; row += step) {
      for (let at = row * columns; at < (row + 1) * columns; at++) {
        output.push(block.output[at]);
        y.push(block.y[at]);
        for (let member = 0; member < block.own.length / size; member++) {
          (members[member] ??= []).push(block.own[member * size + at]);
        }
      }
    }
    first += count;
  }
  return { output, y, own: members.flat() };
}

/**
 * How often intervals of level 0.9 hold the truth of a part's rows; undefined where the model has none of that level.
 */
export async function coverageOf(part: Part, model: Described): Promise<IntervalCoverage | undefined> {
  const { output: rule = {}, loss, scalers } = model;
  if (!rule.conformal || rule.conformal.some(({ rows }) => rows < leastRows(LEVEL))) return undefined;
  let running: RunningCoverage | undefined;
  for await (const { output, own, y } of part.outputs()) {
    running ??= new RunningCoverage(new Intervals(model, own.length / y.length, LEVEL), model);
    const predicted = toRaw(applyRule(output, rule, scalers.targets), loss, scalers.targets);
    running.add({ predicted, own }, scalers.targets.inverse(y));
  }
  return running && { level: LEVEL, isOfClasses: running.isOfClasses, targets: running.result() };
}

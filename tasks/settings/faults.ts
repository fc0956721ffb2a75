/** What can be wrong with settings that are right each by itself, and how a fault names a setting. */

import { type Config, type Key, RECIPE_KEYS, TABLE_KEYS } from "./settings.ts";

/** Texts by key: what was set, or where. */
type Texts = Partial<Record<Key, string>>;

export class ConfigError extends RangeError {
  override readonly name: string = "ConfigError";
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join("\n"));
    this.faults = faults;
  }
}

/**
 * A setting as a fault names it, so that users find the place where they set it: `--seed is "x"`, `SEED is "x" (from .env, line
 * 3)`; without its text `--seed` or `SEED (from .env, line 3)`.
 */
export function pointTo(key: Key, from = "", text?: string): string {
  const is = text === undefined ? "" : ` is ${JSON.stringify(text)}`;
  if (from.startsWith("--")) return `${from}${is}`;
  return `${key}${is}${from === "" ? "" : ` (from ${from})`}`;
}

/** A setting of a task with its text, as {@linkcode pointTo} names it. */
export function settingAt(key: Key, { given, texts }: { readonly given: Texts; readonly texts: Texts }): string {
  return pointTo(key, given[key], texts[key]);
}

export function faultsTogether(config: Config, texts: Texts, given: Texts): string[] {
  const { data, recipe, noise, loss } = config;
  const empty = emptyPaths(texts, given);
  if (empty.length > 0) return empty;
  if (data !== "") {
    const ofRecipes = RECIPE_KEYS.filter((key) => given[key] !== undefined)
      .map((key) => `${pointTo(key, given[key])} is a setting of recipes: it cannot be used with DATA`);
    return [...ofRecipes, ...splitFaults(config, given), ...foldFaults(config, given), ...lossFaults(config, given)];
  }
  const faults: string[] = [];
  if (recipe === "xor" && noise !== 0) {
    faults.push(`${pointTo("NOISE", given.NOISE, texts.NOISE)}: with recipe xor only 0 is allowed`);
  }
  for (const key of TABLE_KEYS.filter((key) => given[key] !== undefined)) {
    faults.push(
      key === "DATA"
        ? `${pointTo(key, given.DATA, "")}: allowed is the path of a CSV file`
        : `${pointTo(key, given[key])} needs DATA, the CSV file that it is about`,
    );
  }
  if (given.FOLDS !== undefined && config.folds !== 0 && config.folds !== "auto") {
    faults.push(`${pointTo("FOLDS", given.FOLDS, texts.FOLDS)}: with a recipe allowed is 0`);
  }
  if (loss === "softmax" || loss === "auto") {
    faults.push(`${pointTo("LOSS", given.LOSS, loss)}: with a recipe allowed is mse, mae, huber or bce`);
  }
  return faults;
}

/** Flags with an empty path, as of a shell's variable that is not set. In the environment it is as if nobody had set it. */
function emptyPaths(texts: Texts, given: Texts): string[] {
  const paths = ["VALIDATION", "TEST", "INIT_FROM"] as const;
  const empty = paths.filter((key) => given[key]?.startsWith("--") && texts[key] === "");
  return empty.map((key) => `${pointTo(key, given[key], "")}: allowed is a path`);
}

function splitFaults({ validation, test, timeColumn }: Config, given: Texts): string[] {
  if (validation === "" && test === "") return [];
  const other = timeColumn !== "" ? "TIME_COLUMN" : given.SPLIT !== undefined ? "SPLIT" : undefined;
  const files = [validation && "VALIDATION", test && "TEST"].filter(Boolean).join(" and ");
  return other ? [`${pointTo(other, given[other])} and ${files} both say which rows train: give one of them`] : [];
}

function foldFaults({ folds, timeColumn, syncEvery, initFrom }: Config, given: Texts): string[] {
  if (folds === "auto" || folds === 0) return [];
  const why = timeColumn !== ""
    ? "with TIME_COLUMN, for rows of later times would train"
    : syncEvery > 1
    ? `with SYNC_EVERY ${syncEvery}, for ranks share one order of the rows`
    : initFrom !== ""
    ? "with INIT_FROM, for its weights may have been trained on the rows that a member holds out"
    : undefined;
  return why ? [`${pointTo("FOLDS", given.FOLDS, `${folds}`)}: allowed is auto or 0 ${why}`] : [];
}

function lossFaults({ loss, task, target }: Config, given: Texts): string[] {
  const isOfClasses = loss === "softmax" || loss === "bce";
  const asked = pointTo("LOSS", given.LOSS, loss);
  if (task === "regression" && isOfClasses) return [`${asked}: with TASK regression allowed is mse, mae or huber`];
  if (task === "classification" && !isOfClasses && loss !== "auto") {
    return [`${asked}: with TASK classification allowed is softmax or bce`];
  }
  if (target.length > 1 && (isOfClasses || task === "classification")) {
    const by = isOfClasses ? asked : pointTo("TASK", given.TASK, task);
    return [`${by}: that takes one TARGET, and there are ${target.length}: ${target.join(", ")}`];
  }
  return [];
}

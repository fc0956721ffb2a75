/** Which settings go with a table of the user's own, and which with each other. */

import type { Config, Key } from "./config_types.ts";
import { TABLE_KEYS } from "./keys.ts";

/** Settings of recipes: they say nothing of a table. */
export const RECIPE_KEYS: readonly Key[] = ["RECIPE", "GENERATE_DATASET", "NUM_DATASET", "NOISE"];

/** Where settings were found, by key. */
type Found = Partial<Record<Key, string>>;

/** What is wrong with settings that are right each by itself. */
export function tableFaults(config: Config, found: Found): string[] {
  if (config.data !== "") return [...withTable(found), ...splitFaults(config, found), ...lossFaults(config, found)];
  const faults = TABLE_KEYS.filter((key) => found[key] !== undefined).map((key) =>
    key === "DATA"
      ? `DATA (from ${found.DATA}) is "": allowed is the path of a CSV file`
      : `${key} (from ${found[key]}) needs DATA, the CSV file that it speaks of`
  );
  if (config.loss === "softmax" || config.loss === "auto") {
    faults.push(`LOSS (from ${found.LOSS}) is "${config.loss}": with a recipe allowed is mse, mae, huber or bce`);
  }
  return faults;
}

function withTable(found: Found): string[] {
  return RECIPE_KEYS.filter((key) => found[key] !== undefined)
    .map((key) => `${key} (from ${found[key]}) is a setting of recipes: it does not go with DATA (from ${found.DATA})`);
}

function splitFaults({ validation, test, timeColumn }: Config, found: Found): string[] {
  if (validation === "" && test === "") return [];
  const other = timeColumn !== "" ? "TIME_COLUMN" : found.SPLIT !== undefined ? "SPLIT" : undefined;
  const files = [validation && "VALIDATION", test && "TEST"].filter(Boolean).join(" and ");
  return other ? [`${other} (from ${found[other]}) and ${files} both say which rows train: give one of them`] : [];
}

function lossFaults({ loss, task, target }: Config, found: Found): string[] {
  const isOfClasses = loss === "softmax" || loss === "bce";
  if (task === "regression" && isOfClasses) {
    return [`LOSS (from ${found.LOSS}) is "${loss}": with TASK regression allowed is mse, mae or huber`];
  }
  if (task === "classification" && !isOfClasses && loss !== "auto") {
    return [`LOSS (from ${found.LOSS}) is "${loss}": with TASK classification allowed is softmax or bce`];
  }
  if (target.length > 1 && (isOfClasses || task === "classification")) {
    const asked = isOfClasses
      ? `LOSS (from ${found.LOSS}) is "${loss}"`
      : `TASK (from ${found.TASK}) is "classification"`;
    return [`${asked}: that takes one TARGET, and there are ${target.length}: ${target.join(", ")}`];
  }
  return [];
}

/** The run that a task takes as a word, as --run-name, or not at all. */

import { ConfigError, type TaskConfig, type TaskName } from "../settings/config.ts";
import { SETTINGS } from "../settings/settings.ts";

/**
 * The name of the run.
 *
 * @throws {ConfigError} If there are two names, or one that no run can have.
 */
export function askedRun(task: TaskName, { runName, given, words }: TaskConfig): string {
  const [word = runName, ...more] = words;
  const { parse, allowed } = SETTINGS.RUN_NAME;
  const faults = [
    ...(more.length > 0 ? [`${JSON.stringify(more[0])}: ${task} takes one run`] : []),
    ...(parse(word) === undefined ? [`the run is ${JSON.stringify(word)}: allowed is ${allowed}`] : []),
    ...(given.RUN_NAME === "--run-name" && word !== runName
      ? [`--run-name is "${runName}", and the run is "${word}": give one of them`]
      : []),
  ];
  if (faults.length > 0) throw new ConfigError(faults);
  return word;
}

/** The intervals that a flag asks for. */

import { Intervals } from "../../lib/model_file/intervals.ts";
import type { SavedModel } from "../../lib/model_file/saved_model.ts";
import { ConfigError } from "../settings/config.ts";
import { LEVEL } from "../settings/readers.ts";

/**
 * Intervals of the level that a text gives; undefined where there is none.
 *
 * @throws {ConfigError} If the model has none, or none of that level.
 */
export function intervalsOf({ model, description }: SavedModel, text: string | undefined): Intervals | undefined {
  if (text === undefined) return undefined;
  const level = LEVEL.parse(text);
  if (level === undefined) {
    throw new ConfigError([`--interval is ${JSON.stringify(text)}: allowed is ${LEVEL.allowed}`]);
  }
  try {
    return new Intervals(description, model.members, level);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ConfigError([`--interval ${text}: ${error.message}`]);
  }
}

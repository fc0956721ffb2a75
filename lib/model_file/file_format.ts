/**
 * Which files are models, and of which version.
 *
 * @module
 */
import { DataError } from "../base/errors.ts";
import { showJson } from "../base/printable.ts";
import { parseTable } from "../data/table_json.ts";
import { parseBoundedJson } from "../safetensors/bounded_json.ts";

/** What files call themselves; changes whenever what they hold does. */
export const FORMAT = "backhand model 3";

/** Of before: one network, with an input for each category. */
const FORMAT_2 = "backhand model 2";

/** Most networks side by side. */
const MAX_MEMBERS = 1_000;

/**
 * Refuses what is no model, or one of an older version that cannot be used: that of a table without names can.
 *
 * @throws {DataError} With what to do.
 */
export function checkFormat(metadata: Readonly<Record<string, string>>, file: string): void {
  const { format = "", table = "null" } = metadata;
  if (format === FORMAT) return;
  if (!/^backhand model \d{1,9}$/.test(format)) throw new DataError("this is no model of `deno task train`", { file });
  const again = "train it again with this version";
  if (format !== FORMAT_2) {
    throw new DataError(`it is a ${showJson(format)}, and this version reads ${showJson(FORMAT)}: ${again}`, { file });
  }
  const { inputs } = inFile(file, () => parseTable(parseBoundedJson(table)));
  const names = inputs.filter(({ kind }) => kind === "categorical").map(({ name }) => showJson(name));
  if (names.length === 0) return;
  const shown = names.length > 5 ? `${names.slice(0, 5).join(", ")} and ${names.length - 5} more` : names.join(", ");
  throw new DataError(`an older version wrote it, with an input for each category of ${shown}: ${again}`, { file });
}

/** How many networks a file holds. */
export function parseMembers({ members = "1" }: Readonly<Record<string, string>>): number {
  const count = Number(members);
  if (/^\d{1,9}$/.test(members) && count >= 1 && count <= MAX_MEMBERS) return count;
  throw new SyntaxError(`its members are ${showJson(members)}, need a whole number from 1 to ${MAX_MEMBERS}`);
}

/** Blames the file for what does not fit. */
export function inFile<T>(file: string, read: () => T, problem = "the model does not fit together"): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof SyntaxError || error instanceof RangeError)) throw error;
    throw new DataError(`${problem}: ${error.message}`, { file }, { cause: error });
  }
}

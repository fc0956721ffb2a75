/**
 * What a run's result depends on besides its settings: its rows, its device, the version. Whoever resumes or reuses a run
 * compares this record, which stands in origin.json and in its checkpoints.
 */

import { dataSource } from "../../lib/model_file/metadata.ts";
import { DataError } from "../../lib/base/errors.ts";
import { VERSION } from "../../lib/base/version.ts";
import { csvPath, parseObject } from "../prepare/dataset_files.ts";
import { datasetState } from "../prepare/generate.ts";
import type { Config, TaskConfig } from "../settings/config.ts";
import { fromUsersFolder } from "../settings/users_files.ts";

/** What a result depends on, besides the settings. */
export interface Origin {
  readonly version: string;
  readonly device: string;
  /** SHA-256 of the scaled rows. */
  readonly data: string;
  /** SHA-256 of the files that the rows come from, by the setting that names them; none where a recipe makes them. */
  readonly sources?: Sources;
  /** Processes that trained together; left out for one. */
  readonly ranks?: number;
}

export type Sources = Readonly<Partial<Record<"DATA" | "VALIDATION" | "TEST" | "RECIPE", string>>>;

/** The hashes of the user's own files. Under a recipe there are none, unless its file is the user's own. */
export async function sourcesOf(config: Config, hash = hashOf): Promise<Sources> {
  if (config.data === "") {
    const isOwn = (await datasetState(config)).state === "foreign";
    return isOwn ? { RECIPE: await hash(csvPath(config.recipe)) } : {};
  }
  const sources: Record<string, string> = {};
  const files = { DATA: config.data, VALIDATION: config.validation, TEST: config.test };
  for (const [key, path] of Object.entries(files)) if (path !== "") sources[key] = await hash(fromUsersFolder(path));
  return sources;
}

async function hashOf(path: string): Promise<string> {
  return (await dataSource(path)).sha256;
}

export function originOf(device: string, data: string, sources: Sources): Origin {
  return { version: VERSION, device, data, sources };
}

/** The settings that count: a file of the user's own under a recipe's name has rows and noise of its own. */
export function usedTexts(texts: TaskConfig["texts"], { RECIPE }: Sources): TaskConfig["texts"] {
  const { NUM_DATASET: _rows, NOISE: _noise, ...used } = texts;
  return RECIPE === undefined ? texts : used;
}

/** How a refusal to continue a run ends where `--force` would help. */
export const OTHER_RESULT = "the result will differ; --force continues anyway";

/** What differs, in words: a clause each. */
export function describeChanges(was: Origin, is: Origin): string[] {
  return [
    ...(was.data !== is.data ? ["its rows have changed"] : []),
    ...(was.device !== is.device ? [`it ran on ${was.device}, and now runs on ${is.device}`] : []),
    ...(was.version !== is.version
      ? [`it ran in version ${was.version} of Backhand, and now runs in ${is.version}`]
      : []),
  ];
}

/** What a run began with, as origin.json has it. */
export interface RunRecord extends Origin {
  readonly settings: TaskConfig["texts"];
}

/**
 * Reads a record.
 *
 * @throws {DataError} If the text is none.
 */
export function parseRecord(text: string, file: string): RunRecord {
  const { version, device, data, settings } = parseObject(text) ?? {};
  const areTexts = [version, device, data].every((text) => typeof text === "string");
  if (areTexts && typeof settings === "object" && settings !== null) return parseObject(text) as unknown as RunRecord;
  throw new DataError("it holds no record of what the run depends on: restore it, or begin a new run", { file });
}

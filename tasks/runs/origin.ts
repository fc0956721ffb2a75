/**
 * What a run's result depends on besides its settings: its rows, its device, the version. Whoever resumes or reuses a run
 * compares this record, which stands in origin.json and in its checkpoints.
 */

import { isAbsolute } from "node:path";
import { dataSource } from "../../lib/model_file/metadata.ts";
import { DataError } from "../../lib/base/errors.ts";
import { VERSION } from "../../lib/base/version.ts";
import { csvPath, parseObject } from "../prepare/dataset_files.ts";
import { datasetState } from "../prepare/generate.ts";
import type { ProductMethod } from "../../lib/gpu/adapter.ts";
import type { Config, TaskConfig } from "../settings/config.ts";
import { fromUsersFolder, usersFolder } from "../settings/users_files.ts";

/** What a result depends on, besides the settings. */
export interface Origin {
  readonly version: string;
  readonly device: string;
  /** SHA-256 of the scaled rows. */
  readonly data: string;
  /** SHA-256 of the files that the rows come from, by the setting that names them; none where a recipe makes them. */
  readonly sources?: Sources;
  /** The folder that the paths of its files were relative to; left out where none was. */
  readonly folder?: string;
  /** The form in which its larger matrix products run; left out by earlier versions. */
  readonly products?: ProductMethod;
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
  for (const [key, path] of usersFilesOf(config)) sources[key] = await hash(fromUsersFolder(path));
  return sources;
}

async function hashOf(path: string): Promise<string> {
  return (await dataSource(path)).sha256;
}

export function originOf(device: string, data: string, sources: Sources, folder?: string): Origin {
  return { version: VERSION, device, data, sources, ...(folder === undefined ? {} : { folder }) };
}

/** The user's own files, by the setting that names them. */
export function usersFilesOf(
  { data, validation, test }: Config,
): [key: "DATA" | "VALIDATION" | "TEST", path: string][] {
  const files = { DATA: data, VALIDATION: validation, TEST: test } as const;
  return (["DATA", "VALIDATION", "TEST"] as const).flatMap((key) => files[key] === "" ? [] : [[key, files[key]]]);
}

/** The folder that the paths of the user's files are relative to, if any is relative. */
export function folderOf(config: Config): string | undefined {
  return usersFilesOf(config).some(([_, path]) => !isAbsolute(path)) ? usersFolder() : undefined;
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
    ...(was.data !== is.data ? [`its rows have changed${movedFrom(was, is)}`] : []),
    ...(was.device !== is.device ? [`it ran on ${was.device}, and now runs on ${is.device}`] : []),
    ...(was.version !== is.version
      ? [`it ran in version ${was.version} of Backhand, and now runs in ${is.version}`]
      : []),
  ];
}

/** Where relative paths may have led elsewhere: the folder that they were relative to. */
function movedFrom({ folder }: Origin, is: Origin): string {
  if (folder === undefined || is.folder === undefined || folder === is.folder) return "";
  return ` (it began in the folder ${folder}, which its paths were relative to)`;
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

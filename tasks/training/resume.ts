/** Settings of a resumed run: those it began with, and those that the command line may change. */

import { isAbsolute, resolve } from "node:path";
import { describeChanges, type Origin, OTHER_RESULT, type Sources, usersFilesOf } from "../runs/origin.ts";
import { ConfigError, readConfig, type TaskConfig, type TaskName } from "../settings/config.ts";
import { showJson } from "../../lib/base/printable.ts";
import { parseObject, stampOf } from "../prepare/dataset_files.ts";
import { flagOf, type Key, KEYS, keysOf, RANK_KEYS, RECIPE_KEYS, SETTINGS, TABLE_KEYS } from "../settings/settings.ts";
import { settingAt } from "../settings/faults.ts";
import { RunFolder } from "../runs/folder.ts";
import { fromUsersFolder, usersFolder } from "../settings/users_files.ts";

/** Settings that do not change the result; of the paths, only the content does. */
const FREE: readonly Key[] = [
  "CHECKPOINT_EVERY",
  "KEEP_CHECKPOINTS",
  "ON_NAN",
  "DEBUG_TENSORS",
  "TRACE",
  "REPORT",
  "SELF_TEST",
  "RANK_TIMEOUT",
  "RUN_NAME",
  "DATA",
  "VALIDATION",
  "TEST",
];

/** Settings that can be changed under --force; the result changes with them. */
const CHOICES: readonly Key[] = [
  "LEARNING_RATE",
  "SCHEDULE",
  "WARMUP",
  "WEIGHT_DECAY",
  "CLIP_NORM",
  "NUM_EPOCHS",
  "PATIENCE",
  "CALIBRATE",
  "CLIP_TARGETS",
  "THRESHOLD",
];

/** Only the command line counts: the run's settings hold what environment and .env said. */
const ONLY_FLAGS = { env: () => undefined, dotenv: "" };

/**
 * Reads the settings of train; under --resume those of the run, with the changes of the command line.
 *
 * @throws {ConfigError} With everything that is wrong, changes that are not allowed on resume included.
 */
export function readTrainConfig(name: TaskName, args: readonly string[]): TaskConfig {
  if (!args.some((arg) => arg === "--resume" || arg.startsWith("--resume="))) return readConfig(name, args);
  const asked = readConfig(name, args, ONLY_FLAGS);
  const run = asked.extras.RESUME!;
  if (asked.given.RUN_NAME && asked.runName !== run) {
    throw new ConfigError([`${settingAt("RUN_NAME", asked)}: a run that is resumed keeps its name, "${run}"`]);
  }
  const began = settingsOfRun(run);
  const kept = { ...settingsBefore(name, began), GENERATE_DATASET: "false" };
  const config = readConfig(name, args, ONLY_FLAGS, kept);
  const faults = changeFaults(config, began);
  if (faults.length > 0) throw new ConfigError(faults);
  // The run's settings of ranks stay, although `train` itself has no such flags.
  const ofRanks = RANK_KEYS.filter((key) => began[key] !== undefined).map((key) => [key, began[key]]);
  return {
    ...config,
    runName: run,
    texts: { ...Object.fromEntries(ofRanks), ...config.texts, RUN_NAME: run, GENERATE_DATASET: began.GENERATE_DATASET },
  };
}

/**
 * The settings of a run, with those that it does not name as its version did without them: by the default of all rows. A preset
 * of tables would be news to it. Settings of tables or recipes that are left out mean nothing to it.
 */
function settingsBefore(name: TaskName, began: TaskConfig["texts"]): TaskConfig["texts"] {
  const lacking = keysOf(name).filter((key) => !TABLE_KEYS.includes(key) && !RECIPE_KEYS.includes(key));
  return { ...Object.fromEntries(lacking.map((key) => [key, SETTINGS[key].default])), ...began };
}

function settingsOfRun(run: string): TaskConfig["texts"] {
  const folder = new RunFolder(run).path;
  const path = `${folder}/config.json`;
  let text = "";
  try {
    if (Deno.lstatSync(folder).isSymlink) {
      throw new ConfigError([`--resume is "${run}": ${folder} is a link, and a run must be in data/runs itself`]);
    }
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ConfigError([
      `--resume is "${run}": there is no ${path}; \`deno task train --run-name ${run}\` begins such a run`,
    ]);
  }
  const settings = parseObject(text);
  if (!settings) throw new ConfigError([`--resume is "${run}": ${path} holds no settings: begin a new run`]);
  const faults = Object.entries(settings).flatMap(([key, value]) => {
    if (!(key in SETTINGS)) return [`${path} names ${showJson(key)}, which is no setting: take it out`];
    return typeof value === "string" ? [] : [`${path}: ${key} is ${showJson(value)}, need a text: "${value}"`];
  });
  if (faults.length > 0) throw new ConfigError(faults);
  return settings as TaskConfig["texts"];
}

/**
 * Compares the settings with those of the checkpoint that a run continues from. They differ if the command line changes
 * some, which was checked before, or if config.json was edited.
 *
 * @throws {ConfigError} If something differs that makes another result.
 */
export function checkSettings(config: TaskConfig, was: TaskConfig["texts"]): void {
  const given = Object.fromEntries(KEYS.map((key) => [key, config.given[key] ?? "config.json"]));
  // Settings that say nothing of the rows there are now are left out: the rows are compared themselves.
  const texts = { ...was, ...config.texts };
  const faults = changeFaults({ ...config, given, texts }, was);
  if (faults.length > 0) throw new ConfigError(faults);
}

function changeFaults(config: TaskConfig, began: TaskConfig["texts"]): string[] {
  return KEYS.filter((key) => (began[key] ?? SETTINGS[key].default) !== (config.texts[key] ?? SETTINGS[key].default))
    .filter((key) =>
      config.given[key] && !FREE.includes(key) && key !== "GENERATE_DATASET" && !isLonger(key, config, began)
    )
    .flatMap((key) => {
      const change = `${settingAt(key, config)}, the run began with "${began[key] ?? SETTINGS[key].default}"`;
      if (!CHOICES.includes(key)) {
        return [
          `${change}: this cannot be changed on resume; \`--init-from data/runs/${config.extras.RESUME}/model.safetensors\` gives a new run its weights`,
        ];
      }
      return config.extras.FORCE === "true" ? [] : [`${change}: ${OTHER_RESULT}`];
    });
}

/** More epochs do not change the earlier ones, unless the learning rates depend on their number. */
function isLonger(key: Key, { schedule, numEpochs }: TaskConfig, began: TaskConfig["texts"]): boolean {
  return key === "NUM_EPOCHS" && ["constant", "plateau"].includes(schedule) && numEpochs >= Number(began.NUM_EPOCHS);
}

/**
 * Looks for the files that the run's own settings name by a relative path.
 *
 * @throws {ConfigError} If they are not in this folder, and the run began in another one.
 */
export async function checkFiles(config: TaskConfig, { folder }: Origin): Promise<void> {
  if (folder === undefined || folder === usersFolder()) return;
  const faults: string[] = [];
  for (const [key, path] of usersFilesOf(config)) {
    if (config.given[key] || isAbsolute(path) || await stampOf(fromUsersFolder(path)) !== undefined) continue;
    const way = `${flagOf(key)} ${resolve(folder, path)}, or resume it from that folder`;
    faults.push(
      `${key} is "${path}": the run began in the folder ${folder}, and this path is relative to it: add ${way}`,
    );
  }
  if (faults.length > 0) throw new ConfigError(faults);
}

/**
 * Compares the rows, the device and the version with those that a run began with. Returns what differs, as warnings.
 *
 * @throws {ConfigError} If something differs, and --force was not given; or if rows of the same files have another form now.
 */
export function checkOrigin(config: TaskConfig, was: Origin, is: Origin): string[] {
  const run = config.extras.RESUME;
  if (was.data !== is.data && config.data !== "" && areSame(was.sources, is.sources)) {
    const why = "an older version of Backhand began this run, and gave its rows another form: train it again";
    throw new ConfigError([`--resume is "${run}": ${why}`]);
  }
  const told = describeChanges(was, is);
  const [before, now] = [was.ranks ?? 1, is.ranks ?? 1];
  const digits = config.syncEvery === 1 && config.dropout === 0 ? " in its last digits" : "";
  const notes = before === now ? [] : [`it ran on ${before} ranks, and now on ${now}: its result will differ${digits}`];
  if (told.length === 0 || config.extras.FORCE === "true") return [...told, ...notes];
  throw new ConfigError(
    told.map((what) => `--resume is "${run}": ${what}: ${OTHER_RESULT}`),
  );
}

/** Whether both are of the same files, if that is known. */
function areSame(was: Sources = {}, is: Sources = {}): boolean {
  const names = Object.keys({ ...was, ...is }) as (keyof Sources)[];
  return names.length > 0 && names.every((name) => was[name] === is[name]);
}

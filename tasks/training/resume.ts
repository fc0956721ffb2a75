/** What a run may be resumed with: the settings it began with, and those of the command line that it can go on with. */

import type { Origin } from "../runs/checkpoints.ts";
import { ConfigError, readConfig, type TaskConfig, type TaskName } from "../settings/config.ts";
import { parseObject } from "../prepare/dataset_files.ts";
import { GROUP_KEYS, KEYS, SETTINGS } from "../settings/keys.ts";
import type { Key } from "../settings/config_types.ts";
import { RunFolder } from "../runs/folder.ts";

/** Settings on which no bit of the result hangs, or, as paths, only through what is read there. */
const FREE: readonly Key[] = [
  ...[
    "CHECKPOINT_EVERY",
    "KEEP_CHECKPOINTS",
    "ON_NAN",
    "DEBUG_TENSORS",
    "TRACE",
    "REPORT",
    "SELF_TEST",
    "RANK_TIMEOUT",
  ] as const,
  ...["RUN_NAME", "DATA", "VALIDATION", "TEST"] as const,
];

/** Settings that a run can go on with, to another result than it would have had. */
const CHOICES: readonly Key[] = [
  ...["LEARNING_RATE", "SCHEDULE", "WARMUP", "WEIGHT_DECAY", "CLIP_NORM", "NUM_EPOCHS", "PATIENCE"] as const,
];

/** Nothing but the command line counts: what environment and .env said is among the run's settings already. */
const ONLY_FLAGS = { env: () => undefined, dotenv: "" };

/**
 * Reads the settings of train; under --resume those of the run, with what the command line changes.
 *
 * @throws {ConfigError} With all that is wrong, changes that the run cannot go on with among it.
 */
export function readTrainConfig(name: TaskName, args: readonly string[]): TaskConfig {
  if (!args.some((arg) => arg === "--resume" || arg.startsWith("--resume="))) return readConfig(name, args);
  const asked = readConfig(name, args, ONLY_FLAGS);
  const run = asked.extras.RESUME!;
  if (asked.given.RUN_NAME && asked.runName !== run) {
    throw new ConfigError([`RUN_NAME is "${asked.runName}": a run that is resumed keeps its name, "${run}"`]);
  }
  const began = settingsOfRun(run);
  const config = readConfig(name, args, ONLY_FLAGS, { ...began, GENERATE_DATASET: "false" });
  const faults = changeFaults(config, began);
  if (faults.length > 0) throw new ConfigError(faults);
  return {
    ...config,
    runName: run,
    texts: { ...groupTexts(began), ...config.texts, RUN_NAME: run, GENERATE_DATASET: began.GENERATE_DATASET },
  };
}

/** What the run was told of ranks, which it goes on by though it has but one now. */
function groupTexts(began: TaskConfig["texts"]): TaskConfig["texts"] {
  return Object.fromEntries(GROUP_KEYS.filter((key) => began[key] !== undefined).map((key) => [key, began[key]]));
}

function settingsOfRun(run: string): TaskConfig["texts"] {
  const folder = new RunFolder(run).path;
  const path = `${folder}/config.json`;
  let text = "";
  try {
    if (Deno.lstatSync(folder).isSymlink) {
      throw new ConfigError([`--resume is "${run}": ${folder} is a link, and a run lies in data/runs itself`]);
    }
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ConfigError([
      `--resume is "${run}": there is no ${path}; \`deno task train --run-name ${run}\` begins such a run`,
    ]);
  }
  const settings = parseObject(text);
  if (settings) return settings as TaskConfig["texts"];
  throw new ConfigError([`--resume is "${run}": ${path} holds no settings, begin the run anew`]);
}

function changeFaults(config: TaskConfig, began: TaskConfig["texts"]): string[] {
  return KEYS.filter((key) => (began[key] ?? SETTINGS[key].default) !== (config.texts[key] ?? SETTINGS[key].default))
    .filter((key) =>
      config.given[key] && !FREE.includes(key) && key !== "GENERATE_DATASET" && !isLonger(key, config, began)
    )
    .flatMap((key) => {
      const change = `${key} is "${config.texts[key]}", the run began with "${began[key] ?? SETTINGS[key].default}"`;
      if (!CHOICES.includes(key)) {
        return [
          `${change}: a run cannot go on with that; \`--init-from data/runs/${config.extras.RESUME}/model.safetensors\` gives a new run its weights`,
        ];
      }
      return isForced(config) ? [] : [`${change}: its result would be another; --force goes on all the same`];
    });
}

/** More epochs leave those that there were as they are, unless learning rates follow from their number. */
function isLonger(key: Key, { schedule, numEpochs }: TaskConfig, began: TaskConfig["texts"]): boolean {
  return key === "NUM_EPOCHS" && ["constant", "plateau"].includes(schedule) && numEpochs >= Number(began.NUM_EPOCHS);
}

/** Whether the user wants to go on though the result will be another. */
function isForced({ extras }: TaskConfig): boolean {
  return extras.FORCE === "true";
}

/**
 * Refuses to go on with other rows, on another device, or in another version, unless the user wants it.
 *
 * @throws {ConfigError} If anything is different and was not asked for.
 */
export function checkOrigin(config: TaskConfig, was: Origin, is: Origin): string[] {
  const told = [
    ...was.data === is.data ? [] : ["the rows are others than those it began with"],
    ...was.device === is.device ? [] : [`it ran on ${was.device}, and now would on ${is.device}`],
    ...was.version === is.version
      ? []
      : [`it ran in version ${was.version} of Backhand, and now would in ${is.version}`],
  ];
  const ranks = [was, is].map(({ ranks = 1 }) => ranks);
  const isExact = config.syncEvery === 1 && config.dropout === 0;
  const notes = ranks[0] === ranks[1] ? [] : [
    `it ran on ${ranks[0]} ranks, and now on ${ranks[1]}: its result will differ${
      isExact ? " in its last digits" : ""
    }`,
  ];
  if (told.length === 0 || isForced(config)) return [...told, ...notes];
  const run = config.extras.RESUME;
  throw new ConfigError(
    told.map((what) => `--resume is "${run}": ${what}: its result would be another; --force goes on all the same`),
  );
}

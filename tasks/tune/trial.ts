/** A trial of a search: a run of train, in a process of its own. */

import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };
import { nameOf, requestAdapter } from "../../lib/gpu/adapter.ts";
import { DataError } from "../../lib/base/errors.ts";
import { dataSource } from "../../lib/model_file/metadata.ts";
import { readSafetensors } from "../../lib/safetensors/reader.ts";
import { readConfig, type TaskConfig } from "../settings/config.ts";
import { parseObject, stampOf } from "../prepare/dataset_files.ts";
import { describeChanges, originOf, OTHER_RESULT, type Sources, sourcesOf, usedTexts } from "../runs/origin.ts";
import { describeError } from "../settings/run_task.ts";
import { RunFolder } from "../runs/folder.ts";
import { environmentOfTrial } from "./trial_environment.ts";

export interface Trial {
  readonly run: string;
  /** The drawn settings, by flag. */
  readonly drawn: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  /** Its settings, as config.json will hold them. */
  readonly texts: TaskConfig["texts"];
}

/** What a resumed trial says that has other rows, another device or another version, and what of them. */
const REFUSAL = new RegExp(`: ([^:]*): ${OTHER_RESULT}`);

/** How a trial ended: its measures on the validation part, or why it has none. */
export type Outcome = Readonly<Record<string, number>> | string;

/** What a trial that has ended was made of. */
export interface Check {
  /** Its version, device and files: the same text for the same. */
  readonly made: string;
  /** What of them is no longer so, in words. */
  readonly changes: readonly string[];
}

/** Whether an earlier search has begun this trial here. */
export async function isBegun({ run, texts }: Trial): Promise<boolean> {
  const settings = await readJson(`${new RunFolder(run).path}/config.json`);
  return [texts, usedTexts(texts, { RECIPE: "" })].some((wanted) =>
    JSON.stringify(wanted) === JSON.stringify(settings)
  );
}

/**
 * Trains a trial in a process of its own. One that an earlier search has made of the same rows, on the same device, in the
 * same version, is taken as it is; one that it began, or whose model is gone, is resumed. Of the output only an error is kept.
 */
export async function runTrial(trial: Trial, threads?: number): Promise<Outcome> {
  const { run, args } = trial;
  if (!await isBegun(trial)) return outcomeOf(trial, await start(args, threads));
  let changes: string[] = [];
  if (await hasEnded(run)) {
    changes = await changesSince(trial);
    if (changes.length === 0) return (await measuresOf(run))!;
  } else {
    const end = await start([`--resume=${run}`], threads);
    changes = end.text.split("\n").flatMap((line) => line.match(REFUSAL)?.[1] ?? []);
    if (changes.length === 0) return outcomeOf(trial, end);
  }
  console.log(`${run} is made anew: ${changes.join(", ")}`);
  return outcomeOf(trial, await start(args, threads));
}

interface End {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  /** What it wrote to stderr. */
  readonly text: string;
}

async function start(args: readonly string[], threads: number | undefined): Promise<End> {
  const [_, ...words] = project.tasks.train.command.split(" ");
  const script = new URL("../train.ts", import.meta.url);
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--config", config, ...words.slice(1, -1), script.href, ...args],
    clearEnv: true,
    env: environmentOfTrial(Deno.env.toObject(), threads),
    stdin: "piped", // held open: see endOfSearch
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const [text, { code, signal }] = await Promise.all([new Response(child.stderr).text(), child.status]);
  await child.stdin.close();
  return { code, signal, text };
}

async function outcomeOf({ run }: Trial, { code, signal, text }: End): Promise<Outcome> {
  const measures = code === 0 ? await measuresOf(run) : undefined;
  if (measures) return measures;
  return text.split("\n").find((line) => line.startsWith("error: "))?.slice(7) ??
    (signal ? `train was ended by ${signal}` : `train ended with exit code ${code}`);
}

/** Hashes of the files that a trial trains on; each file is read once in a search, and before the first trial. */
export async function sourcesOfTrial({ args }: Trial, known = hashes): Promise<Sources> {
  return await sourcesOf(readConfig("train", args), (path) => hashOnce(path, known));
}

/**
 * What trials that have ended were made of, and what of that is no longer so. Files that changed during the search count: they
 * are read again. A search does not fail by what cannot be read.
 */
export async function checkTrials(trials: readonly Trial[]): Promise<Check[]> {
  const known: Hashes = new Map();
  const checks: Check[] = [];
  for (const trial of trials) {
    try {
      const { version, device, sources } = await new RunFolder(trial.run).readRecord() ?? {};
      checks.push({ made: JSON.stringify([version, device, sources]), changes: await changesSince(trial, known) });
    } catch (error) {
      checks.push({ made: "", changes: [describeError("tune", error).replace(/^error: /, "")] });
    }
  }
  return checks;
}

/** What has changed since a trial was made. */
async function changesSince(trial: Trial, known = hashes): Promise<string[]> {
  const was = await new RunFolder(trial.run).readRecord();
  if (!was) return ["an earlier version made it"];
  const sources = await sourcesOfTrial(trial, known);
  const areSame = JSON.stringify(sources) === JSON.stringify(was.sources ?? {});
  return describeChanges(was, originOf(await deviceOfNow(), areSame ? was.data : "other rows", sources));
}

let device: Promise<string> | undefined;

/** The device that a trial would run on. */
function deviceOfNow(): Promise<string> {
  device ??= requestAdapter({}).then(({ info }) => nameOf(info));
  return device;
}

/** Hashes of files, by path. */
type Hashes = Map<string, Promise<string>>;

/** Of the files as the search found them. */
const hashes: Hashes = new Map();

function hashOnce(path: string, hashes: Hashes): Promise<string> {
  const known = hashes.get(path) ?? dataSource(path).then(({ sha256 }) => sha256);
  hashes.set(path, known);
  return known;
}

async function measuresOf(run: string): Promise<Readonly<Record<string, number>> | undefined> {
  return (await new RunFolder(run).readSummary())?.validation as Record<string, number> | undefined;
}

/** Whether a run has ended, and left measures and a model that can be read. */
async function hasEnded(run: string): Promise<boolean> {
  if (!await measuresOf(run)) return false;
  try {
    await readSafetensors(new RunFolder(run).model);
    return true;
  } catch (error) {
    if (error instanceof DataError || error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  return await stampOf(path) === undefined ? undefined : parseObject(await Deno.readTextFile(path));
}

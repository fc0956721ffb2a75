/** A trial of a search: a run of train, in a process of its own. */

import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };
import type { TaskConfig } from "../settings/config.ts";
import { parseObject, stampOf } from "../prepare/dataset_files.ts";
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

/** How a trial ended: its measures on the validation part, or why it has none. */
export type Outcome = Readonly<Record<string, number>> | string;

/** Whether an earlier search has begun this trial here. */
export async function isBegun({ run, texts }: Trial): Promise<boolean> {
  const settings = await readJson(`${new RunFolder(run).path}/config.json`);
  return JSON.stringify(settings) === JSON.stringify(texts);
}

/**
 * Trains a trial in a process of its own, unless an earlier search did; resumes one that this began. Of the output only an
 * error is kept.
 */
export async function runTrial(trial: Trial, threads?: number): Promise<Outcome> {
  const { run, args } = trial;
  const folder = new RunFolder(run);
  const isResumed = await isBegun(trial);
  const earlier = isResumed ? await measuresOf(folder) : undefined;
  if (earlier) return earlier;
  const [_, ...words] = project.tasks.train.command.split(" ");
  const script = new URL("../train.ts", import.meta.url);
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--config", config, ...words.slice(1, -1), script.href, ...isResumed ? [`--resume=${run}`] : args],
    clearEnv: true,
    env: environmentOfTrial(Deno.env.toObject(), threads),
    stdin: "piped", // held open: see endOfSearch
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const [text, { code, signal }] = await Promise.all([new Response(child.stderr).text(), child.status]);
  await child.stdin.close();
  const measures = code === 0 ? await measuresOf(folder) : undefined;
  if (measures) return measures;
  return text.split("\n").find((line) => line.startsWith("error: "))?.slice(7) ??
    (signal ? `train was ended by ${signal}` : `train ended with exit code ${code}`);
}

async function measuresOf(folder: RunFolder): Promise<Readonly<Record<string, number>> | undefined> {
  const summary = await readJson(`${folder.path}/summary.json`);
  return summary?.validation as Record<string, number> | undefined;
}

async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  return await stampOf(path) === undefined ? undefined : parseObject(await Deno.readTextFile(path));
}

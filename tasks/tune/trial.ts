/** A trial of a search: a run of train, in a process of its own. */

import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };
import type { TaskConfig } from "../settings/config.ts";
import { parseObject, stampOf } from "../prepare/dataset_files.ts";
import { RunFolder } from "../runs/folder.ts";
import { environmentOfTrial } from "./trial_environment.ts";

/** A run to be. */
export interface Trial {
  /** Its folder's name. */
  readonly run: string;
  /** What was drawn, by flag. */
  readonly drawn: Readonly<Record<string, string>>;
  /** The command line of train. */
  readonly args: readonly string[];
  /** Its settings, as config.json will hold them. */
  readonly texts: TaskConfig["texts"];
}

/** How a trial ended: its measures on the validation part, or why it has none. */
export type Outcome = Readonly<Record<string, number>> | string;

/** Whether an earlier search began a trial in this place. */
export async function isBegun({ run, texts }: Trial): Promise<boolean> {
  const settings = await readJson(`${new RunFolder(run).path}/config.json`);
  return JSON.stringify(settings) === JSON.stringify(texts);
}

/**
 * Trains a trial in a process of its own, unless an earlier search did; what that began goes on. Of what the process prints
 * only an error is told.
 */
export async function runTrial(trial: Trial, threads?: number): Promise<Outcome> {
  const { run, args } = trial;
  const folder = new RunFolder(run);
  const goesOn = await isBegun(trial);
  const earlier = goesOn ? await measuresOf(folder) : undefined;
  if (earlier) return earlier;
  const [_, ...words] = project.tasks.train.command.split(" ");
  const script = new URL("../train.ts", import.meta.url);
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--config", config, ...words.slice(1, -1), script.href, ...goesOn ? [`--resume=${run}`] : args],
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

/** The measures of a finished run on its validation part. */
async function measuresOf(folder: RunFolder): Promise<Readonly<Record<string, number>> | undefined> {
  const summary = await readJson(`${folder.path}/summary.json`);
  return summary?.validation as Record<string, number> | undefined;
}

async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  return await stampOf(path) === undefined ? undefined : parseObject(await Deno.readTextFile(path));
}

/**
 * Runs one task after the other in one process, for `Workplace.inSeries()`. Each line of stdin is a task's name and its
 * arguments, as JSON. What a task says is followed by END, on stdout with its exit code.
 */

import { main as compare } from "../../tasks/compare.ts";
import { main as explain } from "../../tasks/explain/explain_run.ts";
import { main as exportRun } from "../../tasks/export.ts";
import { main as evaluate } from "../../tasks/predict/evaluate_run.ts";
import { main as predict } from "../../tasks/predict/predict_run.ts";
import { main as generate } from "../../tasks/prepare/generate.ts";
import { main as report } from "../../tasks/report.ts";
import { main as scale } from "../../tasks/prepare/scale.ts";
import type { TaskConfig, TaskName } from "../../tasks/settings/config.ts";
import { exitCodeOf } from "../../tasks/settings/run_task.ts";
import { readTrainConfig } from "../../tasks/training/resume.ts";
import { train } from "../../tasks/training/train_run.ts";
import { END } from "./run_task_process.ts";

const MAINS: Partial<Record<TaskName, (config: TaskConfig) => Promise<number | void>>> = {
  compare,
  evaluate,
  explain,
  export: exportRun,
  "gen-data": generate,
  predict,
  report,
  scale,
  train: (config) => train(config, { command: "deno task train" }),
};

if (import.meta.main) {
  let text = "";
  for await (const piece of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (!text.endsWith("\n")) continue;
    const [task, args]: [TaskName, string[]] = JSON.parse(text);
    text = "";
    const code = await exitCodeOf(task, args, MAINS[task]!, task === "train" ? readTrainConfig : undefined);
    console.error(END);
    console.log(`${END}${code}`);
  }
}

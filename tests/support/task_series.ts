/**
 * Runs one task after the other in one process, for `Workplace.inSeries()`. Each line of stdin is a task's name, its
 * arguments and settings of its environment, as JSON. What a task says is followed by END, on stdout with its exit code.
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

/**
 * Gives all tasks the same device of WebGPU, and each kernel's pipeline as it was compiled first: compiling takes most of a
 * short training. A task still makes all that it runs and holds itself.
 */
function keepPipelines(): void {
  const { requestDevice } = GPUAdapter.prototype;
  const { createComputePipeline, createShaderModule } = GPUDevice.prototype;
  let device: Promise<GPUDevice> | undefined;
  const modules = new Map<string, GPUShaderModule>();
  const texts = new Map<GPUShaderModule, string>();
  const pipelines = new Map<string, GPUComputePipeline>();
  GPUAdapter.prototype.requestDevice = function (descriptor) {
    return device ??= requestDevice.call(this, descriptor);
  };
  GPUDevice.prototype.destroy = () => {};
  GPUDevice.prototype.createShaderModule = function (descriptor) {
    const text = `${descriptor.label}\n${descriptor.code}`;
    const module = modules.getOrInsertComputed(text, () => createShaderModule.call(this, descriptor));
    texts.set(module, text);
    return module;
  };
  GPUDevice.prototype.createComputePipeline = function (descriptor) {
    const { module, constants } = descriptor.compute;
    const key = `${JSON.stringify(constants)} ${texts.get(module)}`;
    return pipelines.getOrInsertComputed(key, () => createComputePipeline.call(this, descriptor));
  };
}

/** Runs with settings of the environment, of which `null` takes one away. */
async function withEnvironment<T>(env: Record<string, string | null>, run: () => Promise<T>): Promise<T> {
  const set = (key: string, value: string | null | undefined) =>
    value === null || value === undefined ? Deno.env.delete(key) : Deno.env.set(key, value);
  const before = Object.keys(env).map((key) => [key, Deno.env.get(key)] as const);
  for (const [key, value] of Object.entries(env)) set(key, value);
  try {
    return await run();
  } finally {
    for (const [key, value] of before) set(key, value);
  }
}

if (import.meta.main) {
  keepPipelines();
  let text = "";
  for await (const piece of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (!text.endsWith("\n")) continue;
    const [task, args, env]: [TaskName, string[], Record<string, string | null>] = JSON.parse(text);
    text = "";
    const read = task === "train" ? readTrainConfig : undefined;
    const code = await withEnvironment(env, () => exitCodeOf(task, args, MAINS[task]!, read));
    console.error(END);
    console.log(`${END}${code}`);
  }
}

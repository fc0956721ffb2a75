/**
 * Runs one task after the other in one process, for `Workplace.inSeries()`. Each line of stdin is a task's name, its
 * arguments, and settings for its environment, as JSON. What a task says is followed by END, on stdout with its exit code.
 * They share one device: pipelines are most of what a short task costs.
 */

import type { DeviceOptions } from "../../lib/gpu/adapter.ts";
import { Device } from "../../lib/gpu/device.ts";
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
import { END, type Environment } from "./task_processes.ts";

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

/** Devices that the next task may have, by what was asked for. */
const shared = new Map<string, Device>();

/** Really disposes of a device that is shared. */
const dispose = Device.prototype.dispose;

/** From now on, who asks for a device gets the one that was asked for alike before, and disposing of it does nothing. */
function shareDevices(): void {
  const request = Device.request;
  Device.request = async (options: DeviceOptions = {}) => {
    const key = JSON.stringify(options);
    const known = shared.get(key);
    if (known) return known;
    const device = await request.call(Device, options);
    shared.set(key, device);
    device.dispose = () => {};
    const { examineWith } = device;
    device.examineWith = (examiner) => {
      // Another task must have its kernels examined anew.
      shared.delete(key);
      device.dispose = dispose;
      examineWith.call(device, examiner);
    };
    return device;
  };
}

/** Disposes of shared devices on which a task failed or left something: the next task begins as on a new one. */
function dropUsedDevices(): void {
  for (const [key, device] of shared) {
    if (isAsNew(device)) continue;
    shared.delete(key);
    dispose.call(device);
  }
}

function isAsNew(device: Device): boolean {
  try {
    device.check();
    return device.stats.buffers === 0 && !device.isRecording;
  } catch {
    return false;
  }
}

/** Sets variables; "" unsets one. Gives what sets them back. */
function setEnvironment(env: Environment): () => void {
  const before = Object.keys(env).map((key) => [key, Deno.env.get(key) ?? ""] as const);
  const set = (pairs: readonly (readonly [string, string])[]) => {
    for (const [key, value] of pairs) {
      if (value === "") Deno.env.delete(key);
      else Deno.env.set(key, value);
    }
  };
  set(Object.entries(env));
  return () => set(before);
}

if (import.meta.main) {
  shareDevices();
  let text = "";
  for await (const piece of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (!text.endsWith("\n")) continue;
    const [task, args, env]: [TaskName, string[], Environment] = JSON.parse(text);
    text = "";
    const unset = setEnvironment(env);
    const code = await exitCodeOf(task, args, MAINS[task]!, task === "train" ? readTrainConfig : undefined);
    unset();
    dropUsedDevices();
    console.error(END);
    console.log(`${END}${code}`);
  }
}

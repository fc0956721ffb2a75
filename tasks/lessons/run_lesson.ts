/** `deno task lesson`: the list, a lesson, its check, its hints, its solution. */

import { Device } from "../../mod.ts";
import { ConfigError, type TaskConfig } from "../settings/config.ts";
import { isDone, judge, type Lesson, LESSONS } from "./course.ts";

const FOLDER = new URL("./", import.meta.url);

export async function runLesson({ words, extras: { CHECK, HINT, SOLUTION } }: TaskConfig): Promise<number | void> {
  const [word, second, ...others] = words;
  const asked = Object.entries({ CHECK, HINT, SOLUTION }).filter(([_, text]) => text !== undefined && text !== "false");
  const flags = asked.map(([key]) => `--${key.toLowerCase()}`);
  const number = Number(word ?? 1);
  const lesson = LESSONS[number - 1];
  const more = flags.includes("--hint") ? others : words.slice(1);
  const faults = [
    ...(lesson ? [] : [`${JSON.stringify(word)}: there are lessons 1 to ${LESSONS.length}`]),
    ...(more.length > 0 ? [`${JSON.stringify(more[0])}: lesson takes one number`] : []),
    ...(flags.length > 1 ? [`${flags.join(" and ")}: lesson takes one of them`] : []),
    ...(word === undefined && flags.length > 0 ? [`${flags[0]} needs the number of a lesson`] : []),
  ];
  if (faults.length > 0) throw new ConfigError(faults);
  if (word === undefined) return await list();
  if (flags.includes("--check")) return await check(lesson, number);
  if (flags.includes("--hint")) return await hint(lesson, number, second ?? "1");
  if (flags.includes("--solution")) {
    console.log((await Deno.readTextFile(new URL(`solutions/${lesson.name}.ts`, FOLDER))).trimEnd());
    return;
  }
  console.log(`lesson ${number}, ${lesson.point}: tasks/lessons/${lesson.name}.ts\n`);
  await lesson.load();
  console.log(
    `\nThe exercise stands at the end of the file. deno task lesson ${number} --check judges what you wrote.`,
  );
}

async function list(): Promise<void> {
  using stack = new DisposableStack();
  let device: Device | undefined;
  const request = async () => device ??= stack.use(await Device.request({ smallDispatches: true }));
  for (const [i, lesson] of LESSONS.entries()) {
    const state = await isDone(request, lesson) ? "done" : "open";
    console.log(`${state}  ${i + 1}  ${lesson.point.padEnd(62)} tasks/lessons/${lesson.name}.ts`);
  }
  console.log("\ndeno task lesson 1 runs the first one; --check, --hint and --solution help with its exercise");
}

async function check(lesson: Lesson, number: number): Promise<number> {
  using device = await Device.request({ smallDispatches: true });
  const faults = await judge(device, lesson);
  if (faults.length === 0) {
    console.log(`lesson ${number}: right`);
    return 0;
  }
  for (const fault of faults) console.log(fault);
  console.log(`lesson ${number}: not yet right; deno task lesson ${number} --hint helps`);
  return 1;
}

async function hint(lesson: Lesson, number: number, asked: string): Promise<void> {
  const { hints } = await lesson.loadChecks();
  const which = Number(asked);
  const text = hints[which - 1];
  if (!text) {
    throw new ConfigError([`--hint is ${JSON.stringify(asked)}: lesson ${number} has hints 1 to ${hints.length}`]);
  }
  console.log(text);
  const next = which < hints.length ? `--hint ${which + 1} says more` : "--solution shows how it is done";
  console.log(`\nhint ${which} of ${hints.length}; deno task lesson ${number} ${next}`);
}

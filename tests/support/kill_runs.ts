/**
 * Kills a run at random moments, resumes it each time, and compares its end with that of a run that was left alone:
 *
 *     deno run -A tests/support/kill_runs.ts --kills 30 --seed 1
 */

import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { Random } from "../../lib/base/random.ts";
import { type Outcome, Workplace } from "./run_task_process.ts";

/** A run with all that must not get lost: Adam's state, a schedule, masks of dropout, the best weights. */
const RESUMED = ("--num-dataset=600 --hidden-size=64,64 --optimizer=adam --dropout=0.1 --noise=300 --schedule=cosine " +
  "--patience=100000 --members=2 --checkpoint-every=20 --trace=7").split(" ");

/** The run's name and how long it is, for so many kills. */
const ofKills = (kills: number) => [...RESUMED, "--run-name", "r", "--num-epochs", `${kills * 3}`];

/** Milliseconds of training that a process gets at most before it is killed. */
const LONGEST = 40;

/** SHA-256 of what a finished run leaves, but for what the clock decides. */
export async function totalsOf(place: Workplace, run: string): Promise<Record<string, string>> {
  const digests = await place.digests(run);
  const names = ["model.safetensors", "metrics.jsonl", "layers.jsonl", "trace.jsonl", "config.json"];
  return Object.fromEntries(names.map((name) => [name, digests[name]]));
}

/** Awaits the end of a process, and does something once it has printed a word. */
export async function whenSaid(
  child: Deno.ChildProcess,
  word: string,
  act: () => void | Promise<void>,
): Promise<Outcome> {
  const stderr = new Response(child.stderr).text();
  let stdout = "";
  let isDone = false;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    stdout += text;
    if (isDone || !stdout.includes(word)) continue;
    isDone = true;
    await act();
  }
  return { code: (await child.status).code, stdout, stderr: await stderr };
}

/** Whether a checkpoint is being written, or was when its process died. */
function isWriting(checkpoints: string): boolean {
  try {
    return [...Deno.readDirSync(checkpoints)].some(({ name }) => name.endsWith(".partial"));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Kills a training: at any moment of its start, while it trains, or as it writes a checkpoint. Tells whether it was alive. */
async function kill(child: Deno.ChildProcess, checkpoints: string, random: Random): Promise<boolean> {
  const draw = random.uniform(0, 1);
  const stderr = new Response(child.stderr).text();
  let isOver = false;
  let text = "";
  const killAfter = async (milliseconds: number, isTime = () => true) => {
    const end = performance.now() + milliseconds;
    while (!isOver && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 1));
    while (!isOver && !isTime()) await new Promise((resolve) => setTimeout(resolve, 0));
    if (!isOver) child.kill("SIGKILL");
  };
  const isAtWrite = draw > 0.5;
  let killing = draw < 0.2 ? killAfter(random.uniform(0, 1000)) : undefined;
  for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (!/^first steps done/m.test(text)) continue;
    killing ??= killAfter(random.uniform(0, LONGEST), isAtWrite ? () => isWriting(checkpoints) : undefined);
  }
  const { signal, code } = await child.status;
  isOver = true;
  await killing;
  if (signal !== "SIGKILL") assertEquals(code, 0, await stderr);
  await stderr;
  return signal === "SIGKILL";
}

/** What became of a run that was killed. */
interface Killed {
  /** How often it was killed, and how often of these in the middle of a write. */
  kills: number;
  partials: number;
}

/** Does it. Something else may become of the run before it is resumed for the last time. */
export async function killRepeatedly(
  kills: number,
  seed: number,
  beforeEnd: (place: Workplace) => Promise<void> = () => Promise.resolve(),
): Promise<Killed> {
  await using place = await Workplace.create();
  await using whole = await Workplace.create();
  const random = new Random(seed, "kills");
  const run = "data/runs/r";
  const checkpoints = place.at(`${run}/checkpoints`);
  const args = ofKills(kills);
  /** Flags that begin the run, or resume it. */
  const flags = () => Deno.stat(place.at(`${run}/config.json`)).then(() => ["--resume", "r"], () => args);
  await whole.succeed("train", args);
  const totals = await totalsOf(whole, run);
  let done = 0;
  let partials = 0;
  for (let starts = 0; done < kills && starts < 5 * kills; starts++) {
    const child = await place.start("train", await flags());
    if (!await kill(child, checkpoints, random)) {
      // It came to its end before the kill, as happens on a quiet machine: the next ones begin anew.
      assertEquals(await totalsOf(place, run), totals, `after ${done} kills, seed ${seed}`);
      await Deno.remove(place.at(run), { recursive: true });
      continue;
    }
    done++;
    if (isWriting(checkpoints)) partials++;
  }
  await beforeEnd(place);
  await place.succeed("train", await flags());
  assertEquals(await totalsOf(place, run), totals, `after ${done} kills, seed ${seed}`);
  return { kills: done, partials };
}

if (import.meta.main) {
  const { kills, seed } = parseArgs(Deno.args, { string: ["kills", "seed"], default: { kills: "30", seed: "1" } });
  const result = await killRepeatedly(Number(kills), Number(seed));
  console.log(`killed ${result.kills} times, ${result.partials} of them within a write: the same bytes in the end`);
}

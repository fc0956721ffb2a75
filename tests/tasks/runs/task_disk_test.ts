/** Disks that fill up and folders that vanish under a run: the last checkpoint stays, and the message says what is needed. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { loadCheckpoint } from "../../../lib/model_file/checkpoint.ts";
import { whenSaid } from "../../support/kill_runs.ts";
import { type Outcome, pathInProject, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const run = "data/runs/r";

/** A checkpoint of this network takes more than 200 KiB, all other files of the run less. */
const RUN = ["--num-dataset", "300", "--hidden-size", "256,256", "--run-name", "r", "--num-epochs", "1"];

const COMMAND = ["run", "--config", pathInProject("deno.json"), "-A", pathInProject("tasks/train.ts")];

/** Trains where no file may become longer than 200 KiB, as on a disk that is full. */
async function trainLimited(place: Workplace, args: readonly string[]): Promise<Outcome> {
  const script = `trap '' XFSZ; ulimit -f 200; exec "$@"`; // the signal would end the process before it is told
  const all = ["-c", script, "bash", Deno.execPath(), ...COMMAND, ...args];
  const { code, stdout, stderr } = await new Deno.Command("bash", { args: all, cwd: place.path }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Starts training, does something once it has said a word, and awaits its end. */
async function meanwhile(
  place: Workplace,
  args: readonly string[],
  word: string,
  act: () => Promise<void>,
): Promise<Outcome> {
  await using child = place.startDeno([...COMMAND, ...args]);
  return await whenSaid(child, word, act);
}

permitted({
  name: "a file that outgrows what the disk allows ends the run, with the last checkpoint whole",
  ignore: Deno.build.os === "windows", // it has no such limits
  fn: async () => {
    await using place = await Workplace.create();
    await using whole = await Workplace.create();
    await whole.succeed("train", [...RUN.slice(0, -1), "3"]);
    await place.succeed("train", RUN);
    const before = await place.digests(`${run}/checkpoints`);
    const { code, stderr } = await trainLimited(place, ["--resume", "r", "--num-epochs", "3"]);
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^error: Cannot write data\/runs\/r\/checkpoints\/step-00000000(48|72).safetensors, which takes \d{6} bytes: .*\(os error/m,
    );
    assertStringIncludes(
      stderr,
      "the last checkpoint is at step 24: `deno task train --resume r` continues from there",
    );
    assertEquals(await place.digests(`${run}/checkpoints`), before);

    await place.succeed("train", ["--resume", "r"]);
    for (const name of ["model.safetensors", "metrics.jsonl"]) {
      assertEquals((await place.digests(run))[name], (await whole.digests(run))[name], name);
    }
  },
});

permitted({
  name: "a full disk ends the run, and names the file",
  ignore: Deno.build.os !== "linux", // elsewhere no file is always full
  fn: async () => {
    await using place = await Workplace.create();
    await place.succeed("train", RUN);
    const full = async (name: string) => {
      await Deno.remove(place.at(name)).catch(() => {});
      await Deno.symlink("/dev/full", place.at(name));
    };
    const train = (...args: string[]) => place.runDeno([...COMMAND, "--resume", "r", ...args]);
    await Deno.remove(place.at(`${run}/checkpoints`), { recursive: true });
    await full(`${run}/metrics.jsonl`);
    const line = await train();
    assertEquals(line.code, 1);
    assertMatch(
      line.stderr,
      /^error: Cannot write data\/runs\/r\/metrics.jsonl, which takes \d+ bytes: No space left/m,
    );
    await Deno.remove(place.at(`${run}/metrics.jsonl`));
    await place.succeed("train", ["--resume", "r"]);

    // The model comes last: the training behind it is not lost.
    await Deno.remove(place.at(`${run}/model.safetensors`));
    await Deno.mkdir(place.at(`${run}/model.safetensors/in the way`), { recursive: true });
    const model = await train("--num-epochs", "2");
    assertEquals(model.code, 1);
    assertMatch(
      model.stderr,
      /^error: Cannot write data\/runs\/r\/model.safetensors, which takes \d+ bytes: .*\(os error \d+\)/m,
    );
    assertStringIncludes(model.stderr, "the last checkpoint is at step 48: ");
    await Deno.remove(place.at(`${run}/model.safetensors`), { recursive: true });
    assertMatch((await place.succeed("train", ["--resume", "r"])).stdout, /^48 steps in /m);
  },
});

permitted({
  name: "a folder that is read-only ends the run, and names the file",
  ignore: Deno.build.os === "windows", // there it says nothing of files in it
  fn: async () => {
    await using place = await Workplace.create();
    await place.succeed("train", RUN);
    const before = await place.digests(run);
    const folders = [run, `${run}/checkpoints`].map((name) => place.at(name));
    for (const folder of folders) await Deno.chmod(folder, 0o555);
    // The system's administrator may write everywhere, unless that is taken away.
    const { uid } = await Deno.stat(place.path);
    const [first, ...rest] = uid === 0
      ? ["setpriv", "--bounding-set=-dac_override", Deno.execPath()]
      : [Deno.execPath()];
    const args = [...rest, ...COMMAND, "--resume", "r", "--num-epochs", "2"];
    const { code, stderr } = await new Deno.Command(first, { args, cwd: place.path }).output();
    for (const folder of folders) await Deno.chmod(folder, 0o755);
    assertEquals(code, 1);
    assertMatch(
      new TextDecoder().decode(stderr),
      /^error: .*data\/runs\/r\/.*\(os error 13\)|^error: .*\(os error 13\).*data\/runs\/r\//m,
    );
    assertEquals(await place.digests(run), before);
  },
});

permitted("a run whose folder or file is taken away ends, and writes nowhere else", async () => {
  await using place = await Workplace.create();
  const long = [...RUN.slice(0, -1), "100000"];
  const word = "first steps done";
  const gone = await meanwhile(place, long, word, () => Deno.remove(place.at(run), { recursive: true }));
  assertEquals(gone.code, 1);
  assertMatch(gone.stderr, /^error: .*data\/runs\/r\/.*(\(os error 2\)|there is no such file)/m);
  assertEquals(gone.stderr.includes("the last checkpoint"), false);
  assert(await Deno.stat(place.at(run)).then(() => false, () => true), "the folder is there again");

  const file = await meanwhile(place, [...long, "--checkpoint-every", "24"], "epoch ", async () => {
    await Deno.remove(place.at(`${run}/metrics.jsonl`));
  });
  assertEquals(file.code, 1);
  assertMatch(
    file.stderr, // a line more may have been written, or not
    /^error: (data\/runs\/r\/metrics.jsonl: it has \d+ bytes, but this run wrote \d+: another program|.*metrics.jsonl: there is no)/m,
  );
  const last = file.stderr.match(/^the last checkpoint is at step (\d+): /m)![1].padStart(10, "0");
  await loadCheckpoint(place.at(`${run}/checkpoints/step-${last}.safetensors`));

  await place.write("data/runs/f", "a file where the folder should be");
  const taken = await place.run("train", [...RUN.slice(0, 4), "--run-name", "f/"]);
  assertEquals(taken.code, 2);
  await Deno.remove(place.at("data/runs"), { recursive: true });
  await place.write("data/runs", "a file");
  const { code, stderr } = await place.run("train", RUN);
  assertEquals(code, 1);
  assertMatch(stderr, /^error: .*data\/runs/m);
});

/** Disks that fill up and folders that vanish under a run: the last checkpoint stays, and the message says what is needed. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { loadCheckpoint } from "../../../lib/model_file/checkpoint.ts";
import { whenSaid } from "../../support/kill_runs.ts";
import { environmentOf, isLonger, pathInProject, until, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const run = "data/runs/r";

/** A checkpoint of this network takes more than 200 KiB, all other files of the run less. */
const RUN = ["--num-dataset", "300", "--hidden-size", "160,160", "--run-name", "r", "--num-epochs", "1"];

const COMMAND = ["run", "--config", pathInProject("deno.json"), "-A", pathInProject("tasks/train.ts")];

/** Resumes the run in a process that another program starts; gives its exit code and stderr. */
async function resumeBy(place: Workplace, [program, ...words]: string[], epochs: number): Promise<[number, string]> {
  const args = [...words, Deno.execPath(), ...COMMAND, "--resume", "r", "--num-epochs", `${epochs}`];
  const { code, stderr } = await new Deno.Command(program, {
    args,
    cwd: place.path,
    clearEnv: true,
    env: environmentOf({}),
  }).output();
  return [code, new TextDecoder().decode(stderr)];
}

permitted({
  name: "a disk that takes no more ends the run with its last checkpoint whole, and the message names the file",
  ignore: Deno.build.os === "windows", // it has no such limits, and there a read-only folder says nothing of files in it
  fn: async (t) => {
    await using place = await Workplace.inSeries("train");
    await place.succeed("train", RUN);

    await t.step("a folder that is read-only", async () => {
      const before = await place.digests(run);
      const folders = [run, `${run}/checkpoints`].map((name) => place.at(name));
      for (const folder of folders) await Deno.chmod(folder, 0o555);
      // The system's administrator may write everywhere, unless that is taken away.
      const { uid } = await Deno.stat(place.path);
      const starter = uid === 0 ? ["setpriv", "--bounding-set=-dac_override"] : ["env"];
      const [code, stderr] = await resumeBy(place, starter, 2);
      for (const folder of folders) await Deno.chmod(folder, 0o755);
      assertEquals(code, 1);
      assertMatch(
        stderr,
        /^error: .*data\/runs\/r\/.*\(os error 13\)|^error: .*\(os error 13\).*data\/runs\/r\//m,
      );
      assertEquals(await place.digests(run), before);
    });
    await t.step("a file that outgrows what the disk allows", async () => {
      await using whole = await Workplace.inSeries("train");
      await whole.succeed("train", [...RUN.slice(0, -1), "3"]);
      const before = await place.digests(`${run}/checkpoints`);
      // No file may become longer than 200 KiB. The signal would end the process before it is told.
      const limited = ["bash", "-c", `trap '' XFSZ; ulimit -f 200; exec "$@"`, "bash"];
      const [code, stderr] = await resumeBy(place, limited, 3);
      assertEquals(code, 1);
      assertMatch(
        stderr,
        /^error: Cannot write data\/runs\/r\/checkpoints\/step-00000000(48|72).safetensors, which takes \d{6} bytes: .*\(os error/m,
      );
      const hint = "the last checkpoint is at step 24: `deno task train --resume r` continues from there";
      assertStringIncludes(stderr, hint);
      assertEquals(await place.digests(`${run}/checkpoints`), before);

      await place.succeed("train", ["--resume", "r"]);
      for (const name of ["model.safetensors", "metrics.jsonl"]) {
        assertEquals((await place.digests(run))[name], (await whole.digests(run))[name], name);
      }
    });
    const train = (...args: string[]) => place.runDeno([...COMMAND, "--resume", "r", ...args]);
    await t.step({
      name: "a full disk",
      ignore: Deno.build.os !== "linux", // elsewhere no file is always full
      fn: async () => {
        const metrics = place.at(`${run}/metrics.jsonl`);
        // Nothing is left that a new beginning would have to keep.
        for (const name of ["checkpoints", "model.safetensors", "summary.json", "metrics.jsonl"]) {
          await Deno.remove(place.at(`${run}/${name}`), { recursive: true });
        }
        await Deno.symlink("/dev/full", metrics);
        const { code, stderr } = await train();
        assertEquals(code, 1);
        assertMatch(stderr, /^error: Cannot write data\/runs\/r\/metrics.jsonl, which takes \d+ bytes: No space left/m);
        await Deno.remove(metrics);
        await place.succeed("train", ["--resume", "r"]);
      },
    });
    await t.step("the model comes last: the training behind it is not lost", async () => {
      await Deno.remove(place.at(`${run}/model.safetensors`));
      await Deno.mkdir(place.at(`${run}/model.safetensors/in the way`), { recursive: true });
      const { code, stderr } = await train("--num-epochs", "4");
      assertEquals(code, 1);
      assertMatch(
        stderr,
        /^error: Cannot write data\/runs\/r\/model.safetensors, which takes \d+ bytes: .*\(os error \d+\)/m,
      );
      assertStringIncludes(stderr, "the last checkpoint is at step 96: ");
      await Deno.remove(place.at(`${run}/model.safetensors`), { recursive: true });
      assertMatch((await place.succeed("train", ["--resume", "r"])).stdout, /^96 steps in /m);
    });
  },
});

permitted("a run whose folder or file is taken away ends, and writes nowhere else", async () => {
  await using place = await Workplace.inSeries("train");
  const long = [...RUN.slice(0, -1), "100000"];
  /** Trains, and removes something once a word was said. */
  const trainWithout = async (name: string, word: string, args: string[]) => {
    await using child = place.startDeno([...COMMAND, ...args]);
    return await whenSaid(child, word, () => Deno.remove(place.at(name), { recursive: true }));
  };
  const gone = await trainWithout(run, "first steps done", long);
  assertEquals(gone.code, 1);
  assertMatch(gone.stderr, /^error: .*data\/runs\/r\/.*(\(os error 2\)|there is no such file)/m);
  assertEquals(gone.stderr.includes("the last checkpoint"), false);
  assert(await Deno.stat(place.at(run)).then(() => false, () => true), "the folder is there again");

  const file = await trainWithout(`${run}/metrics.jsonl`, "epoch ", [...long, "--checkpoint-every", "24"]);
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

const QUICK = ["--num-dataset", "200", "--num-epochs", "1"];

permitted("train refuses a RUN_NAME that is being trained, and takes it over once that process is killed", async () => {
  await using place = await Workplace.inSeries("train");
  const first = await place.start("train", ["--num-dataset", "200", "--num-epochs", "10000000"]);
  await using _end = { [Symbol.asyncDispose]: () => kill() };
  const output = first.output();
  let isOver = false;
  const kill = async () => {
    if (!isOver) first.kill("SIGKILL");
    isOver = true;
    await output;
  };
  await until(() => isLonger(place.at("data/runs/default_run/config.json"), 0));
  if (Deno.build.os !== "windows") first.kill("SIGSTOP"); // it runs on, but takes no time of the others
  const { code, stderr } = await place.run("train", QUICK);
  assertEquals(code, 2, stderr);
  const who = `(process ${first.pid}, since `;
  assertStringIncludes(stderr, `error: RUN_NAME is "default_run": a training with this name is running ${who}`);
  assertEquals(await Array.fromAsync(Deno.readDir(place.at("data/runs")), ({ name }) => name), ["default_run"]);
  await place.succeed("train", [...QUICK, "--run-name", "other"]);

  await kill();
  const { stdout } = await place.succeed("train", QUICK);
  assertStringIncludes(stdout, "to data/runs/default_run.1");
});

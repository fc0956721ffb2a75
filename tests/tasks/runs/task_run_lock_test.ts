/** Two trainings under one RUN_NAME. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { isLonger, until, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const SMALL = ["--num-dataset", "200", "--num-epochs", "1"];

permitted("train refuses a RUN_NAME that is being trained, and takes it over once that process is killed", async () => {
  await using place = await Workplace.create();
  const first = await place.start("train", ["--num-dataset", "200", "--num-epochs", "10000000"]);
  let isOver = false;
  await using _end = {
    [Symbol.asyncDispose]: async () => {
      if (!isOver) first.kill("SIGKILL");
      await first.status;
    },
  };
  const said = Promise.all([first.stdout, first.stderr].map((stream) => new Response(stream).text()));
  await until(() => isLonger(place.at("data/runs/default_run/config.json"), 0));
  const { code, stderr } = await place.run("train", SMALL);
  assertEquals(code, 2, stderr);
  const who = `(process ${first.pid}, since `;
  assertStringIncludes(
    stderr,
    `error: RUN_NAME is "default_run": a training with this name is running ${who}`,
  );
  assertEquals(await Array.fromAsync(Deno.readDir(place.at("data/runs")), ({ name }) => name), ["default_run"]);
  await place.succeed("train", [...SMALL, "--run-name", "other"]);

  first.kill("SIGKILL");
  isOver = true;
  await Promise.all([first.status, said]);
  const { stdout } = await place.succeed("train", SMALL);
  assertStringIncludes(stdout, "to data/runs/default_run.1");
});

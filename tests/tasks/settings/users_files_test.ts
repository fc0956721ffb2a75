/** Files where users name them: what is there keeps its mode and owner, and pipes and devices are written to. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { streamAt, writeAside } from "../../../tasks/settings/users_files.ts";
import { permitted } from "../../support/permitted.ts";
import { Workplace } from "../../support/run_task_process.ts";

const isWindows = Deno.build.os === "windows"; // it has neither modes nor such pipes

async function run(program: string, ...args: string[]): Promise<string> {
  const { success, stdout } = await new Deno.Command(program, { args }).output();
  assert(success, `${program} ${args.join(" ")}`);
  return new TextDecoder().decode(stdout);
}

permitted({
  name: "writeAside() keeps the mode and the owner of a file, and replaces a link",
  ignore: isWindows,
  fn: async () => {
    await using place = await Workplace.create({ "old.txt": "old", "precious.txt": "precious" });
    const path = place.at("old.txt");
    for (const mode of [0o600, 0o664, 0o444]) {
      await Deno.chmod(path, mode);
      await writeAside(path, (sink) => sink(`${mode}`));
      assertEquals([await Deno.readTextFile(path), (await Deno.stat(path)).mode! & 0o7777], [`${mode}`, mode]);
    }
    if (Deno.uid() === 0) {
      await Deno.chown(path, 12, 34);
      await writeAside(path, (sink) => sink("new"));
      const { uid, gid, mode } = await Deno.stat(path);
      assertEquals([uid, gid, mode! & 0o777], [12, 34, 0o444]);
    }
    await Deno.symlink(place.at("precious.txt"), place.at("link"));
    await writeAside(place.at("link"), (sink) => sink("new"));
    assertEquals(await place.read("precious.txt"), "precious");
    await Deno.chmod(path, 0o640);
    await assertRejects(() => writeAside(path, () => Promise.reject(new Error("no"))), Error, "no");
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o640);
    assertEquals((await Array.fromAsync(Deno.readDir(place.path))).length, 3);
  },
});

permitted({
  name:
    "writeAside() writes into a named pipe and /dev/null, and leaves them there; this process' streams by their names",
  ignore: isWindows,
  fn: async () => {
    await using place = await Workplace.create();
    const pipe = place.at("pipe");
    await run("mkfifo", pipe);
    const read = run("cat", pipe);
    await writeAside(pipe, async (sink) => {
      await sink("one ");
      await sink(new TextEncoder().encode("two"));
    });
    assertEquals(await read, "one two");
    assert((await Deno.lstat(pipe)).isFifo);
    await writeAside("/dev/null", (sink) => sink("nothing"));
    assert((await Deno.lstat("/dev/null")).isCharDevice);
    assertEquals((await Array.fromAsync(Deno.readDir(place.path))).length, 1);
    assertEquals([streamAt("/dev/stdout"), streamAt("/dev/../dev/fd/2")], [Deno.stdout, Deno.stderr]);
    assertEquals([streamAt("stdout"), streamAt("/dev/null")], [undefined, undefined]);
  },
});

permitted({
  name: "--output takes a pipe, /dev/null and /dev/stdout, and names what Deno opens for nobody",
  ignore: isWindows,
  fn: async () => {
    await using place = await Workplace.inSeries("report");
    await place.succeed("train", ["--num-dataset", "100", "--num-epochs", "1"]);
    const { stdout: printed } = await place.succeed("predict", ["1"]);
    const direct = await place.succeed("predict", ["1", "--output", "/dev/stdout"]);
    assertEquals(direct.stdout, printed);
    await run("mkfifo", place.at("pipe"));
    const read = run("cat", place.at("pipe"));
    await place.succeed("predict", ["1", "--output", "pipe"]);
    assertEquals((await read).replaceAll("\r", ""), printed.replaceAll("\r", ""));
    await Deno.remove(place.at("pipe"));

    await place.succeed("export", ["--format", "ts"]);
    const source = await place.read("data/runs/default_run/model.ts");
    const exported = await place.succeed("export", ["--format", "ts", "--output", "/dev/stdout"]);
    assertEquals(exported.stdout, source.replaceAll("model.ts", "stdout"));
    assertStringIncludes(exported.stderr, "wrote /dev/stdout");
    await place.succeed("export", ["--format", "onnx", "--output", "/dev/null"]);
    await place.succeed("report", ["--output", "/dev/null"]);
    await place.refuse(2, ["must end in .py"], "export", ["--format", "pytorch", "--output", "/dev/null"]);
    const shared = ["--input", "/dev/shm/a.csv"]; // a file, but in a folder that Deno opens for nobody
    await place.refuse(1, ["Cannot open /dev/shm/a.csv: of /dev"], "predict", shared);
    for (const path of ["/dev/fd/999", "/dev/shm/a.csv", "/proc/self/fd/999"]) {
      const says = [`Cannot open ${path}: of /dev, /proc and /sys a task may open only /dev/null`];
      const { stderr } = await place.refuse(1, says, "predict", ["1", "--output", path]);
      assertEquals(stderr.includes("allow-all"), false);
    }
  },
});

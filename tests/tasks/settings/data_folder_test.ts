/** A data folder that cannot be written, or leads nowhere: what can be done is done, and the rest is told in one line. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { argumentsOf, environmentOf, pathInProject, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const isWindows = Deno.build.os === "windows"; // modes of folders say nothing there of files in them

/** Makes all of a folder read-only, or writable again. */
async function setWritable(folder: string, isWritable: boolean): Promise<void> {
  const { success } = await new Deno.Command("chmod", { args: ["-R", isWritable ? "u+w" : "a-w", folder] }).output();
  assertEquals(success, true);
}

/** Runs a task as somebody whom modes hold: the system's administrator may write everywhere, unless that is taken away. */
async function runHeld(place: Workplace, task: string, args: string[]): Promise<{ code: number; said: string }> {
  const { uid } = await Deno.stat(place.path);
  const [program, ...words] = uid === 0 ? ["setpriv", "--bounding-set=-dac_override"] : ["env"];
  const command = [...words, Deno.execPath(), ...await argumentsOf(task), ...args];
  const options = { args: command, cwd: place.path, clearEnv: true, env: environmentOf({ NO_COLOR: "1" }) };
  const { code, stdout, stderr } = await new Deno.Command(program, options).output();
  return { code, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

const STACK = /^\s+at |file:\/\/|\.ts:\d|allow-all/m;

permitted({
  name: "a data folder that is read-only: what writes elsewhere works, and what cannot says so in one line",
  ignore: isWindows,
  fn: async (t) => {
    await using place = await Workplace.create({ "rows.csv": "x,y\n1,2\n2,3\n" });
    await place.succeed("train", ["--num-dataset", "100", "--num-epochs", "1"]);
    await Deno.remove(place.at("data/.locks"), { recursive: true });
    await setWritable(place.at("data"), false);
    await using _end = { [Symbol.asyncDispose]: () => setWritable(place.at("data"), true) };
    const before = await place.digests("data");
    const works: [task: string, args: string[], says: RegExp][] = [
      ["predict", ["1"], /^1,/m],
      ["predict", ["--input", "rows.csv", "--output", "out.csv"], /^wrote out.csv: 2/m],
      ["evaluate", ["--data", "rows.csv"], /^default_run/m],
      [
        "export",
        ["--format", "onnx", "--output", "m.onnx"],
        /^note: Cannot write data\/.locks[^]*^wrote m.onnx|^wrote m.onnx[^]*^note/m,
      ],
      ["export", ["--format", "pytorch", "--output", "m.py"], /^wrote m_torch.safetensors/m],
      ["report", ["--output", "r.html", "--svg", "charts"], /^wrote r.html/m],
    ];
    for (const [task, args, says] of works) {
      await t.step(`${task} ${args[0]}`, async () => {
        const { code, said } = await runHeld(place, task, args);
        assertEquals(code, 0, said);
        assertMatch(said, says);
      });
    }
    const writable = "make data/ writable, or work in a copy of the project where you may write";
    const refused: [task: string, args: string[], says: string][] = [
      ["train", [], `Cannot write data/.locks: Permission denied (os error 13): ${writable}`],
      ["train", ["--resume", "default_run"], writable],
      ["scale", [], writable],
      ["gen-data", ["--generate-dataset"], writable],
      ["tune", ["--trials", "1", "--seed", "1|2"], writable],
      [
        "export",
        ["--format", "ts"],
        "Cannot write data/runs/default_run/model.ts: Permission denied (os error 13): --output can name",
      ],
      [
        "report",
        [],
        "Cannot write data/runs/default_run/report.html: Permission denied (os error 13): --output and --svg can name",
      ],
    ];
    for (const [task, args, says] of refused) {
      await t.step(`${task} ${args.join(" ")} is refused`, async () => {
        const { code, said } = await runHeld(place, task, args);
        assertEquals(code, 1, said);
        const errors = said.split("\n").filter((line) => line.startsWith("error: "));
        assertEquals(errors.length, 1, said);
        assertStringIncludes(errors[0], says);
        assertEquals(said.match(STACK)?.[0], undefined, said);
      });
    }
    assertEquals(await place.digests("data"), before);
  },
});

permitted({
  name: "data, or data/runs, that is a link to nowhere or a file, is named by every task that needs it",
  ignore: isWindows, // links need a privilege there
  fn: async () => {
    await using place = await Workplace.inSeries("train");
    const link = (target: string) => (path: string) => Deno.symlink(target, path);
    const cases: [path: string, make: (path: string) => Promise<void>, says: string][] = [
      ["data", link("gone"), "data: this is a link to gone, where no folder is: make that folder, or remove the link"],
      ["data", link("data"), "data: this is a link to data, where no folder is"],
      ["data", link("a file"), "data: this is a link to a file, a file, and must be a folder"],
      ["data", (path) => Deno.writeTextFile(path, ""), "data: this is a file, and must be a folder: move it away"],
      ["data/runs", link("/nowhere"), "data/runs: this is a link to /nowhere, where no folder is"],
    ];
    await place.write("a file", "");
    for (const [path, make, says] of cases) {
      if (path !== "data") await Deno.mkdir(place.at("data"));
      await make(place.at(path));
      for (const [task, ...args] of [["train"], ["train", "--resume=a"], ["predict", "1"], ["compare", "a", "b"]]) {
        const { code, stderr } = await place.run(task, args);
        assertEquals([code, stderr.split("\n")[0].startsWith(`error: ${says}`)], [1, true], stderr);
      }
      await Deno.remove(place.at("data"), { recursive: true });
    }
    // A link to a folder is as good as the folder.
    await Deno.mkdir(place.at("elsewhere"));
    await Deno.symlink("elsewhere", place.at("data"));
    await place.succeed("gen-data", ["--num-dataset", "30"], {}); // what it may write is told by where it starts
    assertStringIncludes(await place.read("elsewhere/cubic.csv"), "x,y");
  },
});

permitted("a task that is started with too few permissions says how to start it", async () => {
  await using place = await Workplace.create();
  const start = async (...flags: string[]) => {
    const words = [
      "run",
      "--no-prompt",
      ...flags,
      "--config",
      pathInProject("deno.json"),
      pathInProject("tasks/train.ts"),
    ];
    return await place.runDeno(words);
  };
  for (const flags of [[], ["--allow-env", "--allow-read"]]) {
    const { code, stderr } = await start(...flags);
    assertEquals(code, 1);
    assertMatch(stderr, /^error: This requires (read|write|env) access to .*: start it as `deno task train`/);
    assertEquals(stderr.match(STACK)?.[0] ?? stderr.match(/run again/)?.[0], undefined, stderr);
  }
});

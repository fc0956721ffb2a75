import { assertEquals, assertStringIncludes } from "@std/assert";
import { changeTree, DRIVER, type Findings, isPinned, plan } from "../../../tasks/setup/prepare_machine.ts";
import { permitted } from "../../support/permitted.ts";
import { NO_ADAPTER } from "../../support/run_task_process.ts";

const root = new URL("../../../", import.meta.url);
const debian = { manager: "apt-get", mayInstall: true };
const apt = DRIVER.commands["apt-get"].join(" ");
const ready: Findings = {
  jsrAnswers: true,
  linked: false,
  pinned: true,
  adapter: true,
  backend: undefined,
  installer: { manager: undefined, mayInstall: false },
  forbidden: false,
  folder: "/somewhere/backhand #1 100%/",
};

/** A folder with what setup reads, taken away again at the end. */
async function makeProject(): Promise<{ root: URL } & AsyncDisposable> {
  const folder = new URL(`file://${await Deno.makeTempDir({ prefix: "backhand_setup_" })}/`);
  for (const name of ["tasks/offline_std/csv", "tasks/setup"]) {
    await Deno.mkdir(new URL(name, folder), { recursive: true });
  }
  const scripts = ["setup", "setup/prepare_machine", "setup/open_mpi", "setup/packages"];
  for (const file of ["deno.json", "deno.lock", ...scripts.map((name) => `tasks/${name}.ts`)]) {
    await Deno.copyFile(new URL(file, root), new URL(file, folder));
  }
  await Deno.writeTextFile(new URL("tasks/offline_std/csv/deno.json", folder), "{}");
  await Deno.writeTextFile(new URL("tasks/offline_std/csv/mod.ts", folder), "export {};");
  return { root: folder, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

const SETUP = ["run", "--no-lock", "--allow-all", "tasks/setup.ts"];

/** Runs deno in a project, the task unless told otherwise, on a machine that JSR does not answer. */
async function run(project: URL, env: Record<string, string> = {}, args = SETUP) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: project,
    env: { JSR_URL: "file:///nowhere/", NO_COLOR: "1", NO_SETUP: "", ...env },
  }).output();
  return { code, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

async function listTree(folder: URL): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

Deno.test("plan() changes what is needed, and says so", () => {
  const held = { adapter: false, backend: "metal", installer: debian };
  const unusable = 'DENO_WEBGPU_BACKEND is "metal", for which this machine has no adapter: unset it';
  const none = "WebGPU finds no adapter.";
  const std = "@std is missing: JSR does not answer. Run `deno task setup` without NO_SETUP to link its stand-ins.";
  const isWindows = Deno.build.os === "windows";
  const patterned = (name: string) =>
    `The folder ${name} has one of ? * [ ] \\ in its path, which Deno takes for a pattern: without JSR, it does not ` +
    "find the stand-ins of @std there. Rename the folder, or run this once where JSR answers.";
  const asRoot = `${none} To install ${DRIVER.name}, as root: ${apt}`;
  const forbidden = { forbidden: true, installer: { ...debian, mayInstall: false } };
  const cases: [Partial<Findings>, string[], string[], number][] = [
    [{}, [], [], 0],
    [{ jsrAnswers: false, linked: true }, [], [], 0],
    [{ jsrAnswers: false }, ["link"], [], 0],
    [{ linked: true }, ["unlink"], [], 0],
    [{ pinned: false }, ["pin"], [], 0],
    [{ adapter: false, installer: debian }, ["install"], [`${none} Installing ${DRIVER.name}: ${apt}`], 0],
    [{ adapter: false }, [], [`${none} ${DRIVER.advice}`], 1],
    // A driver of another backend would not help.
    [held, [], [unusable], 1],
    [{ ...held, backend: "" }, [], [unusable.replace("metal", "")], 1],
    [{ ...held, adapter: true }, [], [], 0],
    // NO_SETUP forbids changes, and fails only if training cannot work.
    [{ ...forbidden, linked: true, pinned: false }, [], [], 0],
    // Deno would look for the stand-ins of @std by a pattern that does not match.
    ...["[1]", ...(isWindows ? [] : ["a?", "a*", "a\\b"])].flatMap((
      name,
    ): [Partial<Findings>, string[], string[], number][] => [
      [{ jsrAnswers: false, folder: name }, [], [patterned(name)], 1],
      [{ jsrAnswers: false, linked: true, folder: name }, [], [patterned(name)], 1],
      [{ folder: name }, [], [], 0],
    ]),
    [{ ...forbidden, jsrAnswers: false, adapter: false }, [], [std, asRoot], 1],
  ];
  for (const [found, changes, messages, exitCode] of cases) {
    assertEquals<unknown>(plan({ ...ready, ...found }), { changes, messages, exitCode }, JSON.stringify(found));
  }
});

permitted("changeTree() makes the link and takes it away, twice over", async () => {
  await using project = await makeProject();
  for (let times = 0; times < 2; times++) await changeTree(project.root, ["link"]);
  assertEquals((await Deno.stat(new URL(".offline/csv/mod.ts", project.root))).isFile, true);
  for (let times = 0; times < 2; times++) await changeTree(project.root, ["unlink"]);
  assertEquals((await listTree(project.root)).includes(".offline"), false);
  assertEquals((await Deno.stat(new URL("tasks/offline_std/csv/mod.ts", project.root))).isFile, true);
});

permitted("isPinned() asks for every committed version, takes more, and wants a whole file", async () => {
  await using project = await makeProject();
  const used = new URL(".deno.lock", project.root);
  const lock = { version: "5", specifiers: { "npm:a@1": "1.0.0" }, npm: { "a@1.0.0": {} } };
  await Deno.writeTextFile(new URL("deno.lock", project.root), JSON.stringify(lock));
  assertEquals(await isPinned(project.root), false);
  const more = { ...lock, specifiers: { ...lock.specifiers, "jsr:@std/csv@1": "1.0.6" } };
  for (const good of [lock, more]) {
    await Deno.writeTextFile(used, JSON.stringify(good));
    assertEquals(await isPinned(project.root), true);
  }
  const other = { ...lock, specifiers: { "npm:a@1": "1.0.1" } };
  const broken = [other, { ...lock, version: "4" }, { ...lock, npm: {} }, [], null].map((file) => JSON.stringify(file));
  for (const text of [...broken, "", JSON.stringify(lock).slice(0, 40)]) {
    await Deno.writeTextFile(used, text);
    assertEquals(await isPinned(project.root), false, text);
  }
});

permitted("deno task names a lock file that is cut short, and deno task --no-lock setup writes it again", async () => {
  await using project = await makeProject();
  const used = new URL(".deno.lock", project.root);
  const committed = await Deno.readTextFile(new URL("deno.lock", project.root));
  for (const text of ["", committed.slice(0, 700)]) {
    await Deno.writeTextFile(used, text);
    const refused = await run(project.root, {}, ["task", "setup"]);
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.said, decodeURIComponent(used.pathname));
    assertEquals((await run(project.root, {}, ["task", "--quiet", "--no-lock", "setup"])).code, 0);
    assertEquals(await Deno.readTextFile(used), committed);
  }
});

permitted("deno task setup prepares a clone without JSR, silently, and leaves deno.lock alone", async () => {
  await using project = await makeProject();
  const before = await Deno.readTextFile(new URL("deno.lock", project.root));
  for (let times = 0; times < 2; times++) {
    assertEquals(await run(project.root), { code: 0, said: "" });
    assertEquals(await Deno.readLink(new URL(".offline", project.root)), "tasks/offline_std");
    assertEquals(await Deno.readTextFile(new URL(".deno.lock", project.root)), before);
  }
  assertEquals(await Deno.readTextFile(new URL("deno.lock", project.root)), before);
  assertEquals(await listTree(project.root), [".deno.lock", ".offline", "deno.json", "deno.lock", "tasks"]);
});

permitted("deno task setup with NO_SETUP=1 changes nothing and says what is missing", async () => {
  await using project = await makeProject();
  const before = await listTree(project.root);
  const { code, said } = await run(project.root, { NO_SETUP: "1", ...NO_ADAPTER });
  assertEquals(code, 1);
  assertStringIncludes(said, "@std is missing: JSR does not answer.");
  const name = NO_ADAPTER.DENO_WEBGPU_BACKEND;
  assertStringIncludes(said, `DENO_WEBGPU_BACKEND is "${name}", for which this machine has no adapter: unset it`);
  assertEquals(await listTree(project.root), before);

  await changeTree(project.root, ["link"]);
  assertEquals(await run(project.root, { NO_SETUP: "1" }), { code: 0, said: "" });
});

permitted("deno.lock pins every npm package of deno.json, and nothing from JSR", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const lock = JSON.parse(await Deno.readTextFile(new URL("deno.lock", root)));
  const wanted = Object.values<string>(imports).filter((name) => name.startsWith("npm:"));
  assertEquals(wanted.filter((name) => !(name in lock.specifiers)), []);
  assertEquals("jsr" in lock, false, "JSR's packages differ from the stand-ins: a machine has either, not both");
});

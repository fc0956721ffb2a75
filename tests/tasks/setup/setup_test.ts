import { assertEquals, assertStringIncludes } from "@std/assert";
import { changeTree, type Findings, isPinned, plan } from "../../../tasks/setup/prepare_machine.ts";
import { permitted } from "../../support/permitted.ts";

const root = new URL("../../../", import.meta.url);
const apt = ["apt-get", "install", "-y", "--no-install-recommends", "mesa-vulkan-drivers"];
const ready: Findings = {
  jsrAnswers: true,
  linked: false,
  pinned: true,
  adapter: true,
  backend: undefined,
  driver: undefined,
  mayInstall: false,
  forbidden: false,
};

/** A folder with what setup reads, taken away again at the end. */
async function makeProject(): Promise<{ root: URL } & AsyncDisposable> {
  const folder = new URL(`file://${await Deno.makeTempDir({ prefix: "backhand_setup_" })}/`);
  await Deno.mkdir(new URL("tasks/offline_std/csv", folder), { recursive: true });
  for (
    const file of [
      "deno.json",
      "deno.lock",
      "tasks/setup.ts",
      "tasks/setup/prepare_machine.ts",
      "tasks/setup/open_mpi.ts",
      "tasks/setup/packages.ts",
    ]
  ) {
    await Deno.copyFile(new URL(file, root), new URL(file, folder));
  }
  for (const name of ["deno.json", "mod.ts"]) {
    await Deno.writeTextFile(new URL(`tasks/offline_std/csv/${name}`, folder), name === "mod.ts" ? "export {};" : "{}");
  }
  return { root: folder, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

/** Runs the task in a project on a machine that JSR does not answer. */
async function runSetup(project: URL, env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-lock", "--allow-all", "tasks/setup.ts"],
    cwd: project,
    env: { JSR_URL: "file:///nowhere/", NO_COLOR: "1", NO_SETUP: "", ...env },
  }).output();
  return { code, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

async function listTree(folder: URL): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

/** A backend that this system has no adapter for. */
const noAdapter = { DENO_WEBGPU_BACKEND: Deno.build.os === "darwin" ? "dx12" : "metal" };

Deno.test("plan() does nothing on a machine that is ready", () => {
  assertEquals(plan(ready), { changes: [], messages: [], exitCode: 0 });
  assertEquals(plan({ ...ready, jsrAnswers: false, linked: true }), { changes: [], messages: [], exitCode: 0 });
});

Deno.test("plan() links the stand-ins where JSR does not answer, and only there", () => {
  assertEquals(plan({ ...ready, jsrAnswers: false }), { changes: ["link"], messages: [], exitCode: 0 });
  assertEquals(plan({ ...ready, linked: true }), { changes: ["unlink"], messages: [], exitCode: 0 });
  assertEquals(plan({ ...ready, pinned: false }), { changes: ["pin"], messages: [], exitCode: 0 });
});

Deno.test("plan() installs a driver as root on Debian, and says so", () => {
  const { changes, messages, exitCode } = plan({ ...ready, adapter: false, driver: apt, mayInstall: true });
  assertEquals([changes, exitCode], [["install"], 0]);
  assertStringIncludes(messages[0], `Installing a software Vulkan driver: ${apt.join(" ")}`);
});

Deno.test("plan() prints the command elsewhere and fails", () => {
  const { changes, messages, exitCode } = plan({ ...ready, adapter: false, driver: ["dnf", "install", "x"] });
  assertEquals([changes, exitCode], [[], 1]);
  assertStringIncludes(messages[0], "as root: dnf install x");
  const unknown = plan({ ...ready, adapter: false });
  assertEquals([unknown.changes, unknown.exitCode], [[], 1]);
  assertStringIncludes(unknown.messages[0], "Install a driver for Vulkan, Metal or Direct3D 12");
});

Deno.test("plan() installs nothing where the environment holds WebGPU to a backend without adapter", () => {
  for (const backend of ["metal", ""]) {
    const held = { ...ready, adapter: false, backend, driver: apt, mayInstall: true };
    const messages = [`DENO_WEBGPU_BACKEND is "${backend}", for which this machine has no adapter: unset it`];
    assertEquals(plan(held), { changes: [], messages, exitCode: 1 });
    assertEquals(plan({ ...held, adapter: true }), { changes: [], messages: [], exitCode: 0 });
  }
});

Deno.test("plan() changes nothing where NO_SETUP forbids it, and fails only where training cannot work", () => {
  const forbidden = { ...ready, forbidden: true };
  assertEquals(plan({ ...forbidden, linked: true, pinned: false }), { changes: [], messages: [], exitCode: 0 });
  const missing = plan({ ...forbidden, jsrAnswers: false, adapter: false, driver: apt, mayInstall: true });
  assertEquals([missing.changes, missing.exitCode], [[], 1]);
  assertEquals(missing.messages.map((line) => line.split(" ")[0]), ["@std", "WebGPU"]);
});

permitted("changeTree() makes the link and takes it away, twice over", async () => {
  await using project = await makeProject();
  for (let times = 0; times < 2; times++) await changeTree(project.root, ["link"]);
  assertEquals((await Deno.stat(new URL(".offline/csv/mod.ts", project.root))).isFile, true);
  for (let times = 0; times < 2; times++) await changeTree(project.root, ["unlink"]);
  assertEquals((await listTree(project.root)).includes(".offline"), false);
  assertEquals((await Deno.stat(new URL("tasks/offline_std/csv/mod.ts", project.root))).isFile, true);
});

permitted("isPinned() asks for every committed version, and lets more stand beside them", async () => {
  await using project = await makeProject();
  const [committed, used] = ["deno.lock", ".deno.lock"].map((name) => new URL(name, project.root));
  const write = (file: URL, specifiers: unknown) => Deno.writeTextFile(file, JSON.stringify({ specifiers }));
  await write(committed, { "npm:a@1": "1.0.0" });
  assertEquals(await isPinned(project.root), false);
  await write(used, { "npm:a@1": "1.0.1" });
  assertEquals(await isPinned(project.root), false);
  await changeTree(project.root, ["pin"]);
  assertEquals(await isPinned(project.root), true);
  await write(used, { "npm:a@1": "1.0.0", "jsr:@std/csv@1": "1.0.6" });
  assertEquals(await isPinned(project.root), true);
});

permitted(
  "deno task setup prepares a clone where JSR does not answer, silently, and leaves deno.lock alone",
  async () => {
    await using project = await makeProject();
    const before = await Deno.readTextFile(new URL("deno.lock", project.root));
    for (let times = 0; times < 2; times++) {
      assertEquals(await runSetup(project.root), { code: 0, said: "" });
      assertEquals(await Deno.readLink(new URL(".offline", project.root)), "tasks/offline_std");
      assertEquals(await Deno.readTextFile(new URL(".deno.lock", project.root)), before);
    }
    assertEquals(await Deno.readTextFile(new URL("deno.lock", project.root)), before);
    assertEquals(await listTree(project.root), [".deno.lock", ".offline", "deno.json", "deno.lock", "tasks"]);
  },
);

permitted("deno task setup with NO_SETUP=1 changes nothing and says what is missing", async () => {
  await using project = await makeProject();
  const before = await listTree(project.root);
  const { code, said } = await runSetup(project.root, { NO_SETUP: "1", ...noAdapter });
  assertEquals(code, 1);
  assertStringIncludes(said, "@std is missing: JSR does not answer.");
  const name = noAdapter.DENO_WEBGPU_BACKEND;
  assertStringIncludes(said, `DENO_WEBGPU_BACKEND is "${name}", for which this machine has no adapter: unset it`);
  assertEquals(await listTree(project.root), before);

  await changeTree(project.root, ["link"]);
  assertEquals(await runSetup(project.root, { NO_SETUP: "1" }), { code: 0, said: "" });
});

permitted("deno.lock pins every npm package of deno.json, and nothing from JSR", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const lock = JSON.parse(await Deno.readTextFile(new URL("deno.lock", root)));
  const wanted = Object.values<string>(imports).filter((name) => name.startsWith("npm:"));
  assertEquals(wanted.filter((name) => !(name in lock.specifiers)), []);
  assertEquals("jsr" in lock, false, "JSR's packages differ from the stand-ins: a machine has either, not both");
});

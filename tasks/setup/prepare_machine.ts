/** Prepares the machine: @std, the lock file, a Vulkan driver. Imports nothing that would have to be there already. */

import { ensureMpi } from "./open_mpi.ts";
import { findInstaller, install, type Installer, isForbidden, planInstall, type Program } from "./packages.ts";

/** What was found on the machine and in the tree. */
export interface Findings {
  /** Whether Deno gets the @std packages from JSR, or has them already. */
  jsrAnswers: boolean;
  /** Whether `.offline` is there. */
  linked: boolean;
  /** Whether `.deno.lock` holds what deno.lock pins. */
  pinned: boolean;
  /** Whether WebGPU finds an adapter. */
  adapter: boolean;
  /** DENO_WEBGPU_BACKEND, the backend to which WebGPU is held; undefined where it is not set. */
  backend: string | undefined;
  /** What installs a driver here. */
  installer: Installer;
  /** Whether `NO_SETUP` forbids every change. */
  forbidden: boolean;
  /** The project's folder. */
  folder: string;
}

/** What is to be done about the findings. */
export interface Plan {
  /** The changes to make, in order. */
  changes: ("link" | "unlink" | "pin" | "install")[];
  /** Lines for the user, said before the changes. */
  messages: string[];
  /** 1 where training cannot work after the changes. */
  exitCode: 0 | 1;
}

/** What runs WebGPU on a CPU. */
export const DRIVER: Program = {
  name: "a software Vulkan driver",
  advice: "Install a driver for Vulkan, Metal or Direct3D 12, then run this again.",
  commands: {
    "apt-get": ["apt-get", "install", "-y", "--no-install-recommends", "mesa-vulkan-drivers"],
    "dnf": ["dnf", "install", "-y", "mesa-vulkan-drivers"],
    "pacman": ["pacman", "-S", "--noconfirm", "vulkan-swrast"],
    "apk": ["apk", "add", "mesa-vulkan-swrast"],
    "zypper": ["zypper", "install", "-y", "libvulkan_lvp"],
  },
};

/** What Deno takes for a pattern in the path of a workspace, or for a separator. Windows has only "[" and "]" of it. */
const PATTERN = Deno.build.os === "windows" ? /[[\]]/ : /[?*[\]\\]/;

/** Decides what to do, without doing it. */
export function plan(found: Findings): Plan {
  const { jsrAnswers, linked, pinned, adapter, backend, installer, forbidden, folder } = found;
  const changes: Plan["changes"] = [];
  const messages: string[] = [];
  let exitCode: Plan["exitCode"] = 0;

  if (!jsrAnswers && PATTERN.test(folder)) {
    messages.push(
      `The folder ${folder} has one of ? * [ ] \\ in its path, which Deno takes for a pattern: without JSR, it does not ` +
        "find the stand-ins of @std there. Rename the folder, or run this once where JSR answers.",
    );
    exitCode = 1;
  } else if (!jsrAnswers && !linked) {
    if (!forbidden) changes.push("link");
    else {
      messages.push(
        "@std is missing: JSR does not answer. Run `deno task setup` without NO_SETUP to link its stand-ins.",
      );
      exitCode = 1;
    }
  }
  if (jsrAnswers && linked && !forbidden) changes.push("unlink");
  if (!pinned && !forbidden) changes.push("pin");

  if (!adapter && backend !== undefined) {
    // A driver for another backend would not be found either.
    const name = JSON.stringify(backend);
    messages.push(`DENO_WEBGPU_BACKEND is ${name}, for which this machine has no adapter: unset it`);
    exitCode = 1;
  } else if (!adapter) {
    const { message, command } = planInstall(DRIVER, "WebGPU finds no adapter", installer);
    messages.push(message);
    if (command) changes.push("install");
    else exitCode = 1;
  }
  return { changes, messages, exitCode };
}

/** Makes the changes of a plan that concern the project's folder. */
export async function changeTree(root: URL, changes: Plan["changes"]): Promise<void> {
  const link = new URL(".offline", root);
  if (changes.includes("link")) {
    // A junction asks for no privilege on Windows, but wants the whole path.
    const windows = Deno.build.os === "windows";
    const target = windows ? new URL("tasks/offline_std", root) : "tasks/offline_std";
    try {
      await Deno.symlink(target, link, { type: windows ? "junction" : "dir" });
    } catch (error) {
      // Another task's setup may have been faster.
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
  if (changes.includes("unlink")) {
    await Deno.remove(link).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
  if (changes.includes("pin")) {
    // Renamed into place, so that no other Deno reads half of it.
    const fresh = new URL(`.deno.lock.${Deno.pid}`, root);
    await Deno.copyFile(new URL("deno.lock", root), fresh);
    await Deno.rename(fresh, new URL(".deno.lock", root));
  }
}

/** Whether the lock file in use is whole, and has all that the committed one pins. */
export async function isPinned(root: URL): Promise<boolean> {
  const committed = await readLock(new URL("deno.lock", root));
  const used = await readLock(new URL(".deno.lock", root));
  if (committed === undefined) return true;
  if (used === undefined || used.version !== committed.version) return false;
  return Object.entries(committed.specifiers ?? {}).every(([name, version]) => used.specifiers?.[name] === version) &&
    Object.keys(committed.npm ?? {}).every((name) => used.npm?.[name] !== undefined);
}

/** The parts of a lock file that are compared. */
interface Lock {
  version?: string;
  specifiers?: Record<string, string>;
  npm?: Record<string, unknown>;
}

async function readLock(file: URL): Promise<Lock | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(file)) ?? undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function look(root: URL): Promise<Findings> {
  const linked = await Deno.lstat(new URL(".offline", root)).then(() => true, () => false);
  const [jsrAnswers, pinned, adapter] = await Promise.all([
    // Once the stand-ins are linked, a network that swallows every packet should not cost much at each task.
    askJsr(root, linked ? 2_000 : 8_000),
    isPinned(root),
    hasAdapter(),
  ]);
  const backend = Deno.env.get("DENO_WEBGPU_BACKEND");
  const isDriverWanted = !adapter && backend === undefined && Deno.build.os === "linux";
  const installer = isDriverWanted ? await findInstaller() : { manager: undefined, mayInstall: false };
  const folder = decodeURIComponent(root.pathname);
  return { jsrAnswers, linked, pinned, adapter, backend, installer, forbidden: isForbidden(), folder };
}

/** Asks Deno for the packages that deno.json names, for so many milliseconds. Packages in the cache answer at once. */
async function askJsr(root: URL, patience: number): Promise<boolean> {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const packages = Object.values<string>(imports).filter((name) => name.startsWith("jsr:"));
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", "-q", "--no-config", "--no-lock", ...packages],
    stdout: "null",
    stderr: "null",
    signal: AbortSignal.timeout(patience),
  }).output();
  return code === 0;
}

async function hasAdapter(): Promise<boolean> {
  // Unset, a Vulkan layer complains about it twice on every start.
  if (!Deno.env.get("XDG_RUNTIME_DIR")) Deno.env.set("XDG_RUNTIME_DIR", "/tmp");
  return await navigator.gpu.requestAdapter() !== null;
}

/** Asks a new process for an adapter: a process loads drivers once, with the environment of that moment. */
export async function findsAdapter(env: Record<string, string> = {}): Promise<boolean> {
  const code = "Deno.exit(await navigator.gpu.requestAdapter() === null ? 1 : 0)";
  return (await new Deno.Command(Deno.execPath(), { args: ["eval", "--no-config", code], env }).output()).success;
}

async function installDriver(command: readonly string[]): Promise<boolean> {
  if (!await install(command)) {
    console.error("The driver could not be installed.");
    return false;
  }
  // This process has loaded its drivers already; only a new one sees the new driver.
  const success = await findsAdapter();
  console.error(
    success ? "The driver is installed and WebGPU finds it." : "The driver is installed, yet WebGPU finds no adapter.",
  );
  return success;
}

/** Whether the system does not let this process write: Deno has no class of error for a disk that is read-only. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Deno.errors.PermissionDenied ||
    error instanceof Error && error.message.includes("os error 30");
}

export async function main(): Promise<number> {
  if (Deno.args.includes("--help") || Deno.args.includes("-h")) {
    console.log(
      "Usage: deno task setup [--mpi]\n\n" +
        "Installs a software Vulkan driver if WebGPU finds no adapter. Links stand-ins for @std if JSR does not answer.\n" +
        "Writes .deno.lock again if it is broken: `deno task --no-lock setup`. --mpi also installs Open MPI, by which\n" +
        "several processes train together. Quick and silent when there is nothing to do. NO_SETUP=1 forbids every change.",
    );
    return 0;
  }
  const unknown = Deno.args.filter((argument) => argument !== "--mpi");
  for (const argument of unknown) console.error(`error: ${argument}: setup takes no flag but --mpi`);
  if (unknown.length > 0) return 2;
  const root = new URL("../../", import.meta.url);
  const found = await look(root);
  const { changes, messages, exitCode } = plan(found);
  for (const message of messages) console.error(message);
  try {
    await changeTree(root, changes);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const problem = `Setup cannot write in the project's folder: ${error.message}.`;
    console.error(`${problem} Make it writable, and run \`deno task setup\` once before it is read-only.`);
    return 1;
  }
  if (changes.includes("install") && !await installDriver(DRIVER.commands[found.installer.manager!])) return 1;
  if (Deno.args.includes("--mpi") && !await ensureMpi()) return 1;
  return exitCode;
}

/**
 * Makes sure of Open MPI, by which processes on one machine or many train together; `deno task setup --mpi` asks for it, and
 * so does the gate, with which several hosts are tried on one machine:
 *
 *     deno run --allow-read --allow-env --allow-run --allow-sys=uid tasks/setup/open_mpi.ts
 *
 * Silent where it is there. The exit code is 1 where it is not afterwards, on Linux: elsewhere the gate does without it.
 */

import { findPackageManager, install, isForbidden, mayInstallWith } from "./packages.ts";

/** What was found on the machine. */
export interface Findings {
  /** Why Open MPI cannot be used; undefined where it can. */
  fault: string | undefined;
  /** The package manager; undefined where none is known. */
  manager: string | undefined;
  /** Whether packages may be installed: root on Debian or Ubuntu. */
  mayInstall: boolean;
  /** Whether `NO_SETUP` forbids every change. */
  forbidden: boolean;
}

// On Debian and Ubuntu it brings the library, whose package has another name in each release.
const COMMANDS: Record<string, readonly string[]> = {
  "apt-get": ["apt-get", "install", "-y", "--no-install-recommends", "openmpi-bin"],
  "dnf": ["dnf", "install", "-y", "openmpi"],
  "pacman": ["pacman", "-S", "--noconfirm", "openmpi"],
  "apk": ["apk", "add", "openmpi"],
  "zypper": ["zypper", "install", "-y", "openmpi4"],
};

/** Gives tests hosts of their own on one machine. */
const IP_COMMAND = ["apt-get", "install", "-y", "--no-install-recommends", "iproute2"];

/** Decides what to do about Open MPI, without doing it. */
export function plan({ fault, manager, mayInstall, forbidden }: Findings): {
  message?: string;
  command?: readonly string[];
} {
  if (fault === undefined) return {};
  const command = COMMANDS[manager ?? ""];
  if (command === undefined) return { message: `${fault}. Install Open MPI 4 or later, its mpirun and its library.` };
  const text = command.join(" ");
  if (forbidden || !mayInstall) return { message: `${fault}. As root: ${text}` };
  return { message: `${fault}. Installing Open MPI: ${text}`, command };
}

/** Judges what starts ranks. */
export function faultOfLauncher(version: string | undefined): string | undefined {
  if (version === undefined) return "Found no mpirun";
  const [_, major] = /^mpirun \(Open MPI\) (\d+)\./.exec(version) ?? [];
  if (Number(major) >= 4) return undefined;
  const called = version.split("\n")[0].trim();
  return `mpirun is not that of Open MPI 4 or later, but says ${JSON.stringify(called)}`;
}

async function findFault(): Promise<string | undefined> {
  const fault = faultOfLauncher(await outputOf("mpirun", ["--version"]));
  if (fault !== undefined) return fault;
  // A process of its own: this one may load no libraries, and does not see what is installed later.
  const library = JSON.stringify(new URL("../../lib/ranks/mpi_library.ts", import.meta.url).href);
  const code = `try { (await import(${library})).openLibrary() } catch (error) { console.log(error.message) }`;
  const said = await outputOf(Deno.execPath(), ["eval", "--no-config", "--no-lock", "--quiet", code]);
  return said === undefined ? "Cannot tell whether Open MPI is there" : said.trim().split(": ")[0] || undefined;
}

/** What a program prints; undefined where there is none, or it fails. */
async function outputOf(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const child = new Deno.Command(program, { args: [...args], stdout: "piped", stderr: "null" });
    const { success, stdout } = await child.output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch (error) {
    const kinds = [Deno.errors.NotFound, Deno.errors.PermissionDenied];
    if (kinds.some((kind) => error instanceof kind)) return undefined;
    throw error;
  }
}

/** Installs Open MPI where it is missing and may be installed; says what it does. */
export async function ensureMpi(): Promise<boolean> {
  const fault = await findFault();
  if (fault === undefined) return true;
  const manager = await findPackageManager();
  const { message, command } = plan({ fault, manager, mayInstall: mayInstallWith(manager), forbidden: isForbidden() });
  console.error(message);
  if (command === undefined || !await install(command)) return false;
  const left = await findFault();
  console.error(left === undefined ? "Open MPI is installed." : `${command.join(" ")} did not help. ${left}.`);
  return left === undefined;
}

/** Makes sure of `ip` where it can; tests of several hosts say themselves that they are skipped without it. */
async function ensureHosts(): Promise<void> {
  if (isForbidden() || await outputOf("ip", ["-Version"]) !== undefined) return;
  if (mayInstallWith(await findPackageManager())) await install(IP_COMMAND);
}

if (import.meta.main) {
  const isThere = Deno.build.os !== "linux" || await ensureMpi();
  if (isThere && Deno.build.os === "linux") await ensureHosts();
  Deno.exit(isThere ? 0 : 1);
}

/**
 * Makes sure of Open MPI, by which several processes train together. `deno task setup --mpi` asks for it, and so does the
 * gate:
 *
 *     deno run --allow-read --allow-env --allow-run --allow-sys=uid tasks/setup/open_mpi.ts
 *
 * Prints nothing if it is there. The exit code is 1 if it is missing afterwards, on Linux: elsewhere the gate does without.
 */

import { ensure, findInstaller, install, outputOf, type Program } from "./packages.ts";

/** Open MPI and its library. */
export const OPEN_MPI: Program = {
  name: "Open MPI",
  advice: "Install Open MPI 4 or later, its mpirun and its library.",
  commands: {
    // It brings the library, whose package has another name in each release.
    "apt-get": ["apt-get", "install", "-y", "--no-install-recommends", "openmpi-bin"],
    "dnf": ["dnf", "install", "-y", "openmpi"],
    "pacman": ["pacman", "-S", "--noconfirm", "openmpi"],
    "apk": ["apk", "add", "openmpi"],
    "zypper": ["zypper", "install", "-y", "openmpi4"],
  },
};

/** Gives tests hosts of their own on one machine. */
const IP_COMMAND = ["apt-get", "install", "-y", "--no-install-recommends", "iproute2"];

/** Says what is wrong with what `mpirun --version` prints. */
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

/** Installs Open MPI if it is missing and may be installed. */
export function ensureMpi(): Promise<boolean> {
  return ensure(OPEN_MPI, findFault);
}

/** Makes sure of `ip` if it can. Tests of several hosts say themselves that they are skipped without it. */
async function ensureHosts(): Promise<void> {
  if (await outputOf("ip", ["-Version"]) === undefined && (await findInstaller()).mayInstall) await install(IP_COMMAND);
}

if (import.meta.main && Deno.build.os === "linux") {
  const isThere = await ensureMpi();
  if (isThere) await ensureHosts();
  Deno.exit(isThere ? 0 : 1);
}

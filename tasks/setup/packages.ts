/** Installs packages of the system. Imports nothing: `deno task setup` uses it before there is anything. */

/** A program or a library that some tasks need. */
export interface Program {
  /** As it stands in a sentence, such as `Open MPI`. */
  readonly name: string;
  /** What to do if the package manager is unknown. */
  readonly advice: string;
  /** What installs it, by package manager. */
  readonly commands: Readonly<Record<string, readonly string[]>>;
}

/** What this machine lets setup do. */
export interface Installer {
  /** The package manager; undefined if none is known. */
  readonly manager: string | undefined;
  /** Whether packages may be installed: as root on Debian or Ubuntu, unless `NO_SETUP` forbids it. */
  readonly mayInstall: boolean;
}

/** The package managers that are known here. */
const MANAGERS = ["apt-get", "dnf", "pacman", "apk", "zypper"];

/** Whether `NO_SETUP` forbids every change to this machine. */
export function isForbidden(): boolean {
  return !["", "0", "false"].includes(Deno.env.get("NO_SETUP") ?? "");
}

/** Looks for the package manager of this machine. */
export async function findInstaller(): Promise<Installer> {
  for (const manager of MANAGERS) {
    if (await outputOf(manager, ["--version"]) === undefined) continue;
    return { manager, mayInstall: manager === "apt-get" && Deno.uid() === 0 && !isForbidden() };
  }
  return { manager: undefined, mayInstall: false };
}

/** Decides what to do about a program that is missing: a line for the user, and the command where it may be run. */
export function planInstall(
  { name, advice, commands }: Program,
  fault: string,
  { manager, mayInstall }: Installer,
): { message: string; command?: readonly string[] } {
  const command = commands[manager ?? ""];
  if (command === undefined) return { message: `${fault}. ${advice}` };
  const text = command.join(" ");
  if (!mayInstall) return { message: `${fault}. To install ${name}, as root: ${text}` };
  return { message: `${fault}. Installing ${name}: ${text}`, command };
}

/** Installs a program if it is missing and may be installed; prints what it does. */
export async function ensure(program: Program, findFault: () => Promise<string | undefined>): Promise<boolean> {
  const fault = await findFault();
  if (fault === undefined) return true;
  const { message, command } = planInstall(program, fault, await findInstaller());
  console.error(message);
  if (command === undefined || !await install(command)) return false;
  const left = await findFault();
  console.error(left === undefined ? `Installed ${program.name}.` : `That did not help. ${left}. ${program.advice}`);
  return left === undefined;
}

/** What a program prints; undefined if there is none, or it fails. */
export async function outputOf(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const child = new Deno.Command(program, { args: [...args], stdout: "piped", stderr: "null" });
    const { success, stdout } = await child.output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return undefined;
    throw error;
  }
}

/** Held while apt-get works. */
const LOCK = "/tmp/backhand_install.lock";

/** Installs packages; if that fails, once more with fresh lists of packages. Prints what went wrong. */
export async function install(command: readonly string[]): Promise<boolean> {
  const run = async (args: readonly string[]) => {
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    // Ranks of one job, and tests that run at the same time, may all want it at once. Where apt-get is, flock is.
    const [program, ...words] = command[0] === "apt-get" ? ["flock", LOCK, command[0], ...args] : [command[0], ...args];
    const child = new Deno.Command(program, { args: words, env, stdout: "piped", stderr: "piped" });
    const { success, stdout, stderr } = await child.output();
    return { success, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
  };
  let result = await run(command.slice(1));
  if (!result.success) {
    // A fresh image has no package lists, an old one those of packages that are gone.
    await run(["update"]);
    result = await run(command.slice(1));
  }
  if (!result.success) console.error(`${result.said}\n${command.join(" ")} failed, see above.`);
  return result.success;
}

/** Installs packages of the system. Imports nothing: `deno task setup` uses it before there is anything. */

/** The package managers that are known here. */
const MANAGERS = ["apt-get", "dnf", "pacman", "apk", "zypper"];

/** Whether `NO_SETUP` forbids every change to this machine. */
export function isForbidden(): boolean {
  return !["", "0", "false"].includes(Deno.env.get("NO_SETUP") ?? "");
}

/** Whether packages may be installed: as root on Debian or Ubuntu. */
export function mayInstallWith(manager: string | undefined): boolean {
  return manager === "apt-get" && Deno.uid() === 0;
}

/** The package manager of this machine; undefined where it has none of those known here. */
export async function findPackageManager(): Promise<string | undefined> {
  for (const name of MANAGERS) {
    try {
      if ((await new Deno.Command(name, { args: ["--version"], stdout: "null", stderr: "null" }).output()).success) {
        return name;
      }
    } catch {
      // Not a program of this machine: the next one may be.
    }
  }
}

/** Held while apt-get works. */
const LOCK = "/tmp/backhand_install.lock";

/** Installs packages, with fresh lists of them where it does not work with those at hand; says what went wrong. */
export async function install(command: readonly string[]): Promise<boolean> {
  const run = async (args: readonly string[]) => {
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    // Ranks of one job, and tests beside each other, may all want it at once; flock stands where apt-get does.
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

/**
 * Makes sure of Chromium, with which pages are tested and pictures made; only the tasks test and pictures ask for it:
 *
 *     deno run --allow-read --allow-env --allow-run --allow-sys=uid tasks/setup/chromium.ts
 *
 * Silent where there is one. The exit code is 1 where there is none afterwards.
 */

import { findPackageManager, install, isForbidden, mayInstallWith } from "./packages.ts";

/** What was found on the machine. */
export interface Findings {
  /** The path of Chromium; undefined where there is none. */
  path: string | undefined;
  /** CHROMIUM, the path that the user gave; undefined where it is not set. */
  asked: string | undefined;
  /** The package manager; undefined where none is known. */
  manager: string | undefined;
  /** Whether packages may be installed: root on Debian or Ubuntu. */
  mayInstall: boolean;
  /** Whether `NO_SETUP` forbids every change. */
  forbidden: boolean;
}

/** Names of Chromium and what is built on it, as they stand on a PATH. */
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Milliseconds in which a browser says its version. */
const VERSION_LIMIT = 10_000;

// Fonts come with it: each font package of Debian satisfies fontconfig, on which it depends, and one of them must.
const COMMANDS: Record<string, readonly string[]> = {
  "apt-get": ["apt-get", "install", "-y", "--no-install-recommends", "chromium"],
  "dnf": ["dnf", "install", "-y", "chromium-headless"],
  "pacman": ["pacman", "-S", "--noconfirm", "chromium"],
  "apk": ["apk", "add", "chromium", "font-dejavu"],
  "zypper": ["zypper", "install", "-y", "chromium"],
};

/** Looks for Chromium. */
export async function findChromium(env: Record<string, string> = Deno.env.toObject()): Promise<string | undefined> {
  const isFile = (path: string) => Deno.stat(path).then((found) => found.isFile, () => false);
  if (env.CHROMIUM) return await isFile(env.CHROMIUM) ? env.CHROMIUM : undefined;
  const folders = (env.PATH ?? "").split(Deno.build.os === "windows" ? ";" : ":").filter((folder) => folder !== "");
  const ending = Deno.build.os === "windows" ? ".exe" : "";
  for (const name of NAMES) {
    for (const folder of folders) {
      const path = `${folder}/${name}${ending}`;
      if (await isFile(path) && await answers(path)) return path;
    }
  }
}

/**
 * Whether a program says its version. Ubuntu has a /usr/bin/chromium-browser that only tells where else to get one. On Windows
 * a browser would open a window instead.
 */
async function answers(path: string): Promise<boolean> {
  if (Deno.build.os === "windows") return true;
  const quiet = { stdin: "null", stdout: "null", stderr: "null" } as const;
  const signal = AbortSignal.timeout(VERSION_LIMIT);
  try {
    const { success } = await new Deno.Command(path, { args: ["--version"], ...quiet, signal }).output();
    return success;
  } catch {
    return false; // it cannot be run
  }
}

/** Decides what to do about Chromium, without doing it. */
export function plan({ path, asked, manager, mayInstall, forbidden }: Findings): {
  message?: string;
  command?: readonly string[];
} {
  if (path !== undefined) return {};
  if (asked) return { message: describeMissing(asked) };
  const command = COMMANDS[manager ?? ""];
  if (command === undefined) return { message: describeMissing() };
  const text = command.join(" ");
  if (forbidden || !mayInstall) return { message: `${describeMissing()} Here, as root: ${text}` };
  return { message: `Pages are tested in Chromium, which is not here. Installing it: ${text}`, command };
}

/** Says that there is no Chromium, and what to do. */
export function describeMissing(asked: string | undefined = Deno.env.get("CHROMIUM")): string {
  if (asked) return `CHROMIUM is ${JSON.stringify(asked)}, where there is no file: correct it, or unset it.`;
  return "Found no Chromium: install it or Google Chrome, or set CHROMIUM to its path.";
}

/** Installs Chromium where there is none and it may be installed; says what it does. */
export async function ensureChromium(): Promise<boolean> {
  const path = await findChromium();
  if (path !== undefined) return true;
  const manager = await findPackageManager();
  const { message, command } = plan({
    path,
    asked: Deno.env.get("CHROMIUM"),
    manager,
    mayInstall: mayInstallWith(manager),
    forbidden: isForbidden(),
  });
  console.error(message);
  if (command === undefined || !await install(command)) return false;
  if (await findChromium() !== undefined) return true;
  // On Ubuntu the package only points to another store.
  console.error(`${command.join(" ")} brought none. ${describeMissing()}`);
  return false;
}

if (import.meta.main) Deno.exit(await ensureChromium() ? 0 : 1);

/**
 * Makes sure of Chromium, in which pages are tested and pictures made. Only the tasks test and pictures ask for it:
 *
 *     deno run --allow-read --allow-env --allow-run --allow-sys=uid tasks/setup/chromium.ts
 *
 * Prints nothing if there is one. The exit code is 1 if there is none afterwards.
 */

import { ensure, type Program } from "./packages.ts";

/** Names of Chromium and what is built on it, as they stand on a PATH. */
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Milliseconds in which a browser says its version. */
const VERSION_LIMIT = 10_000;

/** Chromium. */
export const CHROMIUM: Program = {
  name: "Chromium",
  advice: "Install Chromium or Google Chrome, or set CHROMIUM to its path.",
  commands: {
    // Fonts come with it: each font package of Debian satisfies fontconfig, on which it depends.
    "apt-get": ["apt-get", "install", "-y", "--no-install-recommends", "chromium"],
    "dnf": ["dnf", "install", "-y", "chromium-headless"],
    "pacman": ["pacman", "-S", "--noconfirm", "chromium"],
    "apk": ["apk", "add", "chromium", "font-dejavu"],
    "zypper": ["zypper", "install", "-y", "chromium"],
  },
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

/** Says that there is no Chromium, and what to do. */
export function describeMissing(asked: string | undefined = Deno.env.get("CHROMIUM")): string {
  if (asked) return `CHROMIUM is ${JSON.stringify(asked)}, where there is no file: correct it, or unset it.`;
  return `Found no Chromium. ${CHROMIUM.advice}`;
}

/** Installs Chromium if there is none and it may be installed. A path in CHROMIUM that is wrong is left to the user. */
export async function ensureChromium(): Promise<boolean> {
  const asked = Deno.env.get("CHROMIUM");
  const isThere = async () => await findChromium() !== undefined;
  if (!asked) return await ensure(CHROMIUM, async () => await isThere() ? undefined : "Found no Chromium");
  if (await isThere()) return true;
  console.error(describeMissing(asked));
  return false;
}

if (import.meta.main) Deno.exit(await ensureChromium() ? 0 : 1);

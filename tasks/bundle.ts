/**
 * Makes one script of a page's TypeScript and all that it imports, for browsers. The live page's is kept among the files,
 * because training may start no program; after a change to what goes into it:
 *
 *     deno run --allow-read --allow-write=tasks/pages --allow-run tasks/bundle.ts
 */

/** The script of the live page, and the file that is made of it. */
export const LIVE_PAGE = {
  script: new URL("pages/live/live.ts", import.meta.url),
  bundle: new URL("pages/live/live.bundle.js", import.meta.url),
} as const;

/**
 * Bundles a script with Deno's own bundler, which a first use downloads from npm.
 *
 * @param script The script.
 * @returns JavaScript without imports, minified; the same for the same files and version of Deno.
 * @throws {Error} If it does not bundle; the message is the bundler's.
 */
export async function bundle(script: URL): Promise<string> {
  const cwd = new URL("../", import.meta.url); // whose deno.json and lock file say which versions
  const args = ["bundle", "--quiet", "--platform", "browser", "--minify", script.href];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd, stdin: "null" }).output();
  if (!success) throw new Error(`Cannot bundle ${script.pathname}: ${new TextDecoder().decode(stderr).trim()}`);
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) await Deno.writeTextFile(LIVE_PAGE.bundle, await bundle(LIVE_PAGE.script));

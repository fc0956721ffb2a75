/**
 * Makes one script of a page's TypeScript and all that it imports, for browsers. The live page's is committed,
 * because training may start no program; after a change to what goes into it:
 *
 *     deno run --no-lock --allow-read --allow-write --allow-run tasks/setup/bundle.ts
 */

/** The script of the live page, and the file that is made of it. */
export const LIVE_PAGE = {
  script: new URL("../live/page.ts", import.meta.url),
  bundle: new URL("../live/page.bundle.js", import.meta.url),
} as const;

/**
 * What Observable Plot brings and no chart of a page uses: maps, palettes, mixed colours, dates, legends, tips, arrow heads. A
 * third of it, which no bundler can know, because plot() itself names all of them. A chart that needs one of them fails in the
 * tests of pages. Charts name colours as var(--ink) alone.
 */
const UNUSED_OF_PLOT = [
  ...["d3-axis", "d3-color", "d3-geo", "d3-scale-chromatic", "d3-time", "d3-time-format"].map((name) =>
    new RegExp(`/${name}[/@]`)
  ),
  ...["time", "legends/ramp", "legends/swatches", "marks/tip", "interactions/pointer", "scales/temporal"]
    .concat("scales/diverging", "scales/schemes", "projection", "marker")
    .map((name) => new RegExp(`/@observablehq/plot[/@].*/src/${name}\\.js$`)),
] as const;

/** How to bundle. */
interface BundleOptions {
  /** `iife` runs without being a module, so in a page that is opened as a file too; `esm` if left out. */
  readonly format?: "esm" | "iife";
  /** Paths of files to leave out, besides those that charts do not use. */
  readonly unused?: readonly RegExp[];
}

/**
 * Bundles a script with Deno's own bundler, which a first use downloads from npm.
 *
 * @throws {Error} If it does not bundle; the message is the bundler's.
 * @throws {RangeError} If a file that is to be left out is not there.
 */
export async function bundle(script: URL, { format = "esm", unused = [] }: BundleOptions = {}): Promise<string> {
  const whole = leaveOut(await run(script, []), [...UNUSED_OF_PLOT, ...unused]);
  const path = await Deno.makeTempFile({ prefix: "backhand_", suffix: ".js" });
  try {
    await Deno.writeTextFile(path, whole);
    return await run(path, ["--no-config", "--format", format, "--minify"]);
  } finally {
    await Deno.remove(path);
  }
}

async function run(script: URL | string, options: readonly string[]): Promise<string> {
  const cwd = new URL("../../", import.meta.url); // whose deno.json and lock file say which versions
  const args = ["bundle", "--quiet", "--platform", "browser", ...options, `${script}`];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd, stdin: "null" }).output();
  if (!success) throw new Error(`Cannot bundle ${script}: ${new TextDecoder().decode(stderr).trim()}`);
  return new TextDecoder().decode(stdout);
}

/**
 * Leaves files out of a bundle: each of their names stays as a function that does nothing, because some are called when a
 * script is loaded, and what only they used goes when it is minified.
 *
 * @throws {RangeError} If none of the files has such a path.
 */
export function leaveOut(bundled: string, unused: readonly RegExp[]): string {
  const found = new Set<RegExp>();
  const files = bundled.split(/^(?=\/\/ \S+\.(?:mjs|js|ts|wgsl)$)/m).map((file) => {
    const [path] = file.split("\n", 1);
    const pattern = unused.find((pattern) => pattern.test(path));
    if (!pattern) return file;
    found.add(pattern);
    const names = [...file.matchAll(/^(?:var|let|const|class|(?:async )?function\*?) ([\w$]+)/gm)].map(([_, name]) =>
      name
    );
    return names.map((name) => `var ${name} = () => {};\n`).join("");
  });
  const missing = unused.find((pattern) => !found.has(pattern));
  if (missing) throw new RangeError(`Cannot leave ${missing} out of a bundle: it has no such file`);
  return files.join("");
}

if (import.meta.main) await Deno.writeTextFile(LIVE_PAGE.bundle, await bundle(LIVE_PAGE.script));

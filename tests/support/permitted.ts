/** Tests that need permissions. `deno test` alone grants none: it shows them as ignored, with the command that runs them. */

const NEEDED = ["read", "write", "env", "run"] as const;

/** Whether this process may do what such tests do. Never asks. */
export const IS_PERMITTED: boolean = NEEDED.every((name) => Deno.permissions.querySync({ name }).state === "granted");

/** As `Deno.test`, for a test that reads or writes files, reads the environment or starts programs. */
export const permitted: typeof Deno.test = IS_PERMITTED ? Deno.test : Object.assign(ignore, Deno.test);

function ignore(...given: unknown[]): void {
  const found = given.find((part) => typeof part === "string") ??
    given.map((part) => (part as { name?: string }).name).find((name) => name);
  Deno.test({ name: `${found} (needs permissions: deno task test)`, ignore: true, fn: () => {} });
}

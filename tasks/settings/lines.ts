/**
 * Lines on stdout and stderr. A terminal that is gone (a dropped ssh connection) or a pipe that nobody reads any more is no
 * reason to end a task: its files are written all the same, and its exit code still tells how it ended.
 */

/** EIO, of a terminal that was hung up. Deno has no class for it. */
const HUNG_UP = /\(os error 5\)/;

/** Prints a line on stdout. */
export function printLine(text: string): void {
  unlessGone(() => console.log(text));
}

/** Prints a line on stderr. */
export function warnLine(text: string): void {
  unlessGone(() => console.error(text));
}

function unlessGone(write: () => void): void {
  try {
    write();
  } catch (error) {
    const isGone = error instanceof Deno.errors.BrokenPipe || (error instanceof Error && HUNG_UP.test(error.message));
    if (!isGone) throw error; // such as a full disk, where stdout goes to a file
  }
}

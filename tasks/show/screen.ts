/** The terminal that stderr goes to: whether progress may be drawn there, how wide it is, and whether in colours. */

import { fstatSync } from "node:fs";

/** Where progress is drawn; tests pass their own. */
export interface Screen {
  /** Whether lines can be erased; if not, only plain lines are written. */
  readonly isTerminal: boolean;
  readonly hasColor?: boolean;
  write: (text: string) => void;
  /** Milliseconds since any fixed moment. */
  now: () => number;
  /** Its present size; not known if left out. */
  size?: () => { columns: number; rows: number };
}

export interface Surface {
  isStderrTerminal: boolean;
  isStdoutTerminal: boolean;
  /** Whether stdout goes to a file, and so not through a pipe to the same terminal. */
  isStdoutFile: boolean;
  env: (key: string) => string | undefined;
}

/** The size of a terminal that does not tell it. */
const USUAL_SIZE = { columns: 80, rows: 24 };

/** A screen on which nothing is ever shown. */
export const NO_SCREEN: Screen = { isTerminal: false, write: () => {}, now: () => 0 };

/**
 * Whether progress may be redrawn in place on stderr. Not if stdout is a pipe: with `| tee log` its lines reach the same
 * terminal at any time, even in the middle of a drawing.
 */
export function canRedraw({ isStderrTerminal, isStdoutTerminal, isStdoutFile, env }: Surface): boolean {
  return isStderrTerminal && (isStdoutTerminal || isStdoutFile) && env("TERM") !== "dumb";
}

export function stderrScreen(): Screen {
  const encoder = new TextEncoder();
  const env = (key: string) => Deno.env.get(key);
  const isStderrTerminal = Deno.stderr.isTerminal();
  const isStdoutTerminal = Deno.stdout.isTerminal();
  return {
    isTerminal: canRedraw({ isStderrTerminal, isStdoutTerminal, isStdoutFile: isStdoutFile(), env }),
    hasColor: !env("NO_COLOR"), // an empty value counts as not set
    write: (text) => {
      try {
        for (let rest = encoder.encode(text); rest.length > 0;) rest = rest.subarray(Deno.stderr.writeSync(rest));
      } catch {
        // The pipe or terminal is closed, so nobody looks any more: no reason to end a run.
      }
    },
    now: () => performance.now(),
    size: consoleSize,
  };
}

/** A file, or a device such as /dev/null. */
function isStdoutFile(): boolean {
  try {
    const about = fstatSync(1);
    return about.isFile() || about.isCharacterDevice();
  } catch {
    return false; // closed, or of an unknown kind
  }
}

function consoleSize(): { columns: number; rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    return columns > 0 && rows > 0 ? { columns, rows } : USUAL_SIZE; // a serial line knows neither
  } catch {
    return USUAL_SIZE;
  }
}

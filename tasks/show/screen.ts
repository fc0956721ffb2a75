/** The terminal behind stderr, where progress is drawn: whether it may be, how wide it is, and whether in colours. */

import { fstatSync } from "node:fs";

/** Where progress is drawn; tests bring their own. */
export interface Screen {
  /** Whether lines can be taken back; elsewhere only plain lines are written. */
  readonly isTerminal: boolean;
  /** Whether colours are welcome. */
  readonly hasColor?: boolean;
  write: (text: string) => void;
  /** Milliseconds, from anywhere. */
  now: () => number;
  /** How large it is at this moment; not known if left out. */
  size?: () => { columns: number; rows: number };
}

/** What is known of a process and its terminal. */
export interface Surface {
  isStderrTerminal: boolean;
  isStdoutTerminal: boolean;
  /** Whether what stdout gets goes to a file, and so not on to the same terminal by way of a pipe. */
  isStdoutFile: boolean;
  env: (key: string) => string | undefined;
}

/** A terminal that does not tell its size has this one. */
const USUAL_SIZE = { columns: 80, rows: 24 };

/** A screen on which nothing is ever shown. */
export const NO_SCREEN: Screen = { isTerminal: false, write: () => {}, now: () => 0 };

/**
 * Whether progress may be redrawn in place on stderr. Not where stdout is a pipe: behind `| tee log` its lines arrive on the
 * same terminal at any time, in the middle of a drawing.
 */
export function canRedraw({ isStderrTerminal, isStdoutTerminal, isStdoutFile, env }: Surface): boolean {
  return isStderrTerminal && (isStdoutTerminal || isStdoutFile) && env("TERM") !== "dumb";
}

/** The screen behind stderr. */
export function stderrScreen(): Screen {
  const encoder = new TextEncoder();
  const env = (key: string) => Deno.env.get(key);
  const isStderrTerminal = Deno.stderr.isTerminal();
  const isStdoutTerminal = Deno.stdout.isTerminal();
  return {
    isTerminal: canRedraw({ isStderrTerminal, isStdoutTerminal, isStdoutFile: isStdoutFile(), env }),
    hasColor: !env("NO_COLOR"), // set to nothing it means nothing
    write: (text) => {
      try {
        for (let rest = encoder.encode(text); rest.length > 0;) rest = rest.subarray(Deno.stderr.writeSync(rest));
      } catch {
        // Nobody looks any more, behind a pipe or a terminal that is closed: that is no reason to end a run.
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
    return false; // closed, or a kind that is not known
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

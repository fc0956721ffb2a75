/** Runs tasks in a pseudo-terminal, by `script` of util-linux, and shows what stands on its screen. */

import { argumentsOf, environmentOf, type Workplace } from "./run_task_process.ts";
import { ScreenModel } from "./screen_model.ts";

/** How a task ended, what its terminal shows, and all that came, escape codes included. */
export interface TerminalOutcome {
  code: number;
  screen: ScreenModel;
  output: string;
}

/** What a test may do while a task runs: type, such as Ctrl-C, and give the terminal another size. */
export interface Hands {
  type: (text: string) => Promise<void>;
  resize: (columns: number, rows: number) => Promise<void>;
  /** Closes the terminal, as a dropped connection does. */
  close: () => void;
  screen: ScreenModel;
}

interface TerminalOptions {
  columns?: number;
  rows?: number;
  env?: Record<string, string>;
  /** What stands before the command for the shell. */
  before?: string;
  /** What stands behind it, such as `> log`. */
  redirect?: string;
  /** Called when something has come, with all that came so far. */
  during?: (output: string, hands: Hands) => Promise<void> | void;
}

/** Runs a task in a terminal of its own. */
export async function runInTerminal(
  place: Workplace,
  task: string,
  args: readonly string[],
  { columns = 80, rows = 24, env = {}, before = "", redirect = "", during }: TerminalOptions = {},
): Promise<TerminalOutcome> {
  const [run, ...rest] = await argumentsOf(task);
  // Deno's own progress, of packages that it loads, is no output of the task.
  const words = [Deno.execPath(), run, "--quiet", ...rest, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  // With a pipe the shell stays, and what it ends with is told by the last command.
  const line = `tty; stty cols ${columns} rows ${rows}; ${before} ${words.join(" ")} ${redirect}`;
  const surroundings = Object.entries(environmentOf({ TERM: "xterm-256color", SHELL: "/bin/sh", ...env }));
  const child = new Deno.Command("script", {
    args: ["-qefc", line, "/dev/null"],
    cwd: place.path,
    clearEnv: true,
    env: Object.fromEntries(surroundings.filter(([key]) => key !== "NO_COLOR" || "NO_COLOR" in env)),
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const keyboard = child.stdin.getWriter();
  const screen = new ScreenModel(columns, rows);
  let output = "";
  let path: string | undefined;
  const hands: Hands = {
    type: (text) => keyboard.write(new TextEncoder().encode(text)),
    resize: async (columns, rows) => {
      await new Deno.Command("stty", { args: ["-F", path!, "cols", `${columns}`, "rows", `${rows}`] }).output();
      screen.resize(columns, rows);
    },
    close: () => child.kill("SIGKILL"), // of `script`, with whom its terminal goes
    screen,
  };
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    output += text;
    if (path === undefined) {
      const end = output.indexOf("\r\n");
      if (end < 0) continue;
      path = output.slice(0, end);
      output = output.slice(end + 2);
      screen.write(output);
    } else screen.write(text);
    if (path !== undefined) await during?.(output, hands);
  }
  await keyboard.close().catch(() => {}); // nobody may be left to read
  return { code: (await child.status).code, screen, output };
}

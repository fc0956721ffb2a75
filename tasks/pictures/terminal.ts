/** Programs in a pseudo-terminal, by `script` of util-linux. */

/** How large a terminal is, in characters. */
export interface TerminalSize {
  columns: number;
  rows: number;
}

/** A command that runs another in a terminal of its own. What that prints on either stream comes on stdout. */
export function inTerminal(
  words: readonly string[],
  { columns, rows }: TerminalSize,
): { program: string; args: string[]; env: Record<string, string> } {
  const quote = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
  const command = `stty columns ${columns} rows ${rows}; exec ${words.map(quote).join(" ")}`;
  const args = ["--quiet", "--return", "--command", command, "/dev/null"];
  return { program: "script", args, env: { TERM: "xterm-256color", NO_COLOR: "" } };
}

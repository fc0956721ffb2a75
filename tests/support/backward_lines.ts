/** The lines of the READMEs of lib/core and lib/arithmetic that say why each backward, and each update, is as it is. */

import { pathInProject } from "./run_task_process.ts";

/** A line's rule and its sentence of why, without marks of code. */
export interface BackwardLine {
  readonly rule: string;
  readonly why: string;
}

/** The lines by the names that they are about. */
export function parseLines(readme: string): Map<string, BackwardLine> {
  const section = readme.split(/^## /m).find((part) => part.startsWith("Every backward in a line")) ?? "";
  const lines = new Map<string, BackwardLine>();
  for (const line of section.replaceAll(/\n +/g, " ").split("\n")) {
    const found = line.match(/^- ((?:`\w+`(?:, )?)+).*?\*\*(.+?)\*\*\. (.+\.)$/);
    if (!found) continue;
    const [_, names, rule, why] = found;
    const plain = { rule: rule.replaceAll("`", ""), why: why.replaceAll("`", "") };
    for (const name of names.match(/\w+/g)!) lines.set(name, plain);
  }
  return lines;
}

export async function readLines(): Promise<Map<string, BackwardLine>> {
  const rooms = ["core", "arithmetic"].map((room) => Deno.readTextFile(pathInProject(`lib/${room}/README.md`)));
  return new Map((await Promise.all(rooms)).flatMap((readme) => [...parseLines(readme)]));
}

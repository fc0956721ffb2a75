/** Literals for written code: JSON's are TypeScript's and Python's too. */

import { printable } from "../../lib/base/printable.ts";

/** A text, number or list of them, as both languages read it; marks that turn text around would show other code than runs. */
export function literal(value: string | number | readonly (string | number)[]): string {
  return Array.isArray(value) ? `[${value.map(literal).join(", ")}]` : printable(JSON.stringify(value));
}

/** A text by lines, each moved in; none where there is no line. */
export function indent(lines: readonly string[], spaces: number): string {
  return lines.map((line) => `${" ".repeat(spaces)}${line}\n`).join("");
}

// deno-lint-ignore-file no-import-prefix -- a named dependency would have to stand in the configuration of every user
/** Stands in for @std/cli/unicode-width where JSR does not answer, over get-east-asian-width. */
import { eastAsianWidth } from "npm:get-east-asian-width@^1.7.0";

/** Characters without a width of their own: controls, marks that combine with what stands before, joiners. */
const NO_WIDTH = /^[\p{Cc}\p{Cf}\p{Mn}\p{Me}\p{Zl}\p{Zp}]$/u;

/** Columns that a text takes on a terminal: two for each wide character, none for marks and controls. */
export function unicodeWidth(str: string): number {
  if (/^[ -~]*$/.test(str)) return str.length;
  let width = 0;
  for (const character of str) width += NO_WIDTH.test(character) ? 0 : eastAsianWidth(character.codePointAt(0)!);
  return width;
}

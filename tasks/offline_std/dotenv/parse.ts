/** Stands in for @std/dotenv where JSR does not answer: the part that this project uses, over node:util. */
import { parseEnv } from "node:util";

/**
 * Reads the lines `KEY=value` of a .env file, with comments after `#`, quotes, and `$OTHER` or `${OTHER:-default}` in
 * unquoted values. A key that is no identifier is left out with a warning.
 */
export function parse(text: string): Record<string, string> {
  const env: Record<string, string> = Object.create(null);
  for (const [key, value] of Object.entries(parseEnv(text))) {
    if (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(key)) env[key] = value ?? "";
    else console.warn(`Ignored the key "${key}" as it is not a valid identifier`);
  }
  for (const [_, key] of text.matchAll(/^\s*(?:export\s+)?(\w+)\s*=[ \t]*[^\s'"`]/gm)) {
    if (key in env) env[key] = expand(env[key], env);
  }
  return env;
}

function expand(value: string, env: Record<string, string>): string {
  const reference = /\$\{(?<braced>\w+)(?::-(?<fallback>[^}]*))?\}|(?<!\\)\$(?<plain>\w+)/;
  // A chain of references longer than there are keys runs in a circle.
  for (let left = Object.keys(env).length; left >= 0 && reference.test(value); left--) {
    value = value.replaceAll(new RegExp(reference, "g"), (...match) => {
      const { braced, plain, fallback } = match.at(-1);
      return env[braced ?? plain] ?? Deno.env.get(braced ?? plain) ?? fallback ?? "undefined";
    });
  }
  return value;
}

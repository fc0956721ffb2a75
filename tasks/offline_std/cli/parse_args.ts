// deno-lint-ignore-file no-import-prefix -- a named dependency would have to stand in the configuration of every user
/** Stands in for @std/cli/parse-args where JSR does not answer: the part that this project uses, over minimist. */
// @ts-types="npm:@types/minimist@^1.2.5"
import minimist from "npm:minimist@^1.2.8";

/** What {@linkcode parseArgs} takes besides the arguments. */
export interface ParseOptions<B extends string, S extends string, D extends Record<string, unknown>> {
  /** Flags that take no value and are false where not given. */
  boolean?: readonly B[];
  /** Flags whose values stay text. */
  string?: readonly S[];
  /** Values of flags that are not given. */
  default?: D;
}

/** What {@linkcode parseArgs} returns: the flags by name, and under `_` the arguments that are none. */
export type Args<B extends string, S extends string, D extends Record<string, unknown>> =
  & Record<string, unknown>
  & { [K in B]: boolean }
  & { [K in Exclude<S, keyof D>]?: string }
  & { [K in Extract<S, keyof D>]: string | D[K] }
  & { _: (string | number)[] };

/** Reads command-line arguments. A value is text, or a number where it reads as one and its flag is not in `string`. */
export function parseArgs<
  const B extends string = never,
  const S extends string = never,
  const D extends Record<string, unknown> = Record<never, never>,
>(args: readonly string[], options: ParseOptions<B, S, D> = {}): Args<B, S, D> {
  const booleans: string[] = [...options.boolean ?? []];
  const strings: string[] = [...options.string ?? []];
  const { rewritten, valueless } = rewrite(args, booleans, strings);
  const parsed: Record<string, unknown> = minimist(rewritten, { boolean: booleans, string: strings });
  for (const [name, value] of Object.entries(parsed)) {
    if (name === "_") continue;
    if (valueless.has(name)) parsed[name] = true;
    // Of several values the last one counts.
    else if (Array.isArray(value)) parsed[name] = value.at(-1);
  }
  return { ...options.default, ...parsed } as Args<B, S, D>;
}

/** Joins every flag and its value by `=`, so that minimist decides neither what a value is nor what `--no-` means. */
function rewrite(
  args: readonly string[],
  booleans: readonly string[],
  strings: readonly string[],
): { rewritten: string[]; valueless: Set<string> } {
  const rewritten: string[] = [];
  const valueless = new Set<string>();
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    const next = args[i + 1];
    if (arg === "--") return { rewritten: [...rewritten, ...args.slice(i)], valueless };
    const key = arg.match(/^--([^=]+)$/)?.[1];
    if (key === undefined || booleans.includes(key)) {
      rewritten.push(arg);
      continue;
    }
    const takesNext = next !== undefined && next !== "" && !next.startsWith("-");
    const value = takesNext ? next : strings.includes(key) ? "" : true;
    if (value === true) valueless.add(key);
    else valueless.delete(key);
    rewritten.push(`${arg}=${value}`);
    if (takesNext) i++;
  }
  return { rewritten, valueless };
}

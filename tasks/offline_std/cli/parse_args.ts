// deno-lint-ignore-file no-import-prefix -- a named dependency would have to stand in the configuration of every user
/** Stands in for @std/cli/parse-args where JSR does not answer: the part that this project uses, over minimist. */
// @ts-types="npm:@types/minimist@^1.2.5"
import minimist from "npm:minimist@^1.2.8";

type Names<T extends string> = T | readonly T[];

/** What {@linkcode parseArgs} takes beside the arguments. */
export interface ParseOptions<
  B extends string = string,
  S extends string = string,
  C extends string = string,
  D extends Record<string, unknown> = Record<string, unknown>,
> {
  /** Flags that take no value and are false where not given; true: every flag without `=`. */
  boolean?: boolean | Names<B>;
  /** Flags whose values stay text. */
  string?: Names<S>;
  /** Flags that may come more than once, gathered in an array; of any other flag the last one counts. */
  collect?: Names<C>;
  /** Flags that `--no-<name>` sets to false. */
  negatable?: Names<string>;
  /** Other names of a flag. */
  alias?: Record<string, string | readonly string[]>;
  /** Values of flags that are not given. */
  default?: D;
  /** Whether everything after the first argument that is no flag is left as it is. */
  stopEarly?: boolean;
  /** Whether what follows `--` is kept apart, under that name. */
  "--"?: boolean;
  /** Called for every argument that was not declared; false drops it. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** What {@linkcode parseArgs} returns: the flags by name, and under `_` the arguments that are none. */
export type Args<
  B extends string = string,
  S extends string = string,
  C extends string = string,
  D extends Record<string, unknown> = Record<string, unknown>,
> =
  // deno-lint-ignore no-explicit-any
  & (string extends B | S | C ? Record<string, any> : [B | S | C] extends [never] ? Record<string, any>
  :
    & Record<string, unknown>
    & { [K in B]: boolean }
    & { [K in Exclude<S, C | keyof D>]?: string }
    & { [K in Extract<Exclude<S, C>, keyof D>]: string | D[K] }
    & { [K in C]: K extends S ? string[] : unknown[] })
  & { _: (string | number)[]; "--"?: string[] };

/**
 * Reads command-line arguments.
 *
 * @param args The arguments, as in `Deno.args`.
 * @param options The names of the flags and what they take.
 * @returns The values by flag. A value is text, or a number where it reads as one and the flag is not declared `string`.
 */
export function parseArgs<
  const B extends string = never,
  const S extends string = never,
  const C extends string = never,
  const D extends Record<string, unknown> = Record<never, never>,
>(args: readonly string[], options: ParseOptions<B, S, C, D> = {}): Args<B, S, C, D> {
  const { alias = {}, default: defaults = {} as D, boolean, unknown } = options;
  const groups = Object.entries(alias).map(([name, names]) => [name, ...list(names)]);
  const withAliases = (names?: boolean | Names<string>) =>
    list(names).flatMap((name) => groups.find((group) => group.includes(name)) ?? [name]);
  const booleans = withAliases(boolean);
  const strings = withAliases(options.string);
  const collected = withAliases(options.collect);
  const negatable = withAliases(options.negatable);

  const { rewritten, origins, valueless } = rewrite(args, { booleans, strings, negatable, options });
  const parsed = minimist(rewritten, {
    boolean: boolean === true ? true : booleans,
    string: strings,
    alias: Object.fromEntries(groups.map(([name, ...others]) => [name, others])),
    default: Object.fromEntries(Object.entries(defaults).filter(([name]) => booleans.includes(name))),
    stopEarly: options.stopEarly,
    "--": options["--"],
    unknown: (arg: string) => {
      const origin = origins.get(arg) ?? describe(arg, strings);
      if (origin.key !== undefined && collected.includes(origin.key)) return true;
      return (origin.key === undefined ? unknown?.(arg) : unknown?.(origin.arg, origin.key, origin.value)) !== false;
    },
  });

  const result: Record<string, unknown> = parsed;
  for (const [name, value] of Object.entries(parsed)) {
    if (name === "_" || name === "--") continue;
    if (valueless.has(name)) result[name] = true;
    else if (collected.includes(name)) result[name] = list(value);
    else if (Array.isArray(value)) result[name] = value.at(-1);
  }
  for (const name of collected) if ([...booleans, ...strings].includes(name)) result[name] ??= [];
  for (const [name, value] of Object.entries(defaults)) {
    for (const each of withAliases(name)) if (!(each in result)) result[each] = value;
  }
  return result as Args<B, S, C, D>;
}

type Origin = { arg: string; key?: string; value?: unknown };

/** Puts every value behind an `=`, so that minimist decides neither what a value is nor what `--no-` means. */
function rewrite(
  args: readonly string[],
  { booleans, strings, negatable, options }: {
    booleans: string[];
    strings: string[];
    negatable: string[];
    options: { boolean?: unknown; stopEarly?: boolean };
  },
): { rewritten: string[]; origins: Map<string, Origin>; valueless: Set<string> } {
  const rewritten: string[] = [];
  const origins = new Map<string, Origin>();
  const valueless = new Set<string>();
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    const next = args[i + 1];
    if (arg === "--" || (options.stopEarly && !arg.startsWith("-"))) {
      rewritten.push(...args.slice(i));
      break;
    }
    const key = arg.match(/^--([^=]+)$/)?.[1];
    const isNegated = key?.startsWith("no-") && negatable.includes(key.slice(3));
    if (key === undefined || isNegated || booleans.includes(key) || options.boolean === true) {
      rewritten.push(arg);
      continue;
    }
    const takesNext = next !== undefined && next !== "" && !next.startsWith("-");
    const value = takesNext ? next : strings.includes(key) ? "" : true;
    if (value === true) valueless.add(key);
    else valueless.delete(key);
    origins.set(`${arg}=${value}`, { arg, key, value });
    rewritten.push(`${arg}=${value}`);
    if (takesNext) i++;
  }
  return { rewritten, origins, valueless };
}

function describe(arg: string, strings: string[]): Origin {
  const [_, key, value] = arg.match(/^--?([^=]+)(?:=(.*))?$/s) ?? [];
  return { arg, key, value: value ?? (key !== undefined && strings.includes(key) ? "" : true) };
}

function list<T>(values: T | readonly T[] | boolean | undefined): T[] {
  if (Array.isArray(values)) return values;
  return values === undefined || typeof values === "boolean" ? [] : [values as T];
}

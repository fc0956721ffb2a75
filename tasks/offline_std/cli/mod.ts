export { parseArgs } from "./parse_args.ts";
export { unicodeWidth } from "./unicode_width.ts";
export type { Args, ParseOptions } from "./parse_args.ts";

/** Stands in for @std/csv where JSR does not answer: the part that this project uses, over csv-parse and csv-stringify. */
export { parse, type ParseOptions } from "./parse.ts";
export { stringify } from "./stringify.ts";

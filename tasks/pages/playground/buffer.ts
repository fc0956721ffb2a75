/**
 * Gives the page a Buffer, which browsers have none of: where JSR does not answer, csv-parse stands in for @std/csv, and
 * takes one for granted as soon as it is loaded.
 */

// deno-lint-ignore no-import-prefix -- loading it takes 100 ms in Deno, which needs none
import { Buffer } from "npm:buffer@^6.0.3";

Object.assign(globalThis, { Buffer });

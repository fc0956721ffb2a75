/**
 * The library's version, as deno.json has it (a test compares them).
 *
 * @module
 */

/**
 * The version.
 *
 * @example
 * ```ts
 * import { VERSION } from "@backhand/backhand";
 * console.log(`backhand ${VERSION}`);
 * ```
 */
export const VERSION = "0.1.0";

/**
 * The gate, everything that must pass:
 *
 *     deno task test [--help]
 *
 * Format, lint, types, documentation, all tests and the examples in the documentation, coverage of lib, and speed. Every
 * stage runs, whatever the others found. The last line is `tests: N passed, N failed`; the exit code is 1 if anything
 * failed.
 */

import { main } from "./gate/gate.ts";

if (import.meta.main) Deno.exit(await main());

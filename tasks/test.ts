/**
 * Runs the gate, which is everything that must pass:
 *
 *     deno task test [--help]
 *
 * Format, lint, types, documentation, all tests with the examples in the documentation, coverage of lib, and speed next
 * to that of peers. Every stage runs, whatever the others find. The last line is `tests: N passed, N failed`; the exit code is
 * 1 if anything failed.
 */

import { main } from "./gate/gate.ts";

if (import.meta.main) Deno.exit(await main());

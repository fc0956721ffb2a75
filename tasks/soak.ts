/**
 * Runs what is too long for the gate: a million steps that must leave memory, GPU buffers and speed as they were, with and
 * without evaluation at the end of each epoch, and the long forms of tests.
 *
 *     deno task soak [--short]
 *
 * --short runs 60,000 steps in all and none of the long forms. The exit code is 1 if anything is wrong.
 */

import { main } from "./soak/long_forms.ts";

if (import.meta.main) Deno.exit(await main(Deno.args.filter((word) => word !== "--")));

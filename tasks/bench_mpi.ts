/**
 * Measures the deep workload on two ranks of this machine, next to one process, and what their messages cost. From that it
 * computes what many ranks would reach:
 *
 *     deno task bench-mpi [--rounds N]
 *
 * The runs take turns, so that other work of the machine slows all of them alike. Medians count.
 */

import { main } from "./bench/ranks.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));

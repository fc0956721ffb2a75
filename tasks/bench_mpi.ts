/**
 * Times the deep workload on two ranks of this machine beside one process, and what ranks say to each other, and works out
 * what many ranks would reach:
 *
 *     deno task bench-mpi [--rounds N]
 *
 * The runs come in turn, so that what else the machine does meets all alike; medians count.
 */

import { main } from "./bench/ranks.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));

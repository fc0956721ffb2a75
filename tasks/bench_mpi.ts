/**
 * Times the deep workload on two ranks of this machine and on one process, and the exchange between ranks; projects what many
 * ranks would reach:
 *
 *     deno task bench-mpi [--rounds N]
 *
 * The runs take turns, so that other load on the machine affects all of them; medians count.
 */

import { main } from "./bench/ranks.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));

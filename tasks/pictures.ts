/**
 * Makes the pictures of the README files from real runs, in tasks/pictures/:
 *
 *     deno task pictures                    all of them
 *     deno task pictures terminal report    some
 *
 * If one of them fails, the others are still made, and the exit code is 1.
 */

import { main } from "./pictures/make.ts";

if (import.meta.main) Deno.exit(await main(Deno.args.filter((word) => word !== "--")));

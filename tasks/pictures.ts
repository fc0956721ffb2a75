/**
 * Makes the pictures of README.md from real runs, in tasks/pictures/:
 *
 *     deno task pictures                    all of them
 *     deno task pictures terminal report    some
 *
 * The exit code is 1 where one of them failed; the others are made all the same.
 */

import { main } from "./pictures/make.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));

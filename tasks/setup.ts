/**
 * Prepares the machine; quick and silent if there is nothing to do:
 *
 *     deno task setup               all other tasks run it first
 *     NO_SETUP=1 deno task setup    changes nothing and says what is missing; exit code 1 if training cannot work
 *     deno task setup --mpi         also installs Open MPI, for several processes; exit code 1 if that fails
 *
 * 1. Where JSR does not answer, `.offline` links to the stand-ins for @std, which deno.json takes in as workspace
 *    members; where JSR answers, the link is removed again.
 * 2. deno.lock is copied to `.deno.lock`, the lock file that Deno writes to. So the committed pins hold, and what a machine
 *    adds to them does not make a clone dirty.
 * 3. A machine without any WebGPU adapter gets a software Vulkan driver.
 *
 * It imports nothing that must be installed first.
 */

import { main } from "./setup/prepare_machine.ts";

if (import.meta.main) Deno.exit(await main());

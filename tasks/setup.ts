/**
 * Prepares the machine, quickly and silently where there is nothing to do:
 *
 *     deno task setup               what every other task runs first
 *     NO_SETUP=1 deno task setup    changes nothing, says what is missing; exit code 1 if training cannot work
 *     deno task setup --mpi         Open MPI too, for training on several machines; exit code 1 if it is not there then
 *
 * 1. Where JSR does not answer, `.offline` links to the stand-ins for @std, which deno.json takes in as workspace
 *    members; where it answers, the link goes away again.
 * 2. deno.lock is copied to `.deno.lock`, the lock file that Deno writes to, so that the committed pins hold and yet no
 *    machine's additions (JSR packages or not) make a clone dirty.
 * 3. A machine without any WebGPU adapter gets a software Vulkan driver.
 *
 * Imports nothing that would have to be there already.
 */

import { main } from "./setup/prepare_machine.ts";

if (import.meta.main) Deno.exit(await main());

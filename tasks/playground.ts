/**
 * A page that trains in the browser's own WebGPU: bundled from the library, served on this machine alone.
 *
 *   deno task playground
 *   deno task playground --port 8000
 *   deno task playground --output folder     static files instead
 */

import { main } from "./playground/serve.ts";
import { runTask } from "./settings/run_task.ts";

if (import.meta.main) await runTask("playground", main);

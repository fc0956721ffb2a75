/**
 * Serves a page, to this machine only, that trains in the browser's own WebGPU with this library.
 *
 *   deno task playground
 *   deno task playground --port 8000
 *   deno task playground --output folder     writes the page as files instead
 */

import { main } from "./playground/serve.ts";
import { runTask } from "./settings/run_task.ts";

if (import.meta.main) await runTask("playground", main);

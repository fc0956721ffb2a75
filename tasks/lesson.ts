/**
 * Lists the lessons and which of their exercises are done; runs one, checks its exercise, or helps with it.
 *
 *   deno task lesson
 *   deno task lesson 3
 *   deno task lesson 3 --check
 *   deno task lesson 3 --hint
 *   deno task lesson 3 --solution
 */

import { runLesson } from "./lessons/run_lesson.ts";
import { runTask } from "./settings/run_task.ts";

if (import.meta.main) await runTask("lesson", runLesson);

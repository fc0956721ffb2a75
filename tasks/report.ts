/**
 * Writes a run's report again: data/runs/<run-name>/report.html, one file that opens without a server.
 *
 *   deno task report
 *   deno task report narrow
 *   deno task report narrow --svg figures --output narrow.html
 */

import { Device } from "../lib/gpu/device.ts";
import { askedRun } from "./runs/asked_run.ts";
import { checkOutput } from "./runs/outputs.ts";
import type { TaskConfig } from "./settings/config.ts";
import { runTask } from "./settings/run_task.ts";
import { fromUsersFolder, tellWritten } from "./settings/users_files.ts";

export async function main(config: TaskConfig): Promise<void> {
  const { output, extras: { SVG: svg } } = config;
  const run = askedRun("report", config);
  const page = fromUsersFolder(output);
  if (page !== undefined) await checkOutput(run, ["--output", page], { ending: ".html" });
  using device = await Device.request({ smallDispatches: true });
  const { writeReport } = await import("./report/writer.ts");
  const written = await writeReport({
    runName: run,
    device,
    output: page,
    svgFolder: fromUsersFolder(svg),
  });
  const { charts } = written;
  if (charts.length > 0) console.log(`wrote ${charts.length} charts to ${fromUsersFolder(svg)}`);
  tellWritten(written.page, `wrote ${written.page}`);
}

if (import.meta.main) await runTask("report", main);

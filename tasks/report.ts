/**
 * Writes a run's report again: data/runs/<run-name>/report.html, one file that opens without a server.
 *
 *   deno task report
 *   deno task report narrow
 *   deno task report narrow --svg figures --output narrow.html
 */

import { Device } from "../lib/gpu/device.ts";
import { ConfigError, type TaskConfig } from "./settings/config.ts";
import { checkOutput } from "./runs/outputs.ts";
import { SETTINGS } from "./settings/settings.ts";
import { runTask } from "./settings/run_task.ts";
import { fromUsersFolder, tellWritten } from "./settings/users_files.ts";

async function main({ runName, given, words, output, extras: { SVG: svg } }: TaskConfig): Promise<void> {
  const [word = runName, ...more] = words;
  const { parse, allowed } = SETTINGS.RUN_NAME;
  const faults = [
    ...(more.length > 0 ? [`${JSON.stringify(more[0])}: report takes one run`] : []),
    ...(parse(word) === undefined ? [`the run is ${JSON.stringify(word)}: allowed is ${allowed}`] : []),
    ...(given.RUN_NAME === "--run-name" && word !== runName
      ? [`--run-name is "${runName}", and the run is "${word}": give one of them`]
      : []),
  ];
  if (faults.length > 0) throw new ConfigError(faults);
  const page = fromUsersFolder(output);
  if (page !== undefined) await checkOutput(word, ["--output", page], { ending: ".html" });
  using device = await Device.request({ smallDispatches: true });
  const { writeReport } = await import("./report/writer.ts");
  const written = await writeReport({
    runName: word,
    device,
    output: page,
    svgFolder: fromUsersFolder(svg),
  });
  const { charts } = written;
  if (charts.length > 0) console.log(`wrote ${charts.length} charts to ${fromUsersFolder(svg)}`);
  tellWritten(written.page, `wrote ${written.page}`);
}

if (import.meta.main) await runTask("report", main);

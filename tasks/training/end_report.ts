/** The report at a run's end: a run is finished without one, too. */

import type { ReportRequest } from "../report/writer.ts";
import { describeError } from "../settings/run_task.ts";

/**
 * Writes a run's report, and says where; whatever goes wrong becomes a warning. Libraries for charts are loaded only here.
 */
export async function reportRun(
  request: ReportRequest,
  say: { note: (line: string) => void; warning: (line: string) => void },
): Promise<void> {
  try {
    const { writeReport } = await import("../report/writer.ts");
    say.note(`report: ${(await writeReport(request)).page}`);
  } catch (error) {
    const why = describeError("report", error).replace(/^error: /, "");
    say.warning(`warning: the run is whole, but has no report: ${why}`);
  }
}

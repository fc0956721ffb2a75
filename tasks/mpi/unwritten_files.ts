/** The files of a run as ranks have them that leave the writing to rank 0: nothing is written or read there. */

import { Checkpoints, type RunFiles } from "../runs/checkpoints.ts";
import { forLogs, RunFolder, RunLog } from "../runs/folder.ts";
import type { TaskConfig } from "../settings/config.ts";

export function unwrittenFiles({ runName, keepCheckpoints }: TaskConfig): RunFiles {
  const folder = new UnwrittenFolder(runName);
  return { folder, checkpoints: new UnwrittenCheckpoints(folder.path, keepCheckpoints) };
}

class UnwrittenFolder extends RunFolder {
  override readonly logs = forLogs(() => new UnwrittenLog(""));

  override async create(): Promise<undefined> {}
  override async writeJson(): Promise<void> {}
  override async removeSummary(): Promise<void> {}
}

class UnwrittenLog extends RunLog {
  override async append(): Promise<void> {}
  override async flush(): Promise<void> {}
  override async cut(): Promise<void> {}
}

class UnwrittenCheckpoints extends Checkpoints {
  override readonly areWritten = false;
  override async lastStep(): Promise<undefined> {}
}

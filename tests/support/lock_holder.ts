/** Processes that hold a lock, for the tests of what others do meanwhile. */

import { assertEquals } from "@std/assert";
import { pathInProject, type Workplace } from "./run_task_process.ts";

/**
 * Starts a process that takes a lock, by an expression over what tasks/prepare/locks.ts exports, and keeps it. It is killed
 * without a chance to clean up, at the latest when it is disposed of.
 */
export async function holdLock(place: Workplace, take: string) {
  const code = `const lock = await ${take}; console.log(lock ? "held" : "busy"); setInterval(() => lock, 1000);`;
  const child = place.startDeno(evaluation(code));
  assertEquals((await readUntil(child.stdout, "\n")).trim(), "held");
  const kill = async () => {
    child.kill("SIGKILL");
    await Promise.all([child.status, child.stderr.cancel()]);
  };
  let isOver = false;
  child.status.then(() => isOver = true);
  return { pid: child.pid, kill, [Symbol.asyncDispose]: async () => isOver ? undefined : await kill() };
}

/** The arguments that make deno run some code which knows what tasks/prepare/locks.ts exports. */
export function evaluation(code: string): string[] {
  const locks = JSON.stringify(`file://${pathInProject("tasks/prepare/locks.ts")}`);
  const imports = `import { lockDataset, lockExport, lockRun, lockSearch, takeLock } from ${locks};`;
  return ["eval", "--config", pathInProject("deno.json"), imports + code];
}

/** Reads a stream until it has said some words, or is over; the rest is thrown away. */
export async function readUntil(stream: ReadableStream<Uint8Array<ArrayBuffer>>, words: string): Promise<string> {
  let said = "";
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  while (!said.includes(words)) {
    const { value, done } = await reader.read();
    if (done) break;
    said += value;
  }
  await reader.cancel();
  return said;
}

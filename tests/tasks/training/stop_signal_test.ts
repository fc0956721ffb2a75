/** The first signal asks, a second one ends, whatever the process is at. */
import { assertEquals } from "@std/assert";
import { pathInProject } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

/** Waits for a signal, says so, waits for more, then keeps its thread busy for ten seconds. */
const SCRIPT = `
  import { StopSignal } from ${JSON.stringify(new URL("../../../tasks/training/stop_signal.ts", import.meta.url).href)};
  const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  using signal = new StopSignal();
  console.log("listening");
  while (signal.code === undefined) await wait(5);
  console.log("asked " + signal.code);
  await wait(900);
  console.log("busy");
  const end = Date.now() + 10_000;
  while (Date.now() < end);
  console.log("done");
`;

/** Sends signals at words that the process prints. */
async function run(sends: Record<string, Deno.Signal[]>): Promise<[Deno.CommandStatus, string]> {
  const args = ["run", "--config", pathInProject("deno.json"), "-"];
  const command = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped", stderr: "null" });
  await using child = command.spawn();
  const stdin = child.stdin.getWriter();
  await stdin.write(new TextEncoder().encode(SCRIPT));
  await stdin.close();
  let said = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    said += text;
    for (const [word, signals] of Object.entries(sends)) {
      if (!said.includes(word)) continue;
      delete sends[word];
      for (const signal of signals) {
        child.kill(signal);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }
  return [await child.status, said.trim().replaceAll("\n", ", ")];
}

permitted("StopSignal: a second signal ends even a busy process, and one that comes twice is one", async () => {
  const cases: [first: Deno.Signal[], second: Deno.Signal, asked: number, code: number][] = [
    [["SIGINT"], "SIGINT", 130, 130],
    [["SIGTERM"], "SIGTERM", 143, 143],
    [["SIGINT", "SIGINT", "SIGTERM"], "SIGTERM", 130, 143],
    [["SIGHUP"], "SIGTERM", 129, 143],
  ];
  for (const [first, second, asked, code] of cases) {
    const [status, said] = await run({ listening: first, busy: [second] });
    assertEquals(said, `listening, asked ${asked}, busy`);
    assertEquals([status.signal, status.code], [second, code]);
  }
});

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

permitted("StopSignal: a second signal ends the process even while it is busy", async () => {
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    const [status, said] = await run({ listening: [signal], busy: [signal] });
    assertEquals(said, `listening, asked ${code}, busy`);
    assertEquals([status.signal, status.code], [signal, code]);
  }
});

permitted("StopSignal: one Ctrl-C that comes twice is one", async () => {
  const [status, said] = await run({ listening: ["SIGINT", "SIGINT", "SIGTERM"], busy: ["SIGTERM"] });
  assertEquals(said, "listening, asked 130, busy");
  assertEquals(status.code, 143);
});

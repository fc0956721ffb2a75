/** `train --live` as a process: what the page asks for shows in the run's files, and a resumed run ends with the same bytes. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { totalsOf } from "../../support/kill_runs.ts";
import { send, startLive } from "./live_client.ts";
import { argumentsOf, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const run = "data/runs/r";

const ARGS = ["--num-dataset=600", "--hidden-size=16,16", "--optimizer=adam", "--run-name=r"]
  .concat("--checkpoint-every=500", "--keep-checkpoints=1000000");

/** Takes all checkpoints behind a step away, and what the run ended with. */
async function goBack(place: Workplace, step: number): Promise<void> {
  const names = await Array.fromAsync(Deno.readDir(place.at(`${run}/checkpoints`)), ({ name }) => name);
  const later = names.filter((name) => Number(name.match(/\d+/)![0]) > step);
  assert(later.length > 0 && later.length < names.length, `${later.length} of ${names.length} checkpoints are later`);
  for (const name of [...later.map((name) => `checkpoints/${name}`), "model.safetensors"]) {
    await Deno.remove(place.at(`${run}/${name}`));
  }
}

permitted("train --live: what the page asks for happens between two steps; a resumed run ends the same", async () => {
  await using place = await Workplace.create();
  const { listener, done } = await startLive(place, [...ARGS, "--num-epochs", "100"]);
  await listener.until(({ last }) => last !== null);
  await listener.ask("/pause");
  const { status: { step } } = await listener.until(({ status }) => status.phase === "paused");
  assert(step < 100 * 48, "it was over before it was paused");
  const before = await place.read(`${run}/metrics.jsonl`);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assertEquals([await place.read(`${run}/metrics.jsonl`), listener.last!.status.step], [before, step]);
  await listener.ask("/rate?factor=0.25");
  await listener.until(({ status }) => status.learningRate === 0.0025);
  await listener.ask("/resume");
  const { code, stdout, stderr } = await done;
  assertEquals([code, listener.hasEnded], [0, true], stderr);
  assertStringIncludes(stdout, `learning rate: 0.00250, 0.25 times the settings', from step ${step + 1} on\n`);
  // That of an epoch's last step.
  for (const line of await place.readLines(`${run}/metrics.jsonl`)) {
    assertEquals(line.learningRate, line.step > step ? 0.0025 : 0.01);
  }
  const whole = await totalsOf(place, run);

  await goBack(place, step);
  const again = await startLive(place, ["--resume", "r"]);
  await again.listener.until(({ status, layers }) =>
    status.step > step && status.rateFactor === 0.25 && !!layers.length
  );
  const { epochs } = again.listener;
  assert(epochs.length > 0);
  assertEquals(epochs, epochs.map((_, i) => i + 1), "with the epochs before");
  await again.listener.ask("/stop");
  const stopped = await again.done;
  assertEquals(stopped.code, 0, stopped.stderr);
  const says = /^stopped: data\/runs\/r, checkpoint at step \d+, .*\ncontinue with: deno task train --resume r$/m;
  assertMatch(stopped.stdout, says);
  await place.succeed("train", ["--resume", "r"]);
  assertEquals(await totalsOf(place, run), whole);
});

permitted("train --live: a run that fails tells the page why; a taken port is told before all writing", async () => {
  await using place = await Workplace.create();
  const { listener, done } = await startLive(place, [...ARGS, "--num-epochs", "100000"]);
  await listener.until(({ last }) => last !== null);
  await listener.ask("/pause");
  await listener.until(({ status }) => status.phase === "paused");
  await Deno.truncate(place.at(`${run}/metrics.jsonl`), 1); // as if somebody had been there
  await listener.ask("/resume");
  const { code, stderr } = await done;
  assertEquals([code, listener.hasEnded], [1, true], stderr);
  const told = listener.updates.flatMap(({ messages }) => messages).filter(({ kind }) => kind === "warning");
  assertEquals(told.map(({ text }) => text), [stderr.slice(stderr.indexOf("error: ")).trimEnd()]);
  assertStringIncludes(told[0].text, "another program changed it meanwhile");

  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const before = await place.digests();
  const args = [...ARGS, `--live=${taken.addr.port}`];
  const refused = await place.runDeno([...await argumentsOf("train", []), ...args]);
  assertEquals(refused.code, 2);
  assertStringIncludes(refused.stderr, `error: --live is ${taken.addr.port}: another program uses this port`);
  assertEquals(await place.digests(), before);
});

permitted("train --live --quiet: a pause that nobody watches is told, and Ctrl-C keeps the run", async () => {
  await using place = await Workplace.create();
  const { child, url, listener, done } = await startLive(place, [...ARGS, "--num-epochs=1000000", "--quiet"]);
  await listener.until(({ last }) => last !== null);
  await listener.ask("/pause");
  const { status: { step } } = await listener.until(({ status }) => status.phase === "paused");
  await listener[Symbol.asyncDispose]();
  setTimeout(() => child.kill("SIGINT"), 8_000); // it is told after five seconds
  const { code, stderr } = await done;
  assertEquals(code, 130, stderr);
  const how = `open ${url}, or press Ctrl-C and later run \`deno task train --resume r\``;
  assertStringIncludes(stderr, `paused at step ${step}, and no page is open: ${how}; without either it continues in 5`);
  assertStringIncludes(stderr, `\nstopped: data/runs/r, checkpoint at step ${step}, `);
});

permitted("train --live: hundreds of connections, without the token, end neither training nor page", async () => {
  await using place = await Workplace.create();
  const args = [...ARGS, "--num-epochs", "1000000"];
  const { child, url, listener, done } = await startLive(place, args, { files: 128 });
  const { step: before } = (await listener.until(({ last }) => last !== null)).last!;
  const port = Number(new URL(url).port);
  const head = new TextEncoder().encode(`GET / HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n`); // and never its end
  const connections: Deno.Conn[] = [];
  for (let i = 0; i < 400; i++) {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connections.push(connection);
    if (i % 2 === 0) await connection.write(head).catch(() => {}); // it may be closed already
  }
  const { last } = await listener.until(({ last }) => last!.step > before + 48);
  assertEquals((await send(new URL("/", url), "GET")).status, 200, "the page can be opened");
  assertEquals(await listener.ask("/pause"), 204);
  await listener.until(({ status }) => status.phase === "paused");
  await listener.ask("/resume");
  await listener.until(({ status }) => status.step > last!.step + 48);
  for (const connection of connections) connection.close();
  child.kill("SIGINT");
  const { code, stderr } = await done;
  assertEquals([code, stderr.match(/error|warning/i)], [130, null], stderr);
});

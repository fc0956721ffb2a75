/** The server in the README of tasks/predict runs as it stands there. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { pathInProject, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";
import { putHandRun } from "./hand_run.ts";

permitted("the server of README.md answers a row, rows, bad rows, and many requests at once", async () => {
  const readme = await Deno.readTextFile(pathInProject("tasks/predict/README.md"));
  const script = readme.match(/```ts ignore\n([\s\S]*?)```/)![1];
  assert(script.trim().split("\n").length <= 25, "some twenty lines");
  await using place = await Workplace.create({
    "deno.json": JSON.stringify({ imports: { backhand: pathInProject("mod.ts") } }),
    "serve.ts": script,
  });
  await putHandRun(place, "sum", {
    inputs: [{ kind: "numeric", name: "x" }, { kind: "numeric", name: "w", fill: 3 }],
    weights: [1, 10],
  });
  const flags = ["--no-prompt", "--allow-read", "--allow-env", "--allow-net=127.0.0.1"];
  const server = place.startDeno(["run", ...flags, "serve.ts", "data/runs/sum/model.safetensors", "0"]);
  const said = server.stderr.pipeThrough(new TextDecoderStream()).getReader();
  try {
    const url = await addressIn(said);
    const post = async (body: string) => {
      const response = await fetch(url, { method: "POST", body });
      return [response.status, await response.json()];
    };
    assertEquals(await post('{"x": 1, "w": 2}'), [200, 21]);
    assertEquals(await post('[{"x": 1, "w": 2}, {"w": null, "x": "4"}]'), [200, [21, 34]]);
    assertEquals(await post("[]"), [200, []]);
    const refused = {
      '{"x":': "JSON",
      '{"x": 1}': 'it lacks "w"',
      '{"x": "two", "w": 1}': '"two" is not a number',
      "3": "",
    };
    for (const [body, says] of Object.entries(refused)) {
      const [status, { error }] = await post(body);
      assertEquals(status, 400);
      assertStringIncludes(error, says);
    }
    const many = Array.from({ length: 40 }, (_, i) => post(`{"x": ${i}, "w": 0}`));
    assertEquals(await Promise.all(many), many.map((_, i) => [200, i]));
    const asked = await fetch(url);
    assertEquals([asked.status, await asked.text()], [405, "POST a row in JSON, or a list of rows\n"]);
  } finally {
    server.kill();
    await Promise.all([server.status, server.stdout.cancel(), said.cancel()]);
  }
});

/** Where a server says that it listens. */
async function addressIn(said: ReadableStreamDefaultReader<string>): Promise<string> {
  let text = "";
  while (true) {
    const { value = "", done } = await said.read();
    text += value;
    const found = text.match(/http:\/\/[\d.]+:\d+\//);
    if (found) return found[0];
    if (done) throw new Error(`the server has ended: ${text}`);
  }
}

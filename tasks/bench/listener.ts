/**
 * Reads all that the live page of a run is sent, as a worker of the bench:
 *
 *     deno run --allow-net=127.0.0.1 tasks/bench/listener.ts http://127.0.0.1:8000/#token
 */

const page = new URL(Deno.args[0]);
const events = new URL(`/events?token=${page.hash.slice(1)}`, page);
const response = await fetch(events);
if (!response.ok || response.body === null) throw new Error(`${page.host} answered ${response.status}`);
let updates = 0;
try {
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    updates += text.match(/^event: update$/gm)?.length ?? 0;
  }
} catch {
  // The run is over, and its process with it.
}
if (updates < 2) throw new Error(`the live page was sent ${updates} updates`);
console.log(JSON.stringify({ updates }));

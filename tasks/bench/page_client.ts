/**
 * A client of a run's live page, as a worker of the bench. It reads all updates, or with `stalled` none; it ends with the run:
 *
 *     deno run --allow-net=127.0.0.1 tasks/bench/page_client.ts live http://127.0.0.1:8000/#token
 */

const [view, address] = Deno.args;
const page = new URL(address);
const events = new URL(`/events?token=${page.hash.slice(1)}`, page);

async function read(): Promise<void> {
  const response = await fetch(events);
  if (!response.ok || response.body === null) throw new Error(`${page.host} answered ${response.status}`);
  let updates = 0;
  try {
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      updates += text.match(/^event: update$/gm)?.length ?? 0;
    }
  } catch {
    // The run is over, and its process has ended.
  }
  if (updates < 2) throw new Error(`the live page was sent ${updates} updates`);
}

async function stall(): Promise<void> {
  const server = { hostname: page.hostname, port: Number(page.port) };
  using connection = await Deno.connect(server);
  const request = `GET ${events.pathname}${events.search} HTTP/1.1\r\nhost: ${page.host}\r\n\r\n`;
  await connection.write(new TextEncoder().encode(request));
  const start = new Uint8Array("HTTP/1.1 200".length);
  await connection.read(start); // the status, and nothing after it
  const answer = new TextDecoder().decode(start);
  if (!answer.endsWith(" 200")) throw new Error(`${page.host} answered ${answer}`);
  const isThere = () => Deno.connect(server).then((other) => (other.close(), true), () => false);
  // A client that does not read does not notice the end.
  while (await isThere()) await new Promise((resolve) => setTimeout(resolve, 1_000));
}

await (view === "stalled" ? stall() : read());
console.log(JSON.stringify({ view }));

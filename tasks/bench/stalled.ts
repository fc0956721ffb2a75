/**
 * Opens what the live page of a run is sent, and never reads it, as a worker of the bench; ends when the run has:
 *
 *     deno run --allow-net=127.0.0.1 tasks/bench/stalled.ts http://127.0.0.1:8000/#token
 */

const page = new URL(Deno.args[0]);
const server = { hostname: page.hostname, port: Number(page.port) };
using connection = await Deno.connect(server);
const request = `GET /events?token=${page.hash.slice(1)} HTTP/1.1\r\nhost: ${page.host}\r\n\r\n`;
await connection.write(new TextEncoder().encode(request));
const start = new Uint8Array("HTTP/1.1 200".length);
await connection.read(start); // that it was let in; nothing behind that
const answer = new TextDecoder().decode(start);
if (!answer.endsWith(" 200")) throw new Error(`${page.host} answered ${answer}`);
// Who does not read is not told of the end.
while (await isThere()) await new Promise((resolve) => setTimeout(resolve, 1_000));
console.log(JSON.stringify({ stalled: true }));

async function isThere(): Promise<boolean> {
  try {
    (await Deno.connect(server)).close();
    return true;
  } catch {
    return false;
  }
}

/** The server of pages: what it understands, and what it survives. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { answerEvents, LoopbackServer, say } from "../../../tasks/loopback/server.ts";
import { permitted } from "../../support/permitted.ts";

type Answer = ConstructorParameters<typeof LoopbackServer>[0]["answer"];

function serve(answer: Answer, patience?: number) {
  const server = new LoopbackServer({ port: 0, flag: "--port", other: "another", patience, answer });
  const connect = () => Deno.connect({ hostname: "127.0.0.1", port: server.port });
  /** What comes back for a text, up to the end of the connection; nothing where it was cut off. */
  const ask = async (text: string) => {
    using connection = await connect();
    await connection.write(new TextEncoder().encode(text));
    return await new Response(connection.readable).text().catch(() => "");
  };
  return { server, connect, ask };
}

permitted("LoopbackServer answers one request a connection, and refuses what is none", async () => {
  const { server, ask } = serve(({ method, path, search, headers }) => {
    if (path === "/fault") throw new Error("a fault of the page");
    return say(200, [method, path, search.get("a"), headers.get("host"), headers.get("x")].join(" "));
  });
  await using _ = server;
  const cases: [request: string, status: number, says: string][] = [
    ["GET /p?a=1 HTTP/1.1\r\nHost: h\r\nX:  b c \r\n\r\n", 200, "GET /p 1 h b c\n"],
    ["POST / HTTP/1.0\r\nhost: h\r\n\r\n", 200, "POST /  h \n"],
    ["GET http://elsewhere/p HTTP/1.1\r\nhost: h\r\n\r\n", 200, "GET /p  h \n"],
    ["GET / HTTP/1.1\r\nhost: h\r\nhost: i\r\n\r\nGET /", 200, "GET /  h, i \n"],
    ["HEAD / HTTP/1.1\r\nhost: h\r\n\r\n", 200, ""],
    ["GET /fault HTTP/1.1\r\n\r\n", 500, "the server failed\n"],
    ["GET // HTTP/1.1\r\n\r\n", 400, "this is no request\n"],
    ["GET / HTTP/1.1\r\nno colon\r\n\r\n", 400, "this is no request\n"],
    ["GET / HTTP/1.1\r\n: no name\r\n\r\n", 400, "this is no request\n"],
    ["GET / HTTP/2\r\n\r\n", 400, "this is no request\n"],
    ["\r\n\r\n", 400, "this is no request\n"],
    ["\x16\x03\x01\0\r\n\r\n", 400, "this is no request\n"],
  ];
  for (const [request, status, says] of cases) {
    const answer = await ask(request);
    const [head, body] = answer.split("\r\n\r\n");
    assertEquals([Number(head.split(" ")[1]), body], [status, says], request);
    assertStringIncludes(head, "\r\nconnection: close");
    assertStringIncludes(head, "\r\nx-frame-options: DENY");
  }
  // No end of its head within bounds.
  assert(!(await ask(`GET / HTTP/1.1\r\nx: ${"y".repeat(100_000)}`)).startsWith("HTTP/1.1 200"));
});

permitted("LoopbackServer closes connections that say nothing, and the oldest where there are too many", async () => {
  const { server, connect, ask } = serve(() => say(200, "here"), 3_000);
  await using _ = server;
  const isClosed = (connection: Deno.Conn) =>
    connection.read(new Uint8Array(1)).then((count) => count === null, () => true);
  const silent = await Promise.all(Array.from({ length: 100 }, connect));
  assertStringIncludes(await ask("GET / HTTP/1.1\r\nhost: h\r\n\r\n"), "here\n");
  const start = performance.now();
  assertEquals(await Promise.all(silent.slice(0, 60).map(isClosed)), new Array(60).fill(true));
  assert(performance.now() - start < 2_000, "the oldest ones wait for their time to be over");
  assertEquals(await Promise.all(silent.slice(60).map(isClosed)), new Array(40).fill(true));
  for (const connection of silent) connection.close();
});

permitted("LoopbackServer ends with connections of every kind open", async () => {
  const stream = () => answerEvents(new ReadableStream());
  const { server, connect } = serve(({ path }) => path === "/events" ? stream() : say(200, "x".repeat(10_000_000)));
  const open = await Promise.all(
    ["", "GET / HT", "GET /events HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"].map(async (text) => {
      const connection = await connect();
      await connection.write(new TextEncoder().encode(text));
      return connection;
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  await server[Symbol.asyncDispose]();
  for (const connection of open) connection.close();
});

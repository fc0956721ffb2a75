/** Bundles the playground and serves it on this machine. */

import { bundle } from "../setup/bundle.ts";
import { ConfigError, type TaskConfig } from "../settings/config.ts";
import css from "./playground.css" with { type: "text" };
import html from "./index.html" with { type: "text" };
import style from "../charts/style.css" with { type: "text" };
import type { PageRequest } from "../loopback/guard.ts";
import { answerWith, LoopbackServer, say } from "../loopback/server.ts";
import { fromUsersFolder } from "../settings/users_files.ts";

const SCRIPT = new URL("main.ts", import.meta.url);

/**
 * What the page never runs: training by several processes; fusion and fast products, because its device has plain ones; kernels
 * of what no control offers; what only tables' models, judges and folds need; and charts of groups, facets or names. A control
 * or chart that needs one of them fails in the page's tests.
 */
const UNUSED = [
  /\/training\/group\/\w+\.ts$/,
  /\/fast\/(matmul_blocks|matmul_tiles|matmul_epilogue|pack)\.wgsl$/,
  /lib\/gpu\/(fusion|packing|product|product_forms|textures)\.ts$/,
  /\/ops\/(dropout|dropout_mask|function|one_hot|transpose)\.wgsl$/,
  /\/optimizers\/(clip|clip_factor|squares)\.wgsl$/,
  /\/recorded_step\/gather_rows_backward\.wgsl$/,
  /\/measure\/statistics\.wgsl$/,
  /\/(judge|tabular)\/\w+\.wgsl$/,
  /lib\/tabular\/(table_embedding|column_dropout|columns)\.ts$/,
  /lib\/model_file\/stored_columns\.ts$/,
  /lib\/reference\/table_embedding\.ts$/,
  /lib\/evaluate\/combine\.ts$/,
  /lib\/training\/(look|clipping|training_state)\.ts$/,
  /lib\/(core|reference)\/dropout\.ts$/,
  /lib\/show\/tensor_text\.ts$/,
  /\/@observablehq\/plot[/@].*\/src\/(transforms\/group|facet|scales\/ordinal)\.js$/,
] as const;

type Files = ReadonlyMap<string, { readonly type: string; readonly text: string }>;

export async function main({ output, extras: { PORT } }: TaskConfig): Promise<void> {
  const port = PORT === undefined ? 0 : Number(PORT);
  if (PORT !== undefined && !(/^\d+$/.test(PORT) && port <= 65_535)) {
    throw new ConfigError([`--port is ${JSON.stringify(PORT)}: allowed is a whole number from 0 to 65535`]);
  }
  const files = await makeFiles();
  if (output === undefined) return await serve(files, port);
  const folder = fromUsersFolder(output);
  await Deno.mkdir(folder, { recursive: true });
  for (const [name, { text }] of files) await Deno.writeTextFile(`${folder}/${name}`, text);
  const bytes = [...files.values()].reduce((sum, { text }) => sum + new TextEncoder().encode(text).length, 0);
  console.log(`wrote ${output}: ${[...files.keys()].join(", ")}, ${bytes} bytes`);
}

async function makeFiles(): Promise<Files> {
  const script = withShortKernels(await bundle(SCRIPT, { format: "iife", unused: UNUSED }));
  return new Map([
    ["index.html", { type: "text/html", text: html }],
    ["playground.css", { type: "text/css", text: style + css }],
    ["playground.js", { type: "text/javascript", text: script }],
  ]);
}

/** Removes comments and indentation of kernels, a tenth of the library: in a bundle these are template texts after a comment. */
export function withShortKernels(script: string): string {
  return script.replaceAll(/`\/\/(?:[^`\\]|\\.)*`/gs, (kernel) => {
    const lines = kernel.slice(1, -1).split("\n").map((line) => line.replace(/\/\/.*$/, "").trim());
    return `\`${lines.filter((line) => line !== "").join("\n")}\``;
  });
}

/** Serves the files until Ctrl-C. */
async function serve(files: Files, port: number): Promise<void> {
  const { promise: stop, resolve } = Promise.withResolvers<void>();
  const listener = () => resolve();
  await using server: LoopbackServer = new LoopbackServer({
    port,
    flag: "--port",
    other: "a start without --port",
    answer: (request) => answer(files, server, request),
  });
  Deno.addSignalListener("SIGINT", listener);
  console.log(`playground: http://${server.host}/ (Ctrl-C ends it)`);
  await stop;
  Deno.removeSignalListener("SIGINT", listener);
}

/** Refuses other host names that lead to this address, as in DNS rebinding. */
function answer(files: Files, { host, port }: LoopbackServer, { method, path, headers }: PageRequest): Response {
  if (![host, `localhost:${port}`].includes(headers.get("host") ?? "")) return say(421, "this server has another name");
  const file = files.get(path === "/" ? "index.html" : path.slice(1));
  if (!file) return say(404, "there is no such page");
  if (method !== "GET" && method !== "HEAD") return say(405, "only GET");
  return answerWith(file.type, file.text);
}

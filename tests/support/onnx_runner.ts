/**
 * Runs ONNX files in the reference runtime, in a process of its own: the runtime is native code, which no task may load. Each
 * line of stdin is the path of a file and its inputs, as JSON; the answer is a line of what came out.
 */

// deno-lint-ignore no-import-prefix -- in deno.json every task would download it
import { InferenceSession, Tensor } from "npm:onnxruntime-node@~1.30.0";

/** Columns of an input, row by row; null is NaN. */
export type Feeds = Record<string, { width: number; values: (number | null)[] | string[] }>;

/** What came out, by name. */
export type Results = Record<string, { dims: number[]; values: (number | string)[] }>;

async function run(path: string, feeds: Feeds): Promise<Results> {
  const session = await InferenceSession.create(path, { logSeverityLevel: 3 });
  const inputs = Object.entries(feeds).map(([name, { width, values }]) => {
    const dims = [values.length / width, width];
    const isText = typeof values[0] === "string";
    return [
      name,
      isText
        ? new Tensor("string", values as string[], dims)
        : new Tensor("float64", Float64Array.from(values as (number | null)[], (v) => v ?? NaN), dims),
    ];
  });
  const outputs = await session.run(Object.fromEntries(inputs));
  await session.release();
  const results = Object.entries(outputs).map(([name, { dims, data }]) => [
    name,
    { dims, values: Array.from(data as Iterable<number | string>) },
  ]);
  return Object.fromEntries(results);
}

if (import.meta.main) {
  let text = "";
  for await (const piece of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (!text.endsWith("\n")) continue;
    const [path, feeds]: [string, Feeds] = JSON.parse(text);
    text = "";
    console.log(JSON.stringify(await run(path, feeds)));
  }
  Deno.exit(0);
}

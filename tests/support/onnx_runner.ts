/**
 * Runs an ONNX file in the reference runtime, in a process of its own: the runtime is native code, which no task may load.
 *
 *   deno run --no-config --allow-read --allow-env --allow-ffi tests/support/onnx_runner.ts model.onnx < inputs.json
 */

// deno-lint-ignore no-import-prefix -- in deno.json every task would download it
import { InferenceSession, Tensor } from "npm:onnxruntime-node@~1.30.0";

/** Columns of an input, row by row; null is NaN. */
export type Feeds = Record<string, { width: number; values: (number | null)[] | string[] }>;

/** What came out, by name. */
export type Results = Record<string, { dims: number[]; values: (number | string)[] }>;

if (import.meta.main) {
  const session = await InferenceSession.create(Deno.args[0], { logSeverityLevel: 3 });
  const feeds: Feeds = await new Response(Deno.stdin.readable).json();
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
  const results = Object.entries(outputs).map(([name, { dims, data }]) => [
    name,
    { dims, values: Array.from(data as Iterable<number | string>) },
  ]);
  console.log(JSON.stringify(Object.fromEntries(results)));
  Deno.exit(0);
}

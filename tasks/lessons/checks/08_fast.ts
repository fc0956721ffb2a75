/** What judges the exercise of lesson 8: does each replay see its own batch, from one recording. */
import { type Device, Random, Tensor } from "../../../mod.ts";

/** Rows of a batch: inputs and targets. */
interface Batch {
  readonly x: number[][];
  readonly y: number[][];
}

/** What lesson 8 exports. */
export interface Lesson {
  readonly trainLine: (device: Device, w: Tensor, batches: readonly Batch[]) => void;
}

/** Each tells a bit more; the last one nearly all. */
export const hints: readonly string[] = [
  "A replay repeats dispatches and nothing else. What has to differ from one replay to the next?",
  "Make x and y with `Tensor.zeros(device, [rows, 1])` before `record`, and only read them inside it.",
  "Loop over the batches: `x.write(batch.x); y.write(batch.y); recording.replay();`. Declare x and y with `using`.",
];

/** Says what is wrong, in a sentence each. */
export async function check(device: Device, { trainLine }: Lesson): Promise<string[]> {
  const wrong = new Set<string>();
  for (const [seed, rows, count] of [[1, 4, 6], [2, 7, 3]]) {
    const random = new Random(seed, "lesson 8");
    const numbers = () => Array.from({ length: rows }, () => [random.uniform(-1, 1)]);
    const batches = Array.from({ length: count }, () => ({ x: numbers(), y: numbers() }));
    using w = Tensor.from(device, [[0.5]]);
    const counts = countCalls(device);
    const before = device.stats.buffers;
    try {
      trainLine(device, w, batches);
    } finally {
      counts.end();
    }
    const left = device.stats.buffers - before;
    for (const sentence of judge(await w.item(), batches, left, counts.recordings)) wrong.add(sentence);
  }
  return [...wrong];
}

function judge(found: number, batches: readonly Batch[], left: number, recordings: number): string[] {
  const wrong: string[] = [];
  const isNear = (value: number) => Math.abs(found - value) < 1e-4;
  if (!isNear(train(batches))) {
    const [first, last] = [batches[0], batches.at(-1)!].map((batch) => train(batches.map(() => batch)));
    const causes: [number, string][] = [
      [first, "every step saw batch 0: the upload happened once, so write each batch before its replay"],
      [last, "every step saw the last batch: replay right after each write, not after all of them"],
      [train(batches.slice(0, 1)), "only one step ran, on batch 0: replay once for each batch"],
      [0.5, "w did not change: was the recording replayed?"],
    ];
    const cause = causes.find(([value]) => isNear(value))?.[1] ?? "one step for each batch, in order, gives the other";
    wrong.push(`After ${batches.length} batches w is ${found.toFixed(4)}, not ${train(batches).toFixed(4)}: ${cause}.`);
  }
  if (recordings === 0) wrong.push("Nothing was recorded: call device.record once, and replay what it returns.");
  if (recordings > 1) {
    wrong.push(`record was called ${recordings} times: record once, before the loop over the batches.`);
  }
  if (left > 0) {
    wrong.push(`Buffers left behind: ${left}. Declare the recording and the tensors you make with \`using\`.`);
  }
  return wrong;
}

/** The same training in float64. */
function train(batches: readonly Batch[]): number {
  return batches.reduce((w, { x, y }) => {
    const slope = x.reduce((total, [v], i) => total + 2 * v * (v * w - y[i][0]) / x.length, 0);
    return w - 0.1 * slope;
  }, 0.5);
}

/** Counts the calls of `record` on a device, until `end`. */
function countCalls(device: Device): { recordings: number; end: () => void } {
  const counts = { recordings: 0, end: () => void Reflect.deleteProperty(device, "record") };
  const record = device.record.bind(device);
  device.record = (body, options) => {
    counts.recordings++;
    return record(body, options);
  };
  return counts;
}

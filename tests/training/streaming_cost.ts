/**
 * What streaming costs: the same network on the same rows of a file, all of them on the GPU at first, then in windows that
 * are read and uploaded while the one before trains; in turn, several rounds.
 *
 *     deno run -A tests/training/streaming_cost.ts
 */

import {
  Device,
  Model,
  mse,
  multilayerPerceptron,
  Random,
  SafetensorsRows,
  SafetensorsWriter,
  Sgd,
  Tensor,
  Trainer,
} from "../../mod.ts";

/** 122 MiB of inputs: just less than the 128 MiB that every device binds at once. */
const ROWS = 1_000_000;
const INPUTS = 32;
const BATCH = 1_000;
const WINDOWS = 10;
const ROUNDS = 3;

async function writeRows(path: string): Promise<void> {
  const random = new Random(1, "rows");
  const shapes = { x: [ROWS, INPUTS], y: [ROWS, 1] };
  await using writer = await SafetensorsWriter.create(path, shapes);
  const x = new Float32Array(BATCH * INPUTS);
  for (let row = 0; row < ROWS; row += BATCH) {
    x.forEach((_, i) => x[i] = random.uniform(-1, 1));
    await writer.append("x", x);
    await writer.append("y", Float32Array.from({ length: BATCH }, (_, i) => x[i * INPUTS] * x[i * INPUTS + 1]));
  }
  await writer.close();
}

/** Seconds of one epoch, and its loss. */
async function timeEpoch(trainer: Trainer): Promise<[seconds: number, loss: number]> {
  const start = performance.now();
  const [{ loss }] = await Array.fromAsync(trainer.epochs(1));
  return [(performance.now() - start) / 1000, loss];
}

/** Prints how long epochs take from the file, against the same rows on the GPU. */
async function compare(source: SafetensorsRows, resident: { x: Tensor; y: Tensor }, hidden: number[]): Promise<void> {
  using stack = new DisposableStack();
  const { device } = resident.x;
  const [onGpu, streamed] = [resident, { source, windowRows: ROWS / WINDOWS }].map((rows) => {
    const model = stack.use(new Model(device, multilayerPerceptron(INPUTS, hidden, 1)));
    const optimizer = stack.use(new Sgd(model, 0.01));
    return stack.use(new Trainer({ model, loss: mse, optimizer, batchSize: BATCH, seed: 1, ...rows }));
  });
  console.log(
    `network ${[INPUTS, ...hidden, 1].join("-")}, ${streamed.windows} windows of ${streamed.windowRows} rows`,
  );
  const ratios: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const [a, lossA] = await timeEpoch(onGpu);
    const [b, lossB] = await timeEpoch(streamed);
    const times = `on the GPU ${a.toFixed(2)} s, streamed ${b.toFixed(2)} s`;
    console.log(`  ${times}; losses ${lossA.toFixed(5)}, ${lossB.toFixed(5)}${round === 0 ? " (warm-up)" : ""}`);
    if (round > 0) ratios.push(b / a);
  }
  const median = ratios.toSorted((a, b) => a - b)[ROUNDS >> 1];
  console.log(`  streamed takes ${median.toFixed(2)} times as long`);
}

async function main(folder: string): Promise<void> {
  const path = `${folder}/rows.safetensors`;
  await writeRows(path);
  using source = await SafetensorsRows.open(path, "x", "y");
  using device = await Device.request();
  const { x, y } = await source.read(0, ROWS);
  using inputs = Tensor.from(device, x, [ROWS, INPUTS]);
  using targets = Tensor.from(device, y, [ROWS, 1]);
  console.log(`${device.name}; ${ROWS} rows of ${INPUTS} inputs in batches of ${BATCH}`);
  // Next to no work on a row, so that reading is felt if ever; then a network.
  for (const hidden of [[], [16]]) await compare(source, { x: inputs, y: targets }, hidden);
}

const folder = await Deno.makeTempDir({ prefix: "backhand_streaming_" });
try {
  await main(folder);
} finally {
  await Deno.remove(folder, { recursive: true });
}

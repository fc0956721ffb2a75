/** Values that are not finite, each planted in a training: what is named must be what a run step by step shows. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import { NotFiniteError } from "../../lib/base/errors.ts";
import { type Fault, findFault } from "../../lib/inspect/fault_finder.ts";
import { Dropout, type Layer, Linear, type Parameter, ReLU } from "../../lib/core/layers.ts";
import { multiply } from "../../lib/arithmetic/ops.ts";
import { type ReferenceLayer, ReferenceReLU } from "../../lib/reference/mod.ts";
import { ArrayRows } from "../../lib/data/row_source.ts";
import { readAll, type Tensor } from "../../lib/core/tensor.ts";
import type { Trainer } from "../../lib/training/trainer.ts";
import type { TrainingState } from "../../lib/training/training_state.ts";
import { formatFault } from "../../tasks/training/not_finite_report.ts";
import { gpuTest, randomMatrix } from "../support/gpu_test_case.ts";
import { type StepTensors, watchEpoch } from "../support/watch_epoch.ts";
import { type SmallTraining, smallTraining, type SmallTrainingOptions } from "../support/small_training.ts";

const ROWS = 62;
const BATCH = 4;
const ODD_ROW = 27;

/** `y = x^8`: overflows in its forward pass, as an exponential would. */
class Power implements Layer {
  readonly kind = "Power";
  readonly parameters: readonly Parameter[] = [];
  outputSize(inputs: number): number {
    return inputs;
  }
  forward(x: Tensor): Tensor {
    let y = x;
    for (let i = 0; i < 3; i++) y = multiply(y, y);
    return y;
  }
  backward(dOut: Tensor): Tensor {
    return multiply(dOut, dOut); // any will do
  }
  reference(): ReferenceLayer {
    return new ReferenceReLU();
  }
}

interface Setup extends Omit<SmallTrainingOptions, "layers"> {
  layers?: () => Layer[];
  weights?: Record<string, number[]>;
  /** What the row that stands out has as its inputs and as its target; the others are as drawn, or small. */
  odd?: { x?: number; y?: number };
  small?: boolean;
}

interface Made extends SmallTraining {
  state: Readonly<Record<string, Tensor>>;
  data: { x: Float32Array<ArrayBuffer>; y: Float32Array<ArrayBuffer> };
}

const narrow = (between: Layer) => () => [new Linear(2, 1), between, new Linear(1, 1)];

function setUp(device: Device, { layers, weights, odd = {}, small, ...options }: Setup): Made {
  const scale = small ? 1e-3 : 1;
  const [x, y] = [2, 1].map((columns, i) =>
    Float32Array.from(randomMatrix(ROWS, columns, i).data, (v) => small ? scale * (0.5 + Math.abs(v) / 9) : v)
  );
  if (odd.x !== undefined) x[2 * ODD_ROW + 1] = odd.x;
  if (odd.y !== undefined) y[ODD_ROW] = odd.y;
  const base = { source: new ArrayRows(x, y, 2), batchSize: BATCH, seed: 3, learningRate: 0.01 };
  const made = smallTraining(device, { ...base, layers: layers?.(), ...options });
  if (weights) made.model.load(weights);
  return { ...made, state: made.optimizer.state, data: { x, y } };
}

const isBad = (data: ArrayLike<number>): boolean => Array.from(data).some((v) => !Number.isFinite(v));

/** Runs one step as in training; whether its loss is not finite. */
async function runStep(trainer: Trainer): Promise<boolean> {
  const stop = trainer.step + 1;
  const epochs = trainer.epochs(1, { between: (now) => stop - now });
  return await Array.fromAsync(epochs).then(() => false, ({ what }) => what === "loss");
}

/** The first step that is not finite, its first tensor and its rows, by a run that stops and looks at every step. */
async function stepByStep(device: Device, setup: Setup): Promise<Pick<Fault, "step" | "tensor" | "rows">> {
  using made = setUp(device, setup);
  const { trainer, model, state } = made;
  for (let step = 1;; step++) {
    const before = await trainer.snapshot();
    const isLossBad = await runStep(trainer);
    const kept = await readAll([model.gradients, model.values, ...Object.values(state)]);
    if (!isLossBad && !kept.some(isBad)) continue;
    trainer.restore(before);
    return { step, ...await observe(made) };
  }
}

/** The first tensor of the next step that is not finite, and the rows that it saw. */
async function observe({ trainer, model, state, data }: Made): Promise<Pick<Fault, "tensor" | "rows">> {
  let rows: number[] = [];
  let tensor = "";
  const note = (name: string, values: ArrayLike<number>) => tensor ||= isBad(values) ? name : "";
  const isRow = (row: number, x: ArrayLike<number>, y: number) =>
    Object.is(data.y[row], y) && [0, 1].every((j) => Object.is(data.x[2 * row + j], x[j]));
  const look = (tensors: StepTensors) => {
    const { x, y } = tensors;
    const find = (target: number, i: number) =>
      data.y.findIndex((_, row) => isRow(row, x.subarray(2 * i, 2 * i + 2), target));
    rows = Array.from(y, find);
    for (const [name, values] of Object.entries(tensors)) note(name, values);
  };
  await watchEpoch(trainer, look, 1).catch((error) => assert(error instanceof NotFiniteError, error));
  const kept = Object.entries(state).map(([name, flat]) => [`optimizer.${name}`, flat] as const);
  for (const [kind, flat] of [...kept, ["weights", model.values] as const]) {
    const values = await flat.read();
    for (const { name, parameter: { value, shape } } of model.parameters) {
      const first = (value.byteOffset - model.values.byteOffset) / 4;
      note(`${kind}.${name}`, values.subarray(first, first + shape.reduce((a, b) => a * b)));
    }
  }
  return { tensor, rows: Uint32Array.from(rows) };
}

/** Weights whose gradients are large where an input is not small, far from any that its loss would notice. */
const steep = {
  weights: { "0.weight": [1, 1], "0.bias": [0], "2.weight": [1e11], "2.bias": [0] },
  small: true,
  odd: { x: 50 },
};

interface Case extends Setup {
  expected: Partial<Fault> & { tensor: string };
  cause: Fault["cause"]["kind"];
  /** Text that the report has. */
  says: RegExp;
}

const withDropout = (rate: number) => () => [new Linear(2, 6), new ReLU(), new Dropout(rate), new Linear(6, 1)];

/** A learning rate that makes training diverge: a tenth of it is what the report names. */
function tooLarge(learningRate: number, setup: Setup = {}): Case {
  const text = `a learning rate of ${learningRate} is too large\nwhat to do: LEARNING_RATE=${
    learningRate / 10
  }, .*--on-nan`;
  return { ...setup, learningRate, expected: { tensor: "?" }, cause: "rate", says: new RegExp(`${text} halve-lr`) };
}

const CASES: Record<string, Case> = {
  "NaN in a data row": {
    odd: { x: NaN },
    expected: { tensor: "x", row: ODD_ROW, value: NaN },
    cause: "data",
    says: /^an input is NaN at step \d+ of epoch 1, in training row 27, column "b"\nbatch: training rows .*27/,
  },
  "an infinite target, with dropout, over windows": {
    layers: withDropout(0.5),
    odd: { y: -Infinity },
    windowRows: 20,
    optimizer: "adam",
    expected: { tensor: "y", row: ODD_ROW, value: -Infinity },
    cause: "data",
    says:
      /a target is -Infinity .* column "c"[^]*row 27 of the training rows has -Infinity as its target 0\nwhat to do: correct or remove/,
  },
  "a learning rate too large, sgd, one kernel a step": tooLarge(3),
  "a learning rate too large, momentum, plain, over windows": tooLarge(1, {
    optimizer: "momentum",
    plain: true,
    windowRows: 20,
  }),
  "a learning rate too large, with dropout": tooLarge(3, { layers: withDropout(0.3) }),
  "a learning rate too large, adam": tooLarge(1e10, { optimizer: "adam" }),
  "an overflow of adam's variance alone": {
    ...steep,
    layers: narrow(new ReLU()),
    optimizer: "adam",
    expected: {
      tensor: "optimizer.variance.0.weight",
      value: Infinity,
      layer: { number: 0, kind: "Linear" },
      at: [1, 0],
    },
    cause: "overflow",
    says: /^the optimizer's variance of 0.weight of layer 0 \(Linear\) is Infinity .*, first at \[1, 0\]/,
  },
  "a norm that clipNorm cannot square": {
    ...steep,
    layers: narrow(new ReLU()),
    clipNorm: 1e30,
    learningRate: 1e-30,
    expected: { tensor: "gradient norm" },
    cause: "overflow",
    says: /^the norm of the gradients, which CLIP_NORM needs, is Infinity at step \d+ of epoch 1\nbatch/,
  },
  "an overflow in a layer": {
    ...steep,
    layers: narrow(new Power()),
    weights: { ...steep.weights, "0.weight": [2e3, 2e3], "2.weight": [1e-9] },
    learningRate: 1e-30,
    expected: { tensor: "a1", row: ODD_ROW, layer: { number: 1, kind: "Power" }, value: Infinity },
    cause: "unknown",
    says: /^output a1 of layer 1 \(Power\) is Infinity at step \d+ of epoch 1, in training row 27, column 0/,
  },
  "an input that is not scaled": {
    odd: { x: 1e22 },
    expected: { tensor: "loss" },
    cause: "scale",
    says: /likely cause: input 1 is not scaled: the batch holds 1e\+22\nwhat to do: .*SCALING_METHOD/,
  },
};

for (const [name, { expected, cause, says, ...setup }] of Object.entries(CASES)) {
  gpuTest(`findFault() names what a run step by step shows, and goes back: ${name}`, async (device) => {
    const truth = await stepByStep(device, setup);
    using made = setUp(device, setup);
    const { trainer } = made;
    const states: TrainingState[] = [await trainer.snapshot()];
    if (truth.step > 3) {
      await Array.fromAsync(trainer.epochs(1, { between: (now) => 2 - now }));
      states.push(await trainer.snapshot());
    }
    for (const state of states) {
      trainer.restore(state);
      const error = await assertRejects(() => Array.fromAsync(trainer.epochs(40)), NotFiniteError);
      assert(error.after < truth.step && truth.step <= error.step, `${error.after} ${truth.step} ${error.step}`);
      const fault = await findFault(trainer, state, error);
      const text = formatFault(fault, { inputs: ["a", "b"], targets: ["c"] }).join("\n");
      const { tensor, ...rest } = expected;
      const named = { tensor: fault.tensor, step: fault.step, rows: fault.rows };
      assertEquals(named, tensor === "gradient norm" ? { ...truth, tensor } : truth, text);
      if (tensor !== "?") assertEquals(fault.tensor, tensor);
      for (const key of Object.keys(rest) as (keyof typeof rest)[]) assertEquals(fault[key], rest[key], text);
      assertEquals(fault.cause.kind, cause, text);
      assert(says.test(text), text);
      assertEquals(await trainer.snapshot(), state);
    }
  });
}

gpuTest("findFault() names the member that has the value", async (device) => {
  const members = 2;
  const layers = [new Linear(2, 3, { members }), new Linear(3, 1, { members })];
  using setup = smallTraining(device, { layers, rows: 8, batchSize: 4 });
  const { model, trainer } = setup;
  model.parameters[0].parameter.value.view(6, [6]).write(Array(6).fill(3e38));
  model.parameters[2].parameter.value.view(3, [3]).write([3e38, 0, 0]);
  const state = await trainer.snapshot();
  const error = await assertRejects(() => Array.fromAsync(trainer.epochs(1)), NotFiniteError);
  const fault = await findFault(trainer, state, error);
  assert(fault.tensor.startsWith("z") && fault.rows.includes(fault.row!), fault.tensor);
  assertEquals([fault.step, fault.member], [1, 2]);
  assert(formatFault(fault)[0].includes(", of member 2, is "), formatFault(fault)[0]);
});

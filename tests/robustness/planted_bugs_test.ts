/** Mistakes that people make in a backward pass, planted on the GPU's side and on the float64 side: each must be caught. */
import { assert, assertEquals } from "@std/assert";
import { checkGradients } from "../../lib/check/gradcheck.ts";
import { type Layer, Linear, ReLU, Sigmoid } from "../../lib/core/layers.ts";
import { bceWithLogits, type Loss, mse, softmaxCrossEntropy } from "../../lib/core/losses.ts";
import { add, addBiasBackward, matmul, mean, multiply, scale, subtract, sum } from "../../lib/core/ops.ts";
import { gatherRows } from "../../lib/training/recorded_rows.ts";
import * as reference from "../../lib/reference/mod.ts";
import type { Matrix, ReferenceLayer } from "../../lib/reference/mod.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { gpuTest } from "../support/gpu_test_case.ts";

/** A network with a bug in it, and the lines of the check that must not be ok. */
interface Planted {
  bug: string;
  layers: Layer[];
  loss?: Loss;
  wrong: string[];
}

/** Square, so that a forgotten transpose still fits. */
const SIZE = 4;

/** What a layer's backward has at hand; a bug overwrites gradients, or returns another dX. */
type GpuBug = (layer: Linear, x: Tensor, dOut: Tensor, dX: Tensor) => Tensor | void;

class BuggyLinear extends Linear {
  readonly #bug: GpuBug;
  #x!: Tensor;

  constructor(bug: GpuBug) {
    super(SIZE, SIZE);
    this.#bug = bug;
  }

  override forward(x: Tensor): Tensor {
    this.#x = x;
    return super.forward(x);
  }

  override backward(dOut: Tensor, wantDX: boolean): Tensor | undefined {
    const dX = super.backward(dOut, true)!;
    const changed = this.#bug(this, this.#x, dOut, dX);
    return wantDX ? changed ?? dX : undefined;
  }
}

type TwinBug = (twin: ReferenceLayer, x: Matrix, dOut: Matrix, dX: Matrix) => Matrix | void;

/** The layer, sound on the GPU, with a bug in its float64 twin. */
function withBuggyTwin(layer: Layer, bug: TwinBug): Layer {
  const makeTwin = layer.reference.bind(layer);
  layer.reference = () => {
    const twin = makeTwin();
    const forward = twin.forward.bind(twin);
    const backward = twin.backward.bind(twin);
    let input: Matrix;
    twin.forward = (x) => forward(input = x);
    twin.backward = (dOut) => {
      const dX = backward(dOut);
      return bug(twin, input, dOut, dX) ?? dX;
    };
    return twin;
  };
  return layer;
}

function withBackward<T extends Layer>(layer: T, backward: (dOut: Tensor, y: Tensor) => Tensor): T {
  const forward = layer.forward.bind(layer);
  let y: Tensor;
  return Object.assign(layer, {
    forward: (x: Tensor) => y = forward(x),
    backward: (dOut: Tensor) => backward(dOut, y),
  });
}

const gpuTable: [bug: string, wrong: string[], spoil: GpuBug][] = [
  [
    "sign of dWeight",
    ["0.weight"],
    (l, x, d) => void matmul(scale(x, -1), d, { transposeA: true, out: l.weight.grad }),
  ],
  ["sign of dBias", ["0.bias"], (l, _, d) => void sum(scale(d, -1), 0, { out: l.bias.grad })],
  ["sign of dX", ["input"], (_l, _x, _d, dX) => scale(dX, -1)],
  ["dX without the transpose", ["input"], (l, _, d) => matmul(d, l.weight.value)],
  ["dWeight transposed", ["0.weight"], (l, x, d) => void matmul(d, x, { transposeA: true, out: l.weight.grad })],
  ["dBias averaged, not summed", ["0.bias"], (l, _, d) => void mean(d, 0, { out: l.bias.grad })],
  ["dBias of one row, not summed", ["0.bias"], (l, _, d) => void scale(d.view(0, [SIZE]), 1, { out: l.bias.grad })],
  ["dWeight twice too large", ["0.weight"], (l, x, d) => {
    matmul(add(x, x), d, { transposeA: true, out: l.weight.grad });
  }],
  ["dBias left at 0", ["0.bias"], (l, _, d) => void addBiasBackward(subtract(d, d), { out: l.bias.grad })],
];
const gpuBugs: Planted[] = gpuTable.map(([bug, wrong, spoil]) => ({ bug, wrong, layers: [new BuggyLinear(spoil)] }));

const lossTable: [bug: string, loss: Loss, backward: Loss["backward"]][] = [
  ["mse without the 2", mse, (p, t) => scale(subtract(p, t), 1 / p.size)],
  ["mse without 1 / n", mse, (p, t) => scale(subtract(p, t), 2)],
  ["mse divided by rows, not by elements", mse, (p, t) => scale(subtract(p, t), 2 / p.shape[0])],
  ["mse with its sign flipped", mse, (p, t) => scale(mse.backward(p, t), -1)],
  ["bce without 1 / n", bceWithLogits, (z, t) => scale(bceWithLogits.backward(z, t), z.size)],
  [
    "softmax divided by elements, not by rows",
    softmaxCrossEntropy,
    (z, t) => scale(softmaxCrossEntropy.backward(z, t), 1 / z.shape[1]),
  ],
  ["softmax of another row", softmaxCrossEntropy, (z, t) => {
    const upsideDown = gatherRows(z, Tensor.from(z.device, Uint32Array.from({ length: 7 }, (_, i) => 6 - i)));
    return softmaxCrossEntropy.backward(upsideDown, t);
  }],
];

/** A bug in the gradient of the input: in a layer, or in a loss without layers. */
const inLayer = (bug: string, layer: Layer): Planted => ({ bug, layers: [layer], wrong: ["input"] });
const inLoss = (bug: string, loss: Loss): Planted => ({ bug, layers: [], loss, wrong: ["input"] });

const otherGpuBugs: Planted[] = [
  inLayer("ReLU passes everything back", withBackward(new ReLU(), (d) => scale(d, 1))),
  inLayer("Sigmoid without 1 - s", withBackward(new Sigmoid(), (dOut, s) => multiply(dOut, s))),
  ...lossTable.map(([bug, loss, backward]) => inLoss(bug, { ...loss, backward })),
  ...[mse, bceWithLogits, softmaxCrossEntropy].map((loss) =>
    inLoss(`${loss.kind} in one pass with its sign flipped`, withFused(loss, (d) => scale(d, -1)))
  ),
];

/** A loss that is sound but in its fused pass. */
function withFused(loss: Loss, spoil: (dPrediction: Tensor) => Tensor): Loss {
  return {
    ...loss,
    forwardBackward: (p, t) => {
      const { loss: value, dPrediction } = loss.forwardBackward(p, t);
      return { loss: value, dPrediction: spoil(dPrediction) };
    },
  };
}

const negated = (m: Matrix) => m.map((v) => -v);

const twinTable: [bug: string, wrong: string[], spoil: TwinBug][] = [
  ["sign of dWeight", ["0.weight"], (l) => void (l.gradients[0] = negated(l.gradients[0]))],
  ["sign of dBias", ["0.bias"], (l) => void (l.gradients[1] = negated(l.gradients[1]))],
  ["sign of dX", ["input"], (_l, _x, _d, dX) => negated(dX)],
  ["dX without the transpose", ["input"], (l, _, d) => reference.matmul(d, l.parameters[0])],
  ["dWeight transposed", ["0.weight"], (l, x, d) => void (l.gradients[0] = reference.matmul(d, x, true))],
  [
    "dBias averaged, not summed",
    ["0.bias"],
    (l, _, d) => void (l.gradients[1] = l.gradients[1].map((v) => v / d.rows)),
  ],
  ["dBias of one row", ["0.bias"], (l, _, d) => void (l.gradients[1] = l.gradients[1].map((_v, j) => d.data[j]))],
];
const twinBugs: Planted[] = twinTable.map(([bug, wrong, spoil]) => ({
  bug,
  wrong,
  layers: [withBuggyTwin(new Linear(SIZE, SIZE), spoil)],
}));

/** A loss, sound on the GPU, whose float64 gradient is multiplied by something it should not be. */
function withBuggyGradient(loss: Loss, factor: (n: number) => number): Loss {
  const backward: Loss["reference"]["backward"] = (p, t) =>
    loss.reference.backward(p, t).map((v) => v * factor(p.data.length));
  return { ...loss, reference: { ...loss.reference, backward } };
}

const lossTwinTable: [bug: string, loss: Loss, factor: (n: number) => number][] = [
  ["mse without the 2", mse, () => 0.5],
  ["mse without 1 / n", mse, (n) => n],
  ["mse without 2 / n", mse, (n) => n / 2],
  ["mse with its sign flipped", mse, () => -1],
  ["bce without 1 / n", bceWithLogits, (n) => n],
  ["bce with its sign flipped", bceWithLogits, () => -1],
  ["softmax without 1 / rows", softmaxCrossEntropy, (n) => n / SIZE],
];
const sumsForOne: Loss["reference"]["backward"] = (z, t) =>
  reference.softmax(z).map((s, i) => (s - t.data[i]) / z.rows);

const otherTwinBugs: Planted[] = [
  inLayer("ReLU passes everything back", withBuggyTwin(new ReLU(), (_l, _x, d) => d)),
  inLayer("Sigmoid without its slope", withBuggyTwin(new Sigmoid(), (_l, _x, d) => d)),
  ...lossTwinTable.map(([bug, loss, factor]) => inLoss(bug, withBuggyGradient(loss, factor))),
  inLoss("softmax that takes every target's sum for 1", {
    ...softmaxCrossEntropy,
    reference: { ...softmaxCrossEntropy.reference, backward: sumsForOne },
  }),
];

const SIDES = [
  ["GPU", [...gpuBugs, ...otherGpuBugs]],
  ["float64", [...twinBugs, ...otherTwinBugs]],
] as const;

for (const [side, planted] of SIDES) {
  for (const { bug, layers, loss = mse, wrong } of planted) {
    gpuTest(`checkGradients() catches on the ${side} side: ${bug}`, async (device) => {
      const checks = await checkGradients(device, { name: "planted", layers, loss, inputs: SIZE }, 3);
      assertEquals(checks.filter(({ ok }) => !ok).map(({ name }) => name), wrong);
      for (const { name, finiteDifference, gpu } of checks) {
        // The two questions are kept apart: a bug on the GPU leaves the float64 side right.
        assert(side === "float64" || finiteDifference < 1e-7, `${name}: ${finiteDifference}`);
        assert(gpu < 1e-5 === !wrong.includes(name), `${name}: ${gpu}`);
        if (side === "float64") {
          assert(finiteDifference < 1e-7 === !wrong.includes(name), `${name}: ${finiteDifference}`);
        }
      }
    });
  }
}

gpuTest("checkGradients() catches a bug that both sides share, by finite differences", async (device) => {
  const flipped = withBuggyGradient(mse, () => -1);
  const halved = withBuggyGradient(mse, () => 0.5);
  const shared: [Layer[], Loss, string[]][] = [
    [[], { ...withFused(flipped, (d) => scale(d, -1)), backward: (p, t) => scale(mse.backward(p, t), -1) }, ["input"]],
    [[], { ...withFused(halved, (d) => scale(d, 0.5)), backward: (p, t) => scale(mse.backward(p, t), 0.5) }, ["input"]],
    [
      [withBuggyTwin(
        new BuggyLinear((l, _, d) => matmul(d, l.weight.value)),
        (l, _, d) => reference.matmul(d, l.parameters[0]),
      )],
      mse,
      ["input"],
    ],
    [
      [withBuggyTwin(
        new BuggyLinear((l, _, d) => void mean(d, 0, { out: l.bias.grad })),
        (l, _, d) => void (l.gradients[1] = l.gradients[1].map((v) => v / d.rows)),
      )],
      mse,
      ["0.bias"],
    ],
  ];
  for (const [layers, loss, wrong] of shared) {
    const checks = await checkGradients(device, { name: "planted", layers, loss, inputs: SIZE }, 3);
    assertEquals(checks.filter(({ ok }) => !ok).map(({ name }) => name), wrong);
    assert(checks.every(({ gpu }) => gpu < 1e-5));
  }
});

gpuTest("checkGradients() passes the same network without a bug", async (device) => {
  const sound: [Layer[], Loss][] = [
    [[new BuggyLinear(() => {})], mse],
    [[withBuggyTwin(new Linear(SIZE, SIZE), () => {})], mse],
    [[withBackward(new Sigmoid(), (dOut, s) => multiply(dOut, subtract(s, multiply(s, s))))], bceWithLogits],
    [[], { ...mse, backward: (p, t) => scale(subtract(p, t), 2 / p.size) }],
    [[], withBuggyGradient(bceWithLogits, () => 1)],
    [[], withBuggyGradient(softmaxCrossEntropy, () => 1)],
  ];
  for (const [layers, loss] of sound) {
    const checks = await checkGradients(device, { name: "planted", layers, loss, inputs: SIZE }, 3);
    assert(checks.every(({ ok }) => ok), JSON.stringify(checks));
  }
});

gpuTest("checkGradients() catches a gradient that is NaN, on either side", async (device) => {
  const nan = (x: Tensor) => scale(x, NaN);
  for (
    const layers of [
      [withBackward(new ReLU(), nan)],
      [withBuggyTwin(new ReLU(), (_l, _x, d) => d.map(() => NaN))],
    ]
  ) {
    const [check] = await checkGradients(device, { name: "planted", layers, loss: mse, inputs: SIZE }, 3);
    assertEquals([check.name, check.ok], ["input", false]);
  }
});

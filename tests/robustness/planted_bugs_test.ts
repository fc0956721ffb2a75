/** Mistakes that people make in a backward pass, planted on the GPU's side and on the float64 side: each must be caught. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Layer, Linear, ReLU, Sigmoid } from "../../lib/core/layers.ts";
import { bceWithLogits, type Loss, mse, softmaxCrossEntropy } from "../../lib/core/losses.ts";
import { add, addBiasBackward, matmul, mean, multiply, scale, subtract, sum } from "../../lib/arithmetic/ops.ts";
import { gatherRows } from "../../lib/training/recorded_rows.ts";
import * as reference from "../../lib/reference/mod.ts";
import type { Matrix, ReferenceLayer } from "../../lib/reference/mod.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { gpuTest } from "../support/gpu_test_case.ts";
import { checkPlanted, type Seen, withBug, wrongGradients } from "../support/planted.ts";

/** A bug, the line of the check that must not be ok, and what it is planted in. */
type Planted = [bug: string, wrong: string, layers: Layer[], loss?: Loss];

/** Square, so that a forgotten transpose still fits. */
const SIZE = 4;

/** A bug overwrites gradients that are sound, or returns another dX. */
type Bug<T, L> = (layer: L, x: T, dOut: T, dX: T) => T | void;

/** A backward that is sound, then changed by a bug. */
function changed<T, L>(bug: Bug<T, L>): (seen: Seen<T, L>) => T {
  return ({ x, dOut, layer, backward }) => {
    const dX = backward(dOut);
    return bug(layer, x, dOut, dX) ?? dX;
  };
}

/** A loss that is sound but in its fused pass, whose gradient is multiplied by something it should not be. */
function withFused(loss: Loss, factor: number): Loss {
  return {
    ...loss,
    forwardBackward: (p, t) => {
      const { loss: value, dPrediction } = loss.forwardBackward(p, t);
      return { loss: value, dPrediction: scale(dPrediction, factor) };
    },
  };
}

/** A loss, sound on the GPU, whose float64 gradient is multiplied by something it should not be. */
function withBuggyGradient(loss: Loss, factor: (n: number) => number): Loss {
  const backward: Loss["reference"]["backward"] = (p, t) =>
    loss.reference.backward(p, t).map((v) => v * factor(p.data.length));
  return { ...loss, reference: { ...loss.reference, backward } };
}

const toWeight = ({ parameters: [weight] }: Layer, x: Tensor, d: Tensor) =>
  void matmul(x, d, { transposeA: true, out: weight.grad });
const toBias = ({ parameters: [_, bias] }: Layer) => ({ out: bias.grad });

const inLinear = (bug: string, wrong: string, spoil: Bug<Tensor, Layer>): Planted => {
  return [bug, wrong, [withBug(new Linear(SIZE, SIZE), { gpu: changed(spoil) })]];
};
const inLoss = (bug: string, loss: Loss, backward: Loss["backward"]): Planted => [bug, "input", [], {
  ...loss,
  backward,
}];

const ON_GPU: Planted[] = [
  inLinear("sign of dWeight", "0.weight", (l, x, d) => toWeight(l, scale(x, -1), d)),
  inLinear("sign of dBias", "0.bias", (l, _, d) => void sum(scale(d, -1), 0, toBias(l))),
  inLinear("sign of dX", "input", (_l, _x, _d, dX) => scale(dX, -1)),
  inLinear("dX without the transpose", "input", (l, _, d) => matmul(d, l.parameters[0].value)),
  inLinear("dWeight transposed", "0.weight", (l, x, d) => toWeight(l, d, x)),
  inLinear("dBias averaged, not summed", "0.bias", (l, _, d) => void mean(d, 0, toBias(l))),
  inLinear("dBias of one row", "0.bias", (l, _, d) => void scale(d.view(0, [SIZE]), 1, toBias(l))),
  inLinear("dWeight twice too large", "0.weight", (l, x, d) => toWeight(l, add(x, x), d)),
  inLinear("dBias left at 0", "0.bias", (l, _, d) => void addBiasBackward(subtract(d, d), toBias(l))),
  ["ReLU passes everything back", "input", [withBug(new ReLU(), { gpu: ({ dOut }) => scale(dOut, 1) })]],
  ["Sigmoid without 1 - s", "input", [withBug(new Sigmoid(), { gpu: ({ dOut, y }) => multiply(dOut, y) })]],
  inLoss("mse without the 2", mse, (p, t) => scale(subtract(p, t), 1 / p.size)),
  inLoss("mse without 1 / n", mse, (p, t) => scale(subtract(p, t), 2)),
  inLoss("mse divided by rows, not by elements", mse, (p, t) => scale(subtract(p, t), 2 / p.shape[0])),
  inLoss("mse with its sign flipped", mse, (p, t) => scale(mse.backward(p, t), -1)),
  inLoss("bce without 1 / n", bceWithLogits, (z, t) => scale(bceWithLogits.backward(z, t), z.size)),
  inLoss("softmax divided by elements, not by rows", softmaxCrossEntropy, (z, t) => {
    return scale(softmaxCrossEntropy.backward(z, t), 1 / z.shape[1]);
  }),
  inLoss("softmax of another row", softmaxCrossEntropy, (z, t) => {
    const upsideDown = gatherRows(z, Tensor.from(z.device, Uint32Array.from({ length: 7 }, (_, i) => 6 - i)));
    return softmaxCrossEntropy.backward(upsideDown, t);
  }),
  ...[mse, bceWithLogits, softmaxCrossEntropy].map((loss): Planted => {
    return [`${loss.kind} in one pass with its sign flipped`, "input", [], withFused(loss, -1)];
  }),
];

const negated = (m: Matrix) => m.map((v) => -v);
type InTwin = Bug<Matrix, ReferenceLayer>;
const averaged: InTwin = (l, _, d) => void (l.gradients[1] = l.gradients[1].map((v) => v / d.rows));
const untransposed: InTwin = (l, _, d) => reference.matmul(d, l.parameters[0]);
const inTwin = (bug: string, wrong: string, spoil: InTwin, layer: Layer = new Linear(SIZE, SIZE)): Planted => {
  return [bug, wrong, [withBug(layer, { twin: changed(spoil) })]];
};
const inGradient = (bug: string, loss: Loss, factor: (n: number) => number): Planted => {
  return [bug, "input", [], withBuggyGradient(loss, factor)];
};
const sumsForOne: Loss["reference"]["backward"] = (z, t) =>
  reference.softmax(z).map((s, i) => (s - t.data[i]) / z.rows);

const IN_FLOAT64: Planted[] = [
  inTwin("sign of dWeight", "0.weight", (l) => void (l.gradients[0] = negated(l.gradients[0]))),
  inTwin("sign of dBias", "0.bias", (l) => void (l.gradients[1] = negated(l.gradients[1]))),
  inTwin("sign of dX", "input", (_l, _x, _d, dX) => negated(dX)),
  inTwin("dX without the transpose", "input", untransposed),
  inTwin("dWeight transposed", "0.weight", (l, x, d) => void (l.gradients[0] = reference.matmul(d, x, true))),
  inTwin("dBias averaged, not summed", "0.bias", averaged),
  inTwin("dBias of one row", "0.bias", (l, _, d) => void (l.gradients[1] = l.gradients[1].map((_v, j) => d.data[j]))),
  inTwin("ReLU passes everything back", "input", (_l, _x, d) => d, new ReLU()),
  inTwin("Sigmoid without its slope", "input", (_l, _x, d) => d, new Sigmoid()),
  inGradient("mse without the 2", mse, () => 0.5),
  inGradient("mse without 1 / n", mse, (n) => n),
  inGradient("mse without 2 / n", mse, (n) => n / 2),
  inGradient("mse with its sign flipped", mse, () => -1),
  inGradient("bce without 1 / n", bceWithLogits, (n) => n),
  inGradient("bce with its sign flipped", bceWithLogits, () => -1),
  inGradient("softmax without 1 / rows", softmaxCrossEntropy, (n) => n / SIZE),
  ["softmax that takes every target's sum for 1", "input", [], {
    ...softmaxCrossEntropy,
    reference: { ...softmaxCrossEntropy.reference, backward: sumsForOne },
  }],
];

for (const [side, planted] of [["GPU", ON_GPU], ["float64", IN_FLOAT64]] as const) {
  for (const [bug, wrong, layers, loss] of planted) {
    gpuTest(`checkGradients() catches on the ${side} side: ${bug}`, async (device) => {
      const checks = await checkPlanted(device, layers, loss);
      assertEquals(checks.filter(({ ok }) => !ok).map(({ name }) => name), [wrong]);
      for (const { name, finiteDifference, gpu, wrongSide } of checks) {
        assertEquals(wrongSide, name === wrong ? side : undefined);
        // The two questions are kept apart: a bug on the GPU leaves the float64 side right.
        const isRight = side === "GPU" || name !== wrong;
        assert(finiteDifference < 1e-7 === isRight, `${name}: ${finiteDifference}`);
        assert(gpu < 1e-5 === (name !== wrong), `${name}: ${gpu}`);
      }
    });
  }
}

/** What the check says of the bugs that both sides share. */
const CAUSES: Record<string, RegExp> = {
  flipped: /the sign is flipped/,
  halved: /a factor of 2 is missing/,
  "dX without the transpose": /^$/, // the transpose is of the weight, not of dX
  "dBias averaged": /1\/n is too many/,
};

gpuTest("checkGradients() catches a bug that both sides share, by finite differences", async (device) => {
  const scaled = (factor: number): Loss => ({
    ...withFused(withBuggyGradient(mse, () => factor), factor),
    backward: (p, t) => scale(mse.backward(p, t), factor),
  });
  const linear = (gpu: Bug<Tensor, Layer>, twin: InTwin) =>
    withBug(new Linear(SIZE, SIZE), { gpu: changed(gpu), twin: changed(twin) });
  const shared: Planted[] = [
    ["flipped", "input", [], scaled(-1)],
    ["halved", "input", [], scaled(0.5)],
    ["dX without the transpose", "input", [linear((l, _, d) => matmul(d, l.parameters[0].value), untransposed)]],
    ["dBias averaged", "0.bias", [linear((l, _, d) => void mean(d, 0, toBias(l)), averaged)]],
  ];
  for (const [bug, wrong, layers, loss] of shared) {
    const checks = await checkPlanted(device, layers, loss);
    assertEquals(checks.filter(({ ok }) => !ok).map(({ name }) => name), [wrong], bug);
    const { wrongSide, cause = "" } = checks.find(({ name }) => name === wrong)!;
    assertEquals(wrongSide, "both", bug);
    assertMatch(cause, CAUSES[bug], bug);
    assert(checks.every(({ gpu }) => gpu < 1e-5));
  }
});

gpuTest("checkGradients() passes the same network without a bug", async (device) => {
  const sound: [Layer[], Loss][] = [
    [[withBug(new Linear(SIZE, SIZE), { gpu: changed((_l, _x, _d, dX) => dX) })], mse],
    [[withBug(new Linear(SIZE, SIZE), { twin: changed((_l, _x, _d, dX) => dX) })], mse],
    [[withBug(new Sigmoid(), { gpu: ({ dOut, y }) => multiply(dOut, subtract(y, multiply(y, y))) })], bceWithLogits],
    [[], { ...mse, backward: (p, t) => scale(subtract(p, t), 2 / p.size) }],
    [[], withBuggyGradient(bceWithLogits, () => 1)],
    [[], withBuggyGradient(softmaxCrossEntropy, () => 1)],
  ];
  for (const [layers, loss] of sound) {
    assertEquals(await wrongGradients(device, layers, loss), []);
  }
});

gpuTest("checkGradients() catches a gradient that is NaN, on either side", async (device) => {
  const onGpu = withBug(new ReLU(), { gpu: ({ dOut }) => scale(dOut, NaN) });
  const inTwin = withBug(new ReLU(), { twin: ({ dOut }) => dOut.map(() => NaN) });
  for (const layer of [onGpu, inTwin]) assertEquals(await wrongGradients(device, [layer]), ["input"]);
});

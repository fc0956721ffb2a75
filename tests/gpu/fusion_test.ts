import { assert, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { type ActivationName, ACTIVATIONS, Dropout, Linear } from "../../lib/core/layers.ts";
import { bceWithLogits, type Loss, mse, softmaxCrossEntropy } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { addBias, matmul, relu, reluBackward, sum, tanh, tanhBackward } from "../../lib/arithmetic/ops.ts";
import { Random } from "../../lib/base/random.ts";
import * as reference from "../../lib/reference/mod.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { assertClose } from "../support/assert_close.ts";
import { gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";

const TOLERANCE = { rtol: 1e-4, atol: 1e-6 };

/**
 * Layers by the widths between which a Linear goes, large enough for blocked products, some a multiple of four and some not;
 * and what follows each Linear.
 */
const networks: [name: string, rows: number, loss: Loss, widths: number[], between: string[]][] = [
  ["relu, odd widths", 41, mse, [43, 47, 45], ["relu"]],
  ["relu, widths by four", 40, softmaxCrossEntropy, [48, 52, 44, 40], ["relu", "relu"]],
  ["sigmoid, odd widths", 39, bceWithLogits, [43, 49, 47, 41], ["sigmoid", "sigmoid"]],
  ["tanh, odd widths", 39, mse, [43, 49, 47, 41], ["tanh", "tanh", "tanh"]],
  ["tanh, widths by four, and what is not fused", 40, softmaxCrossEntropy, [44, 48, 52, 44, 48, 40], [
    "tanh dropout",
    "tanh relu",
    "gelu",
    "leaky-relu",
  ]],
  ["activations last, and one behind the other", 42, mse, [44, 48, 44], ["relu sigmoid", "relu"]],
];

const make = (name: string) => name === "dropout" ? new Dropout(0) : ACTIVATIONS[name as ActivationName]();

for (const products of ["blocks", "tiles"] as const) {
  Deno.test(`a fused step in ${products} has the loss and the gradients of the float64 model`, async (t) => {
    // One for all: it compiles each kernel once.
    using device = await Device.request({ products });
    for (const network of networks) await t.step(network[0], () => checkFusedStep(device, network));
  });
}

async function checkFusedStep(
  device: Device,
  [_, rows, loss, widths, between]: typeof networks[number],
): Promise<void> {
  const layers = widths.slice(1).flatMap((width, i) => [
    new Linear(widths[i], width),
    ...(between[i]?.split(" ") ?? []).map(make),
  ]);
  using model = new Model(device, layers, { random: new Random(3, "weights") });
  for (const { parameter: { shape, value } } of model.parameters) {
    if (shape.length === 1) value.write(Float32Array.from({ length: shape[0] }, (_, i) => Math.sin(i) / 2));
  }
  const x = randomMatrix(rows, widths[0], 1);
  const target = randomMatrix(rows, widths.at(-1)!, 2).map((v) => Math.fround(Math.abs(v) / 3));
  const twin = await model.reference(loss.reference);
  const expected = twin.backward(x, target);
  using input = upload(device, x);
  using wanted = upload(device, target);
  let lossValue!: Tensor;
  let dX!: Tensor;
  const step = () => {
    const { loss: value, dPrediction } = loss.forwardBackward(model.forward(input), wanted);
    lossValue = value;
    dX = model.backward(dPrediction, { wantDX: true })!;
  };
  using plain = device.record(step);
  using fused = device.record(step, { fuse: true });
  assert(fused.length < plain.length, `${fused.length} dispatches fused, ${plain.length} as they are`);
  for (let time = 0; time < 2; time++) {
    fused.replay();
    assertClose([...await lossValue.read()], [expected.loss], TOLERANCE);
    assertClose([...await dX.read()], expected.dX.data, TOLERANCE);
    const gradients = Object.values(await model.readGradients());
    gradients.forEach((gradient, i) => assertClose(gradient, twin.gradients[i].data, TOLERANCE));
  }
}

Deno.test("matmul() in tiles is right on shapes that end within a tile, transposed or not", async () => {
  using device = await Device.request({ products: "tiles" });
  for (const [m, k, n] of [[1, 300, 300], [300, 300, 1], [65, 17, 67], [64, 64, 64], [129, 100, 31]]) {
    const a = randomMatrix(m, k, 1);
    const b = randomMatrix(k, n, 2);
    const expected = reference.matmul(a, b).data;
    for (const [transposeA, transposeB] of [[false, false], [true, false], [false, true], [true, true]]) {
      using left = upload(device, transposeA ? reference.transpose(a) : a);
      using right = upload(device, transposeB ? reference.transpose(b) : b);
      const { dispatches } = device.stats;
      using product = matmul(left, right, { transposeA, transposeB });
      assertEquals(device.stats.dispatches, dispatches + 1, "no packing");
      assertClose([...await product.read()], expected, { rtol: 1e-4, atol: 1e-5 });
    }
  }
});

const a = randomMatrix(40, 44, 1);
const b = randomMatrix(44, 48, 2);
const c = randomMatrix(1, 48, 3);
const z = reference.addBias(reference.matmul(a, b), c);

gpuTest("record() keeps every tensor unless it may fuse, and then those that something reads", async (device) => {
  using left = upload(device, a);
  using right = upload(device, b);
  using bias = upload(device, c, [48]);
  let product!: Tensor;
  let sums!: Tensor;
  let out!: Tensor;
  const body = () => {
    product = matmul(left, right);
    sums = addBias(product, bias);
    out = relu(sums);
  };
  using plain = device.record(body);
  plain.replay();
  assertClose([...await product.read()], reference.matmul(a, b).data, TOLERANCE);
  assertClose([...await sums.read()], z.data, TOLERANCE);
  assertClose([...await out.read()], reference.relu(z).data, TOLERANCE);
  const { buffers } = device.stats;
  using fused = device.record(body, { fuse: true });
  fused.replay();
  assertEquals(fused.length, device.products === "blocks" ? 3 : 1, "one product, whose operands blocks pack");
  assertClose([...await out.read()], reference.relu(z).data, TOLERANCE);
  assertThrows(() => sums.buffer, TypeError, "disposed of");
  fused.dispose();
  assertEquals(device.stats.buffers, buffers);
  let total!: Tensor;
  let dX!: Tensor;
  using reading = device.record(() => {
    body();
    total = sum(sums);
    dX = reluBackward(sums, out);
  }, { fuse: true });
  reading.replay();
  assertClose([...await total.read()], [z.data.reduce((a, b) => a + b)], TOLERANCE);
  assertClose([...await dX.read()], reference.relu(z).data, TOLERANCE);
});

gpuTest("a matrix is packed again after something has written to it", async (device) => {
  const a = randomMatrix(44, 44, 1);
  const b = randomMatrix(44, 44, 2);
  using left = upload(device, a);
  using right = upload(device, b);
  for (const fuse of [false, true]) {
    left.write(Float32Array.from(a.data));
    let second!: Tensor;
    using recording = device.record(() => {
      relu(matmul(left, right), { out: left });
      second = matmul(left, right);
    }, { fuse });
    recording.replay();
    const once = reference.relu(reference.matmul(a, b));
    assertClose([...await left.read()], once.data, TOLERANCE);
    assertClose([...await second.read()], reference.matmul(once, b).data, TOLERANCE);
  }
});

Deno.test("a fused tanh gives what the plain one gives, NaN and infinities too, in blocks and in tiles", async () => {
  const rows = 40;
  const inner = 44;
  const columns = 48;
  const a = randomMatrix(rows, inner, 1).map((v) => v / 8);
  const strange = [NaN, Infinity, -Infinity, 3e38, -3e38, 1e-6];
  strange.forEach((v, i) => a.data[i * inner] = v); // the first element of the first rows
  const b = new reference.Matrix(inner, columns).map((_, i) => i % columns === Math.floor(i / columns) ? 1 : 0);
  for (const products of ["blocks", "tiles"] as const) {
    using device = await Device.request({ products });
    using left = upload(device, a);
    using right = upload(device, b);
    let y!: Tensor;
    let dX!: Tensor;
    using fused = device.record(() => {
      y = tanh(matmul(left, right));
      dX = tanhBackward(y, matmul(left, right));
    }, { fuse: true });
    fused.replay();
    assertEquals(fused.length, products === "blocks" ? 5 : 2, "two products; blocks pack their operands");
    // A row with a NaN or an infinity, times the identity, is NaN wherever 0 meets it.
    const z = reference.matmul(a, b);
    const expected = reference.tanh(z);
    assertClose([...await y.read()], expected.data, { rtol: 1e-6, atol: 1e-7 });
    assertClose([...await dX.read()], reference.tanhBackward(expected, z).data, { rtol: 1e-5, atol: 1e-6 });
  }
});

for (const products of ["blocks", "tiles"] as const) {
  Deno.test(`several products in ${products} do not see each other's numbers, whatever these are`, async () => {
    using device = await Device.request({ products });
    const sound = randomMatrix(17, 18, 1);
    const other = randomMatrix(18, 19, 2);
    const expected = reference.matmul(sound, other).data;
    const spoiled = (values: ArrayLike<number>) => Array<number>(values.length).fill(Infinity);
    for (const [transposeA, transposeB] of [[false, false], [true, false], [false, true]]) {
      const left = (transposeA ? reference.transpose(sound) : sound).data;
      const right = (transposeB ? reference.transpose(other) : other).data;
      // Those before and after it are infinite: a zero times them would be NaN.
      const stacked = (own: ArrayLike<number>) => [...spoiled(own), ...Array.from(own), ...spoiled(own)];
      using a = Tensor.from(device, stacked(left), [3 * (transposeA ? 18 : 17), transposeA ? 17 : 18]);
      using b = Tensor.from(device, stacked(right), [3 * (transposeB ? 19 : 18), transposeB ? 18 : 19]);
      using product = matmul(a, b, { transposeA, transposeB, groups: 3 });
      assertClose((await product.read()).subarray(17 * 19, 2 * 17 * 19), expected, TOLERANCE);
    }
  });
}

const dropoutWidths = [["blocks", 44], ["tiles", 43]] as const;
for (const [products, width] of dropoutWidths) {
  Deno.test(`dropout joins the products around it in ${products}, and masks as it does alone`, async () => {
    using device = await Device.request({ products });
    const members = 2;
    const layers = [
      new Linear(5, width, { members }),
      ACTIVATIONS.relu(),
      new Dropout(0.4, { seed: 3 }),
      new Linear(width, 6, { members }),
    ];
    using model = new Model(device, layers, { random: new Random(3, "weights") });
    using x = upload(device, randomMatrix(members * 21, 5, 1));
    using target = upload(device, randomMatrix(members * 21, 6, 2));
    const step = () => void model.backward(mse.backward(model.forward(x, { training: true }), target));
    using plain = device.record(step);
    using fused = device.record(step, { fuse: true });
    plain.replay();
    const expected = await model.readGradients();
    (layers[2] as Dropout).seek(0);
    model.gradients.write(new Float32Array(model.gradients.size).fill(NaN));
    fused.replay();
    const found = await model.readGradients();
    for (const [name, values] of Object.entries(expected)) assertClose([...found[name]], [...values], TOLERANCE);
    // Without fusion: dropout twice, a bias, an activation, their backwards.
    assert(fused.length <= plain.length - 7, `${fused.length} of ${plain.length}`);
  });
}

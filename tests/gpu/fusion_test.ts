import { assert, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { Dropout, GELU, type Layer, LeakyReLU, Linear, ReLU, Sigmoid, Tanh } from "../../lib/core/layers.ts";
import { bceWithLogits, type Loss, mse, softmaxCrossEntropy } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { addBias, matmul, relu, reluBackward, sum, tanh, tanhBackward } from "../../lib/core/ops.ts";
import { Random } from "../../lib/base/random.ts";
import * as reference from "../../lib/reference/mod.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { assertClose } from "../support/assert_close.ts";
import { gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";

const TOLERANCE = { rtol: 1e-4, atol: 1e-6 };

/** Widths large enough for blocked products, some rows a multiple of four long and some not. */
const networks: { name: string; layers: () => Layer[]; inputs: number; loss: Loss; rows: number }[] = [
  {
    name: "relu, odd widths",
    layers: () => [new Linear(43, 47), new ReLU(), new Linear(47, 45)],
    inputs: 43,
    loss: mse,
    rows: 41,
  },
  {
    name: "relu, widths by four",
    layers: () => [new Linear(48, 52), new ReLU(), new Linear(52, 44), new ReLU(), new Linear(44, 40)],
    inputs: 48,
    loss: softmaxCrossEntropy,
    rows: 40,
  },
  {
    name: "sigmoid, odd widths",
    layers: () => [new Linear(43, 49), new Sigmoid(), new Linear(49, 47), new Sigmoid(), new Linear(47, 41)],
    inputs: 43,
    loss: bceWithLogits,
    rows: 39,
  },
  {
    name: "tanh, odd widths",
    layers: () => [new Linear(43, 49), new Tanh(), new Linear(49, 47), new Tanh(), new Linear(47, 41), new Tanh()],
    inputs: 43,
    loss: mse,
    rows: 39,
  },
  {
    name: "tanh, widths by four, and what is not fused",
    layers: () => [
      new Linear(44, 48),
      new Tanh(),
      new Dropout(0),
      new Linear(48, 52),
      new Tanh(),
      new ReLU(),
      new Linear(52, 44),
      new GELU(),
      new Linear(44, 48),
      new LeakyReLU(),
      new Linear(48, 40),
    ],
    inputs: 44,
    loss: softmaxCrossEntropy,
    rows: 40,
  },
  {
    name: "activations last, and one behind the other",
    layers: () => [new Linear(44, 48), new ReLU(), new Sigmoid(), new Linear(48, 44), new ReLU()],
    inputs: 44,
    loss: mse,
    rows: 42,
  },
];

const cases = (["blocks", "tiles"] as const).flatMap((products) =>
  networks.map((network) => ({ products, ...network }))
);

for (const { products, name, layers, inputs, loss, rows } of cases) {
  Deno.test(`a fused step in ${products} has the loss and the gradients of the float64 model: ${name}`, async () => {
    using device = await Device.request({ products });
    using model = new Model(device, layers(), { random: new Random(3, "weights") });
    for (const { parameter: { shape, value } } of model.parameters) {
      if (shape.length === 1) value.write(Float32Array.from({ length: shape[0] }, (_, i) => Math.sin(i) / 2));
    }
    const x = randomMatrix(rows, inputs, 1);
    const outputs = model.parameters.at(-1)!.parameter.shape[0];
    const target = randomMatrix(rows, outputs, 2).map((v) => Math.fround(Math.abs(v) / 3));
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
    const plainLength = plain.length;
    using fused = device.record(step, { fuse: true });
    assert(fused.length < plainLength, `${fused.length} dispatches fused, ${plainLength} as they are`);
    for (let time = 0; time < 2; time++) {
      fused.replay();
      assertClose([...await lossValue.read()], [expected.loss], TOLERANCE);
      assertClose([...await dX.read()], expected.dX.data, TOLERANCE);
      const gradients = Object.values(await model.readGradients());
      gradients.forEach((gradient, i) => assertClose(gradient, twin.gradients[i].data, TOLERANCE));
    }
  });
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

gpuTest("record() keeps every tensor readable unless it may fuse", async (device) => {
  const a = randomMatrix(40, 44, 1);
  const b = randomMatrix(44, 48, 2);
  const c = randomMatrix(1, 48, 3);
  using left = upload(device, a);
  using right = upload(device, b);
  using bias = Tensor.from(device, Float32Array.from(c.data));
  const z = reference.addBias(reference.matmul(a, b), c);
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
  assertEquals(fused.length, 1, "one product; copies pack its operands");
  assertClose([...await out.read()], reference.relu(z).data, TOLERANCE);
  assertThrows(() => sums.buffer, TypeError, "disposed of");
  fused.dispose();
  assertEquals(device.stats.buffers, buffers);
});

gpuTest("a fused recording writes an intermediate result that something else reads", async (device) => {
  const a = randomMatrix(40, 44, 1);
  const b = randomMatrix(44, 48, 2);
  const c = randomMatrix(1, 48, 3);
  using left = upload(device, a);
  using right = upload(device, b);
  using bias = Tensor.from(device, Float32Array.from(c.data));
  const z = reference.addBias(reference.matmul(a, b), c);
  let total!: Tensor;
  let dX!: Tensor;
  using fused = device.record(() => {
    const sums = addBias(matmul(left, right), bias);
    const out = relu(sums);
    total = sum(sums);
    dX = reluBackward(sums, out);
  }, { fuse: true });
  fused.replay();
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
    assertEquals(fused.length, 2, products);
    // A row with a NaN or an infinity, times the identity, is NaN wherever 0 meets it.
    const z = reference.matmul(a, b);
    const expected = reference.tanh(z);
    assertClose([...await y.read()], expected.data, { rtol: 1e-6, atol: 1e-7 });
    assertClose([...await dX.read()], reference.tanhBackward(expected, z).data, { rtol: 1e-5, atol: 1e-6 });
  }
});

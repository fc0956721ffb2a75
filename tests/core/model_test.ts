import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Layer, Linear, ReLU, Sigmoid } from "../../lib/core/layers.ts";
import { bceWithLogits, type Loss, mse } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { assertClose } from "../support/assert_close.ts";
import { compute, gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";

gpuTest("a Model lays its parameters out in two flat buffers, aligned and named by layer", async (device) => {
  using model = new Model(device, [new Linear(3, 70), new ReLU(), new Linear(70, 2)]);
  const step = device.limits.minStorageBufferOffsetAlignment / 4;
  assertEquals(model.parameters.map(({ name }) => name), ["0.weight", "0.bias", "2.weight", "2.bias"]);
  let offset = 0;
  for (const { parameter: { shape, value, grad } } of model.parameters) {
    assertEquals([value.shape, grad.shape], [shape, shape]);
    assertEquals([value.byteOffset, grad.byteOffset], [offset * 4, offset * 4]);
    assert(value.buffer === model.values.buffer && grad.buffer === model.gradients.buffer);
    offset += Math.ceil(value.size / step) * step;
  }
  assertEquals([model.values.shape, model.gradients.shape], [[offset], [offset]]);
  assert(model.values.buffer !== model.gradients.buffer);
  // Between the parameters there is nothing: a norm over the whole buffer is that of the parameters.
  const sum = (values: Float32Array) => values.reduce((total, value) => total + value * value, 0);
  const parts = Object.values(await model.read()).reduce((total, part) => total + sum(part), 0);
  assertClose([sum(await model.values.read() as Float32Array)], [parts]);
});

gpuTest("forward() and backward() agree with the float64 model", async (device) => {
  const networks: [Layer[], Loss, number, number][] = [
    [[new Linear(3, 4)], mse, 3, 5],
    [[new Linear(3, 65), new ReLU(), new Linear(65, 7), new Sigmoid(), new Linear(7, 2)], mse, 3, 33],
    [[new ReLU(), new Linear(5, 1)], bceWithLogits, 5, 65],
    [[new Sigmoid()], mse, 3, 4],
    [[], bceWithLogits, 2, 3],
  ];
  for (const [layers, loss, inputs, batch] of networks) {
    using model = new Model(device, layers);
    const twin = await model.reference(loss.reference);
    const input = randomMatrix(batch, inputs, 1);
    const output = twin.forward(input);
    const goal = output.map((_, i) => loss === mse ? Math.sin(i) : i % 2);
    using x = upload(device, input);
    using target = upload(device, goal);
    using dX = device.tidy(() => {
      const prediction = model.forward(x);
      return model.backward(loss.backward(prediction, target), { wantDX: true })!;
    });
    const expected = twin.backward(input, goal);
    assertClose(await dX.read(), expected.dX.data, { rtol: 1e-4, atol: 1e-6 });
    const gradients = Object.values(await model.readGradients());
    gradients.forEach((actual, i) => assertClose(actual, twin.gradients[i].data, { rtol: 1e-4, atol: 1e-6 }));
    assertEquals(gradients.length, twin.gradients.length);
    assertClose(await compute(device, () => model.forward(x)), output.data, { rtol: 1e-5, atol: 1e-5 });
  }
});

gpuTest("backward() stops at the first layer with parameters unless dX is wanted", (device) => {
  using model = new Model(device, [new ReLU(), new Linear(2, 3), new ReLU()]);
  using x = Tensor.zeros(device, [4, 2]);
  const count = (wantDX: boolean) => {
    const { dispatches } = device.stats;
    const dX = device.tidy(() => model.backward(model.forward(x), { wantDX }));
    assertEquals(dX?.shape, wantDX ? [4, 2] : undefined);
    dX?.dispose();
    return device.stats.dispatches - dispatches;
  };
  assertEquals(count(true) - count(false), 2); // dX of the Linear and of the first ReLU
  using bare = new Model(device, [new ReLU()]);
  assertEquals(device.tidy(() => bare.backward(bare.forward(x))), undefined);
});

gpuTest("forward() and backward() show every tensor under its name", (device) => {
  using model = new Model(device, [new Linear(2, 3), new ReLU(), new Linear(3, 1), new Sigmoid()]);
  using x = Tensor.zeros(device, [4, 2]);
  const seen: string[] = [];
  const observe = (name: string, { shape }: Tensor) => seen.push(`${name} ${shape.join("x")}`);
  device.tidy(() => void model.backward(model.forward(x, { observe }), { observe }));
  const gradients = ["grad_weight_2 3x1", "grad_bias_2 1", "grad_weight_1 2x3", "grad_bias_1 3"];
  assertEquals(seen, ["z1 4x3", "a1 4x3", "z2 4x1", "a2 4x1", ...gradients]);
});

gpuTest("a Model refuses layers that do not fit, or twice, and inputs of another shape", (device) => {
  const { allocations } = device.stats;
  const relu = new ReLU();
  const apart = [new Linear(2, 3), new ReLU(), new Linear(4, 1)];
  const cases: [Layer[], ErrorConstructor, string][] = [
    [apart, TypeError, "Cannot feed 3 values a row to Linear [4, 1]: it takes 4"],
    [[new Linear(2 ** 16, 2 ** 16)], RangeError, "Cannot allocate a tensor [4295032832]: it takes 17180131328 bytes"],
    [[relu, relu], TypeError, "Cannot use one layer twice in a model"],
  ];
  for (const [layers, type, text] of cases) assertThrows(() => new Model(device, layers), type, text);
  assertEquals(device.stats.allocations, allocations, "before it allocates");
  using model = new Model(device, [new Linear(2, 3)]);
  using wide = Tensor.zeros(device, [4, 3]);
  using flat = Tensor.zeros(device, [2]);
  assertThrows(() => model.forward(wide), TypeError, "Cannot feed 3 values a row to Linear [2, 3]: it takes 2");
  assertThrows(() => model.forward(flat), TypeError, "Cannot feed [2] to Linear: need [batch, in]");
});

gpuTest("load() sets parameters by name, or lists every fault and changes nothing", async (device) => {
  using model = new Model(device, [new Linear(2, 1), new Linear(1, 2)]);
  const values = { "0.weight": [[1], [2]], "0.bias": [3], "1.weight": Float32Array.of(4, 5), "1.bias": [6, 7] };
  const wrong = { "0.weight": [9, 9], "0.bias": [1, 2], "1.weight": [[1], [2]], "2.weight": [1], momentum: 3 };
  model.load(values);
  assertEquals(
    assertThrows(() => model.load(wrong), TypeError).message,
    "Cannot load parameters: 2.weight is unknown; momentum is unknown; 0.bias is [2], need [1]; " +
      "1.weight is [2, 1], need [1, 2]; 1.bias [2] is missing",
  );
  assertEquals(await model.read(), {
    "0.weight": Float32Array.of(1, 2),
    "0.bias": Float32Array.of(3),
    "1.weight": Float32Array.of(4, 5),
    "1.bias": Float32Array.of(6, 7),
  });
  const twin = await model.reference(mse.reference);
  assertEquals(twin.parameters.map(({ data }) => [...data]), [[1, 2], [3], [4, 5], [6, 7]]);
  assertEquals(twin.loss, mse.reference);
});

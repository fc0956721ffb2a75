import { assertEquals, assertThrows } from "@std/assert";
import { ACTIVATIONS, type Layer, LeakyReLU, Linear, multilayerPerceptron, Parameter } from "../../lib/core/layers.ts";
import { Model } from "../../lib/core/model.ts";
import { readAll, Tensor } from "../../lib/core/tensor.ts";
import { assertClose } from "../support/assert_close.ts";
import { gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";

const activations = (): Layer[] => [...Object.values(ACTIVATIONS).map((make) => make()), new LeakyReLU({ slope: 0.3 })];

gpuTest("Linear agrees with values worked out by hand", async (device) => {
  const layer = new Linear(2, 3);
  using model = new Model(device, [layer]);
  model.load({ "0.weight": [[1, 2, 3], [4, 5, 6]], "0.bias": [10, 20, 30] });
  using x = Tensor.from(device, [[1, 0], [2, -1]]);
  using dOut = Tensor.from(device, [[1, 0, 2], [0, 3, -1]]);
  using y = device.tidy(() => layer.forward(x));
  using dX = device.tidy(() => layer.backward(dOut, true)!);
  assertEquals(y.shape, [2, 3]);
  assertEquals([...await y.read()], [11, 22, 33, 8, 19, 30]);
  assertEquals([...await dX.read()], [7, 16, 3, 9]);
  // weight: row 0 is 1 * dOut[0] + 2 * dOut[1], row 1 is -dOut[1].
  assertEquals([...await layer.weight.grad.read()], [1, 6, 0, 0, -3, 1]);
  assertEquals([...await layer.bias.grad.read()], [1, 3, 1]);
});

gpuTest("every layer agrees with its float64 twin, forward and backward, on odd shapes", async (device) => {
  for (const [batch, inputs, outputs] of [[1, 1, 1], [5, 7, 9], [63, 65, 3], [7, 3, 65]]) {
    for (const layer of [new Linear(inputs, outputs), ...activations()]) {
      using _model = new Model(device, [layer]);
      const twin = layer.reference();
      const out = layer.outputSize(inputs);
      layer.parameters.forEach(({ value, shape }, i) => {
        twin.parameters[i].data.set(randomMatrix(1, shape.reduce((a, b) => a * b), i).data);
        value.write(Float32Array.from(twin.parameters[i].data));
      });
      const input = randomMatrix(batch, inputs, 3);
      const gradient = randomMatrix(batch, out, 4);
      using x = upload(device, input);
      using dOut = upload(device, gradient);
      const results = device.tidy(() => [layer.forward(x), layer.backward(dOut, true)!]);
      const actual = await readAll([...results, ...layer.parameters.map(({ grad }) => grad)]);
      const expected = [twin.forward(input), twin.backward(gradient), ...twin.gradients];
      expected.forEach(({ data }, i) => assertClose(actual[i], data, { rtol: 1e-5, atol: 2e-5 }));
      for (const tensor of results) tensor.dispose();
    }
  }
});

gpuTest("Linear's backward leaves out dX where nobody wants it", (device) => {
  const layer = new Linear(2, 2);
  using _model = new Model(device, [layer]);
  using x = Tensor.zeros(device, [3, 2]);
  const { buffers, dispatches } = device.stats;
  device.tidy(() => {
    layer.forward(x);
    assertEquals(layer.backward(x, false), undefined);
  });
  assertEquals([device.stats.dispatches - dispatches, device.stats.buffers], [4, buffers]);
});

gpuTest("layers refuse backward before forward, and inputs of another width", (device) => {
  using x = Tensor.zeros(device, [1, 2]);
  for (const layer of [new Linear(2, 2), ...activations()]) {
    const text = `Cannot run ${layer.kind}'s backward before its forward`;
    assertThrows(() => layer.backward(x, true), TypeError, text);
  }
  const text = "Cannot feed 3 values a row to Linear [2, 5]: it takes 2";
  assertThrows(() => new Linear(2, 5).outputSize(3), TypeError, text);
  assertEquals([new Linear(2, 5), ...activations()].map((layer) => layer.outputSize(2)), [5, 2, 2, 2, 2, 2, 2]);
});

Deno.test("a Parameter is refused until a Model gave it its place", () => {
  const parameter = new Parameter("weight", [2, 2]);
  const text = "Cannot use parameter weight: its layer is in no Model yet";
  assertThrows(() => parameter.value, TypeError, text);
  assertThrows(() => parameter.grad, TypeError, text);
});

Deno.test("multilayerPerceptron() puts a ReLU, or the activation asked for, behind every hidden layer", () => {
  const describe = (layers: readonly Layer[]) =>
    layers.map((layer) => layer instanceof Linear ? layer.weight.shape.join("-") : layer.kind);
  assertEquals(describe(multilayerPerceptron(2, [8, 4], 1)), ["2-8", "ReLU", "8-4", "ReLU", "4-1"]);
  assertEquals(describe(multilayerPerceptron(3, [], 2)), ["3-2"]);
  const kinds = (name: string) =>
    multilayerPerceptron(2, [8, 4], 1, { activation: name as "relu" }).map(({ kind }) => kind).join();
  for (const [name, make] of Object.entries(ACTIVATIONS)) {
    const { kind } = make();
    assertEquals(kinds(name), `Linear,${kind},Linear,${kind},Linear`);
  }
  const names = ["relu", "leaky-relu", "tanh", "sigmoid", "gelu"] as const;
  assertEquals(names.map((name) => ACTIVATIONS[name]().kind), ["ReLU", "LeakyReLU", "Tanh", "Sigmoid", "GELU"]);
  const text = `Cannot build a network with activation "swish": choose one of ${Object.keys(ACTIVATIONS).join(", ")}`;
  assertThrows(() => kinds("swish"), RangeError, text);
});

Deno.test("LeakyReLU has a slope of 0.01 unless it is told another, and refuses one that is no number", () => {
  assertEquals([new LeakyReLU().settings, new LeakyReLU({ slope: 2 }).settings], [{ slope: 0.01 }, { slope: 2 }]);
  const text = "Cannot make a LeakyReLU of slope NaN: need a finite number";
  assertThrows(() => new LeakyReLU({ slope: NaN }), RangeError, text);
});

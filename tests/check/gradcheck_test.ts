import { assert, assertEquals, assertRejects } from "@std/assert";
import { checkGradients, gradientCases } from "../../lib/check/gradcheck.ts";
import { ACTIVATIONS, Linear, ReLU, Sigmoid } from "../../lib/core/layers.ts";
import { bceWithLogits, huber, mae, mse, softmaxCrossEntropy } from "../../lib/core/losses.ts";
import { scale } from "../../lib/arithmetic/ops.ts";
import type { Matrix, ReferenceLayer } from "../../lib/reference/mod.ts";
import { gpuTest } from "../support/gpu_test_case.ts";
import { type GpuBug, type TwinBug, withBug } from "../support/planted.ts";

// Under another seed doctor_test.ts checks them, in a process that counts no lines: counting takes most of the time here.
gpuTest("every gradient of the usual cases is right", async (device) => {
  for (const given of gradientCases([8])) {
    for (const { name, ok, finiteDifference, gpu } of await checkGradients(device, given, 0)) {
      assert(ok, `${given.name}, ${name}: ${finiteDifference}, ${gpu}`);
      // Far within the tolerances, which are no measure of the right answer.
      assert(finiteDifference < 1e-7 && gpu < 1e-4, `${given.name}, ${name}: ${finiteDifference}, ${gpu}`);
    }
  }
});

Deno.test("gradientCases() cover every layer, loss and operation, and hidden layers as asked", () => {
  const cases = gradientCases([7, 5]);
  const kinds = new Set(cases.flatMap(({ layers }) => layers.map(({ kind }) => kind)));
  const layers = [
    "Dropout",
    "Linear",
    "TableEmbedding",
    "ColumnDropout",
    ...Object.values(ACTIVATIONS).map((make) => make().kind),
  ];
  const operations = ["add", "subtract", "multiply", "divide", "exp", "log", "sqrt", "square", "softmax"];
  assertEquals(kinds, new Set([...layers, ...operations]));
  const losses = new Set(cases.map(({ loss }) => loss));
  const plain = [mse, mae, huber, bceWithLogits, softmaxCrossEntropy];
  assertEquals(plain.filter((loss) => !losses.has(loss)), []);
  const weighted = [...losses].filter((loss) => !plain.includes(loss)).map(({ kind }) => kind);
  assertEquals(weighted, ["bce", "softmax"]);
  const network = cases.find(({ name }) => name === "network, mse")!;
  const described = network.layers.map((layer) => layer instanceof Linear ? layer.weight.shape.join("-") : layer.kind);
  assertEquals(described, ["3-7", "ReLU", "7-5", "ReLU", "5-2"]);
});

gpuTest("checkGradients() has a line for each parameter and one for the input", async (device) => {
  const layers = [new Linear(2, 200), new ReLU(), new Linear(200, 1), new Sigmoid()];
  const checks = await checkGradients(device, { name: "deep", layers, loss: mse, inputs: 2 }, 1);
  assertEquals(checks.map(({ name, entries }) => [name, entries]), [
    ["0.weight", 128], // of 400: each costs two forward passes
    ["0.bias", 128],
    ["2.weight", 128],
    ["2.bias", 1],
    ["input", 14],
  ]);
  assert(checks.every(({ ok }) => ok));
  assertEquals(await checkGradients(device, { name: "deep", layers, loss: mse, inputs: 2 }, 1), checks);
});

gpuTest("checkGradients() gives up where every draw comes too close to a kink", async (device) => {
  class Flat extends Sigmoid {
    override reference(): ReferenceLayer {
      return Object.assign(super.reference(), { forward: (x: Matrix) => x.map(() => 1e-5) });
    }
  }
  await assertRejects(
    () => checkGradients(device, { name: "flat", layers: [new Flat(), new ReLU()], loss: mse, inputs: 3 }, 1),
    RangeError,
    "Cannot check gradients: every draw came too close to a kink; try smaller hidden layers",
  );
});

gpuTest("checkGradients() sees a gradient that is one part in a hundred off, on either side", async (device) => {
  const off: { gpu?: GpuBug; twin?: TwinBug }[] = [{
    gpu: ({ dOut, backward, layer }) => {
      const { grad } = layer.parameters[0];
      const dX = backward(dOut);
      device.tidy(() => scale(scale(grad, 1.01), 1, { out: grad }));
      return dX;
    },
  }, {
    twin: ({ dOut, backward, layer: { gradients } }) => {
      const dX = backward(dOut);
      gradients[0] = gradients[0].map((g) => 1.01 * g);
      return dX;
    },
  }];
  for (const bug of off) {
    const layers = [withBug(new Linear(3, 4), bug)];
    const checks = await checkGradients(device, { name: "off", layers, loss: mse, inputs: 3 }, 1);
    assertEquals(checks.map(({ name, ok, wrongSide, cause }) => [name, ok, wrongSide, cause]), [
      ["0.weight", false, bug.gpu ? "GPU" : "float64", undefined],
      ["0.bias", true, undefined, undefined],
      ["input", true, undefined, undefined],
    ]);
  }
});

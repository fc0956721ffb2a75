/** An activation that joins the table: what comes with it, and what refuses it by name. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DataError } from "../../lib/base/errors.ts";
import { gradientCases } from "../../lib/check/gradcheck.ts";
import { ActivationLayer, ACTIVATIONS, type Layer, multilayerPerceptron } from "../../lib/core/layers.ts";
import { mse } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { multiply, scale } from "../../lib/arithmetic/ops.ts";
import type { Tensor } from "../../lib/core/tensor.ts";
import { Scaler } from "../../lib/data/scaler.ts";
import { numericTable } from "../../lib/data/table.ts";
import { SavedModel, saveModel } from "../../lib/model_file/saved_model.ts";
import * as reference from "../../lib/reference/mod.ts";
import { planWholeStep } from "../../lib/training/whole_step.ts";
import { readExportedModel } from "../../tasks/export/exported_model.ts";
import { decodeGiven } from "../../tasks/playground/given_model.ts";
import { permittedGpuTest } from "../support/gpu_test_case.ts";
import { temporaryFile } from "../support/temp_files.ts";

class Square extends ActivationLayer {
  readonly kind = "Square";

  forward(x: Tensor): Tensor {
    this.kept = x;
    return multiply(x, x);
  }

  backward(dOut: Tensor): Tensor {
    return scale(multiply(this.kept, dOut), 2);
  }

  reference(): reference.ReferenceLayer {
    const backward = (x: reference.Matrix, dOut: reference.Matrix) => dOut.map((d, i) => 2 * x.data[i] * d);
    return new reference.ReferenceActivation({ forward: (x) => x.map((v) => v * v), backward });
  }
}

permittedGpuTest("an activation in the table comes by name; exports and the playground refuse it", async (device) => {
  const table: Record<string, () => Layer> = ACTIVATIONS;
  table.square = () => new Square();
  using _table = { [Symbol.dispose]: () => delete table.square };
  const layers = multilayerPerceptron(2, [4], 1, { activation: "square" as "relu" });
  assertEquals(layers.map(({ kind }) => kind), ["Linear", "Square", "Linear"]);
  assertEquals(gradientCases([4]).filter(({ name }) => name === "Square").length, 1);
  using model = new Model(device, layers);
  assertEquals(planWholeStep(model, mse, { rows: 5, inputs: 2, outputs: 1 }), undefined);

  const features = ["a", "b"];
  const targets = ["c"];
  const scalerOf = (names: string[]) =>
    new Scaler("none", names.map((name) => ({ name, min: 0, max: 1, mean: 0, deviation: 1 })));
  const scalers = { inputs: scalerOf(features), targets: scalerOf(targets) };
  const columns = numericTable(features, targets);
  await using file = await temporaryFile("square.safetensors");
  const { path } = file;
  await saveModel(path, model, { table: columns, features, targets, scalers, loss: mse, settings: {} });
  using saved = await SavedModel.load(device, path);
  assertEquals(saved.model.layers.map(({ kind }) => kind), ["Linear", "Square", "Linear"]);
  const unexported = 'layer 1 cannot be exported: it is of the kind "Square"';
  await assertRejects(() => readExportedModel("square", path), DataError, unexported);
  const bytes = await Deno.readFile(path);
  const unshown = 'it has the layers "Square": the playground continues one network of numbers';
  assertThrows(() => decodeGiven(device, bytes, path), DataError, unshown);
});

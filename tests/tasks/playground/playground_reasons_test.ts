/** Each operation of the playground's walk says why its backward is so, and where it is written, as lib/core/README.md does. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { ActivationName } from "../../../lib/core/activations.ts";
import { multilayerPerceptron } from "../../../lib/core/layers.ts";
import { LOSSES } from "../../../lib/core/losses.ts";
import { Model } from "../../../lib/core/model.ts";
import type { OptimizerName } from "../../../lib/core/optimizers.ts";
import { Tensor } from "../../../lib/core/tensor.ts";
import { passOps, updateOps } from "../../../tasks/playground/ops_walk.ts";
import { REASONS, type Written } from "../../../tasks/playground/reasons.ts";
import { ACTIVATION_NAMES, OPTIMIZER_NAMES } from "../../../tasks/playground/settings.ts";
import { readLines } from "../../support/backward_lines.ts";
import { gpuTest } from "../../support/gpu_test_case.ts";
import { permitted } from "../../support/permitted.ts";
import { pathInProject } from "../../support/run_task_process.ts";

permitted("REASONS says what lib/core/README.md says, word for word", async () => {
  const lines = await readLines();
  for (const [name, { rule, why }] of Object.entries(REASONS)) assertEquals(lines.get(name), { rule, why }, name);
});

permitted("REASONS names the file in which each is written", async () => {
  for (const [name, { file }] of Object.entries(REASONS)) {
    const text = await Deno.readTextFile(pathInProject(file));
    assertMatch(text, new RegExp(`^export (?:function|class|const) ${name}\\b`, "m"), `${name} in ${file}`);
  }
});

const ACTIVATIONS: Record<ActivationName, Written> = {
  "relu": "relu",
  "leaky-relu": "leakyRelu",
  "tanh": "tanh",
  "sigmoid": "sigmoid",
  "gelu": "gelu",
};
const LOSS_NAMES: Record<keyof typeof LOSSES, Written> = {
  mse: "mse",
  mae: "mae",
  huber: "huber",
  bce: "bceWithLogits",
  softmax: "softmaxCrossEntropy",
};
const OPTIMIZERS: Record<OptimizerName, Written> = {
  sgd: "Sgd",
  momentum: "Momentum",
  nesterov: "Nesterov",
  rmsprop: "RmsProp",
  adam: "Adam",
  adamw: "AdamW",
};

gpuTest(
  "a walk gives the right reason for every activation, loss and optimizer, and uses all of REASONS",
  async (device) => {
    const used = new Set<Written>();
    using x = Tensor.from(device, [[1, 2], [3, 4]]);
    using y = Tensor.from(device, [[1, 0], [0, 1]]);
    const walk = async (activation: ActivationName, loss: keyof typeof LOSSES) => {
      const layers = multilayerPerceptron(2, [3], 2, { activation });
      using model = new Model(device, layers);
      const ops = await passOps(model, LOSSES[loss], x, y);
      const a = ACTIVATIONS[activation];
      const l = LOSS_NAMES[loss];
      const linear: Written[] = ["matmul", "addBias"];
      const expected = [...linear, a, ...linear, l, l, ...linear, "matmul", a, ...linear];
      assertEquals(ops.map(({ of }) => of), expected, `${activation} ${loss}`);
      for (const { of, name } of ops) {
        assert(REASONS[of]?.why, `no reason for ${name}`);
        used.add(of);
      }
    };
    for (const activation of ACTIVATION_NAMES) await walk(activation, "mse");
    for (const loss of Object.keys(LOSSES)) await walk("relu", loss as "mse");
    using model = new Model(device, multilayerPerceptron(2, [], 1));
    const values = await model.read();
    for (const optimizer of OPTIMIZER_NAMES) {
      const of = OPTIMIZERS[optimizer];
      assertEquals(updateOps(model, optimizer, 0.1, values).map((op) => op.of), [of, of]);
      assert(REASONS[of].why, `no reason for ${optimizer}`);
      used.add(of);
    }
    assertEquals([...used].sort(), Object.keys(REASONS).sort());
  },
);

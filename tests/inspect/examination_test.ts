import { assert, assertEquals } from "@std/assert";
import { examine } from "../../lib/inspect/sample_look.ts";
import { Dropout, Linear, ReLU, Sigmoid } from "../../lib/core/layers.ts";
import { mse } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { Adam } from "../../lib/core/optimizers.ts";
import { Random } from "../../lib/base/random.ts";
import { Trainer } from "../../lib/training/trainer.ts";
import { assertClose } from "../support/assert_close.ts";
import { bits, gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";

const random = () => new Random(5, "examination");

gpuTest("examine() sees what float64 sees, in one wait", async (device) => {
  const layers = [
    new Linear(3, 5),
    new ReLU(),
    new Linear(5, 4),
    new Sigmoid(),
    new Linear(4, 6),
    new ReLU(),
    new Linear(6, 2),
  ];
  using model = new Model(device, layers, { random: random() });
  const xs = randomMatrix(7, 3);
  const ys = randomMatrix(7, 2, 2);
  using x = upload(device, xs);
  using y = upload(device, ys);
  const reference = await model.reference(mse.reference);
  const { waits } = device.stats;
  const { relus, weights } = await examine(model, mse, x, y);
  assertEquals(device.stats.waits, waits + 1);

  reference.backward(xs, ys);
  assertEquals(weights.map(({ name }) => name), ["0.weight", "2.weight", "4.weight", "6.weight"]);
  const values = await model.read();
  for (const [i, { name, weight, weightGradient, bias, biasGradient }] of weights.entries()) {
    const [wanted, wantedBias] = reference.gradients.slice(2 * i);
    assertEquals([weight.rows, weight.columns], [wanted.rows, wanted.columns]);
    assertEquals([weight.data, bias], [values[name], values[name.replace("weight", "bias")]]);
    assertClose(weightGradient.data, wanted.data, { rtol: 1e-4, atol: 1e-6 });
    assertClose(biasGradient, wantedBias.data, { rtol: 1e-4, atol: 1e-6 });
  }
  assertEquals(relus.map(({ name, rows, columns }) => [name, rows, columns]), [["a1", 7, 5], ["a3", 7, 6]]);
  using z1 = device.tidy(() => layers[0].forward(x));
  assertEquals([...relus[0].data as Float32Array], [...await z1.read()].map((v) => Math.max(0, v)));
});

for (const plain of [false, true]) {
  gpuTest(
    `examine() leaves training as it is, bit for bit${plain ? ", with plain operations" : ""}`,
    async (device) => {
      const train = async (isExamined: boolean) => {
        using model = new Model(device, [
          new Linear(2, 16),
          new ReLU(),
          new Dropout(0.3, { seed: 3 }),
          new Linear(16, 1),
        ], {
          random: random(),
        });
        using optimizer = new Adam(model, 0.01);
        using x = upload(device, randomMatrix(50, 2));
        using y = upload(device, randomMatrix(50, 1, 2));
        using trainer = new Trainer({ model, loss: mse, optimizer, x, y, batchSize: 8, seed: 1, plain, clipNorm: 0.5 });
        const looks: ReturnType<typeof examine>[] = [];
        const evaluate = () => {
          if (isExamined) looks.push(examine(model, mse, x, y));
          return model.read();
        };
        const epochs = await Array.fromAsync(trainer.epochs(12, { evaluate }));
        const seen = await Promise.all(looks);
        const gradients = await model.readGradients();
        return { epochs, seen, last: await model.read(), gradients };
      };
      const alone = await train(false);
      const examined = await train(true);
      assertEquals(examined.seen.length, 12);
      for (const [i, { losses, evaluation }] of alone.epochs.entries()) {
        assertEquals(bits(Float32Array.from(examined.epochs[i].losses)), bits(Float32Array.from(losses)));
        assertEquals(examined.epochs[i].evaluation, evaluation);
        // It saw the weights of that moment, though later steps were on the queue before it was read.
        assertEquals(examined.seen[i].weights[0].weight.data, evaluation["0.weight"]);
      }
      assertEquals(examined.last, alone.last);
      assertEquals(examined.gradients, alone.gradients, "the gradients of the last step");
      assert(examined.gradients["0.weight"].some((g) => g !== 0));
    },
  );
}

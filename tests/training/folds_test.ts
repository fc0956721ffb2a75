/** Members that hold out folds: each trains as a network alone would on its own rows. */

import { assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../lib/base/random.ts";
import { Linear } from "../../lib/core/layers.ts";
import { mse } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { Adam } from "../../lib/core/optimizers.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { Folds } from "../../lib/base/folds.ts";
import { ArrayRows } from "../../lib/data/row_source.ts";
import { Judge } from "../../lib/training/judge.ts";
import { Trainer } from "../../lib/training/trainer.ts";
import type { TrainerOptions } from "../../lib/training/trainer_options.ts";
import { assertClose } from "../support/assert_close.ts";
import { gpuTest } from "../support/gpu_test_case.ts";

const ROWS = 9;
const random = new Random(1, "rows");
const inputs = Float32Array.from({ length: 2 * ROWS }, () => random.normal());
const wanted = Float32Array.from({ length: ROWS }, () => random.normal());
const folds = new Folds(Uint8Array.of(0, 1, 1, 0, 0, 1, 0, 1, 0), 2, 2);

gpuTest("members with folds train on their own rows alone, and continue bit for bit", async (device) => {
  using stack = new DisposableStack();
  const modelOf = (members: number) => stack.use(new Model(device, [new Linear(2, 1, { members })]));
  const upload = (values: ArrayLike<number>, columns: number) =>
    stack.use(Tensor.from(device, Float32Array.from(values), [values.length / columns, columns]));
  const trainerOf = (model: Model, x: Tensor, y: Tensor, more: Partial<TrainerOptions> = {}) => {
    const optimizer = stack.use(new Adam(model, 0.05));
    return stack.use(
      new Trainer({ model, loss: mse, optimizer, x, y, batchSize: 4, seed: 4, ...more } as TrainerOptions),
    );
  };
  const model = modelOf(2);
  const { "0.weight": weights, "0.bias": biases } = await model.read();
  const trainer = trainerOf(model, upload(inputs, 2), upload(wanted, 1), {
    folds,
  });
  assertEquals([trainer.stepsPerEpoch, trainer.rowsOf(1).length], [1, 8]); // member 1 leaves one of its five rows out
  await Array.fromAsync(trainer.epochs(2));
  const state = await trainer.snapshot();
  const before = await model.read();
  await Array.fromAsync(trainer.epochs(1));
  const after = await model.read();
  trainer.restore(state);
  await Array.fromAsync(trainer.epochs(1));
  assertEquals(await model.read(), after);

  for (const member of [0, 1]) {
    const alone = modelOf(1);
    alone.load({ "0.weight": weights.slice(2 * member, 2 * member + 2), "0.bias": biases.slice(member, member + 1) });
    // The same rows, in the order in which the member saw them: its two epochs are one of twice the rows.
    const seen = [1, 2].flatMap((step) => {
      const rows = trainer.rowsOf(step);
      return [...rows.subarray(member * rows.length / 2, (member + 1) * rows.length / 2)];
    });
    assertEquals(seen.some((row) => folds.foldOf[row] === member), false);
    const x = upload(seen.flatMap((row) => [...inputs.subarray(2 * row, 2 * row + 2)]), 2);
    const y = upload(seen.map((row) => wanted[row]), 1);
    const trained = trainerOf(alone, x, y, { shuffle: false });
    assertEquals(trained.stepsPerEpoch, 2);
    await Array.fromAsync(trained.epochs(1));
    const { "0.weight": weight, "0.bias": bias } = await alone.read();
    assertClose(before["0.weight"].slice(2 * member, 2 * member + 2), weight, { rtol: 1e-5 });
    assertClose(before["0.bias"].slice(member, member + 1), bias, { rtol: 1e-5 });
  }
});

gpuTest("a judge measures each member on the rows that it holds out, one more or less", async (device) => {
  using stack = new DisposableStack();
  const own = <T extends Disposable>(part: T) => stack.use(part);
  const model = own(new Model(device, [new Linear(2, 1, { members: 4 })], { random: new Random(3, "weights") }));
  const optimizer = own(new Adam(model, 0.05));
  const x = own(Tensor.from(device, inputs, [ROWS, 2]));
  const y = own(Tensor.from(device, wanted, [ROWS, 1]));
  const four = new Folds(folds.foldOf, 2, 4);
  const judge = own(new Judge(model, optimizer, { validation: { loss: mse, x, y, folds: four } }));
  judge.begin();
  judge.measureAndJudge();
  const [{ losses }] = judge.take(await judge.verdicts(1).read());
  const { "0.weight": weight, "0.bias": bias } = await model.read();
  const expected = [0, 1, 2, 3].map((member) => {
    const rows = [...four.heldOut(member)];
    const squares = rows.map((row) => {
      const sum = inputs[2 * row] * weight[2 * member] + inputs[2 * row + 1] * weight[2 * member + 1] + bias[member];
      return (sum - wanted[row]) ** 2;
    });
    return squares.reduce((sum, square) => sum + square, 0) / rows.length;
  });
  assertClose(losses, expected, { rtol: 1e-5 });
  const wrong = { validation: { loss: mse, x, y, folds } };
  assertThrows(() => new Judge(model, optimizer, wrong), TypeError, "by folds of 9 rows for 2 members: both must be");
});

gpuTest("folds that do not suit the rows or the model are refused", (device) => {
  using model = new Model(device, [new Linear(2, 1, { members: 2 })]);
  using optimizer = new Adam(model, 0.05);
  using x = Tensor.from(device, inputs, [ROWS, 2]);
  using y = Tensor.from(device, wanted, [ROWS, 1]);
  const common = { model, loss: mse, optimizer, batchSize: 2, seed: 1 };
  const cases: [TrainerOptions, string][] = [
    [
      { ...common, x, y, folds: new Folds(Uint8Array.of(0, 1), 2, 2) },
      "folds of 2 rows for 2 members: there are 9 rows",
    ],
    [{ ...common, x, y, folds: new Folds(folds.foldOf, 2, 4) }, "for 4 members: there are 9 rows, and the model has 2"],
    [{ ...common, source: new ArrayRows(inputs, wanted, 2), folds }, "the rows must lie on the GPU, as x and y"],
  ];
  for (const [options, words] of cases) assertThrows(() => new Trainer(options), TypeError, words);
});

/** The watch over what training keeps: it misses nothing, and costs next to nothing. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import { NotFiniteError } from "../../lib/base/errors.ts";
import { findFault } from "../../lib/inspect/fault_finder.ts";
import { Random } from "../../lib/base/random.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { FiniteWatch, flagNotFinite } from "../../lib/training/finite_watch.ts";
import { formatFault } from "../../tasks/training/not_finite_report.ts";
import { gpuTest } from "../support/gpu_test_case.ts";
import { watchEpoch } from "../support/watch_epoch.ts";
import { smallTraining, type SmallTrainingOptions } from "../support/small_training.ts";

const setUp = (device: Device, options: SmallTrainingOptions = {}) =>
  smallTraining(device, { optimizer: "adam", rows: 40, batchSize: 4, learningRate: 0.01, ...options });

gpuTest("flagNotFinite() tells NaN and infinities from all finite numbers, wherever they lie", async (device) => {
  const bad = [0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001, 0xffffffff];
  const sound = [0, 0x80000000, 1, 0x807fffff, 0x7f7fffff, 0xff7fffff, 0x3f800000, 0x7f000000];
  const random = new Random(1, "places");
  for (const size of [1, 3, 4, 64, 65, 257, 4_096, 4_097, 70_001, 300_000]) {
    const bits = Uint32Array.from({ length: size }, (_, i) => sound[i % sound.length]);
    const places = [0, size - 1, Math.floor(random.uniform(0, size))];
    using x = Tensor.zeros(device, [size]);
    using flags = Tensor.zeros(device, [places.length * bad.length + 1], "u32");
    const flag = (place: number) => {
      device.write(x, bits);
      flagNotFinite(x, flags, place);
    };
    flag(flags.size - 1);
    for (const [i, place] of places.entries()) {
      for (const [j, value] of bad.entries()) {
        const kept = bits[place];
        bits[place] = value;
        flag(i * bad.length + j);
        bits[place] = kept;
      }
    }
    const expected = new Uint32Array(flags.size).fill(1, 0, -1);
    assertEquals(await flags.readU32(), expected, `${size} elements`);
  }
  using flags = Tensor.zeros(device, [2], "u32");
  using x = Tensor.zeros(device, [2]);
  assertThrows(() => flagNotFinite(x, flags, 2), RangeError, "Cannot set flag 2: there are 2");
  assertThrows(() => flagNotFinite(flags, flags, 0), TypeError);
});

for (const [place, what] of [["mean", "optimizer's mean"], ["variance", "optimizer's variance"], ["", "weights"]]) {
  gpuTest(`epochs() and snapshot() refuse ${what} that are not finite`, async (device) => {
    using made = setUp(device);
    const { model, optimizer, trainer } = made;
    await Array.fromAsync(trainer.epochs(20)); // by then reads and looks lie many steps apart
    const state = await trainer.snapshot();
    const before = state.step;
    const spoil = () => {
      trainer.restore(state);
      const tensor = place === "" ? model.values : optimizer.state[place];
      tensor.view(0, [1]).write([Infinity]);
    };
    const calls = [
      () => Array.fromAsync(trainer.epochs(2)),
      () => Array.fromAsync(trainer.epochs(2, { between: (step) => before + 3 - step })),
      () => watchEpoch(trainer, () => {}),
      () => trainer.snapshot(),
    ];
    for (const call of calls) {
      spoil();
      const error = await assertRejects(call, NotFiniteError);
      assert(error.after <= before && error.step >= before, `${error.after}, ${error.step}`);
    }
    spoil();
    const message = `A value of the ${what} is not finite at step ${before}`;
    await assertRejects(() => trainer.snapshot(), NotFiniteError, message);
    trainer.restore(state);
    assertEquals(await trainer.snapshot(), state);
  });
}

gpuTest("without the watch an infinite variance stops the weights for ever, and nothing tells", async (device) => {
  using made = setUp(device);
  const { model, optimizer, trainer } = made;
  const spoil = () => optimizer.state.variance.write(new Float32Array(model.values.size).fill(Infinity));
  const { queueLook } = FiniteWatch.prototype;
  try {
    FiniteWatch.prototype.queueLook = () => {};
    await Array.fromAsync(trainer.epochs(1));
    spoil();
    const before = await model.read();
    await Array.fromAsync(trainer.epochs(3));
    assertEquals(await model.read(), before);
  } finally {
    FiniteWatch.prototype.queueLook = queueLook;
  }
  await assertRejects(() => Array.fromAsync(trainer.epochs(1)), NotFiniteError, "optimizer's variance");
});

gpuTest("the watch costs no wait, no buffer and no bind group; short epochs share looks", async (device) => {
  for (const [rows, epochs] of [[40_000, 1], [40, 1_000]]) {
    using setup = setUp(device, { rows });
    const { trainer } = setup;
    const tensors = 4; // gradients, mean, variance, weights
    const before = { ...device.stats };
    await Array.fromAsync(trainer.epochs(epochs));
    const spent = (key: keyof typeof before) => device.stats[key] - before[key];
    const looks = (spent("dispatches") - 10_000 * trainer.dispatchesPerStep) / tensors;
    assert(Number.isInteger(looks) && looks >= 1 && looks <= 100, `${looks} looks in 10,000 steps`);
    assertEquals([spent("allocations"), spent("bindGroups")], [spent("waits"), 0]);
    assert(epochs > 1 || spent("waits") <= 60, `${spent("waits")} waits`);
  }
});

gpuTest("a look finds what steps did that were on the queue when a caller left", async (device) => {
  using made = setUp(device, { learningRate: 1e30 });
  const { trainer } = made;
  await trainer.epochs(50).next().catch(() => {});
  await assertRejects(() => Array.fromAsync(trainer.epochs(1)), NotFiniteError);
});

gpuTest("findFault() says where the state had it already, and where steps taken again are sound", async (device) => {
  using made = setUp(device);
  const { trainer } = made;
  const state = await trainer.snapshot();
  const weight = { shape: [2, 6], data: Float32Array.from({ length: 12 }, (_, i) => i === 7 ? -Infinity : 1) };
  const spoiled = { ...state, tensors: { ...state.tensors, "weights.0.weight": weight } };
  trainer.restore(spoiled);
  const error = await assertRejects(() => Array.fromAsync(trainer.epochs(1)), NotFiniteError);
  const there = await findFault(trainer, spoiled, error);
  const { tensor, at, value, cause: { kind }, step } = there;
  assertEquals([tensor, at, value, kind, step], ["weights.0.weight", [1, 1], -Infinity, "state", 0]);
  assertEquals(formatFault(there), [
    "parameter 0.weight of layer 0 (Linear) is -Infinity at step 0 of epoch 1, first at [1, 1]",
    "likely cause: it was there at step 0 already, where the search begins",
    "what to do: start from weights that are finite",
  ]);
  trainer.restore(state);
  for (const step of [0, 1, 13]) {
    const sound = await findFault(trainer, state, new NotFiniteError("validation loss", NaN, step));
    assertEquals([sound.tensor, sound.value, sound.cause.kind], ["validation loss", NaN, "unseen"]);
    assertEquals(await trainer.snapshot(), state);
  }
  await Array.fromAsync(trainer.epochs(1));
  const later = await trainer.snapshot();
  const refused = findFault(trainer, later, new NotFiniteError("loss", NaN, 3));
  await assertRejects(() => refused, RangeError, "Cannot look for a fault of step 3 from a state of step 10");
});

gpuTest("findFault() goes by what the step leaves where its operations one by one are sound", async (device) => {
  using made = setUp(device, { learningRate: 1e30 });
  const { model, trainer } = made;
  using best = Tensor.zeros(device, model.values.shape);
  const state = await trainer.snapshot({ best }); // it may hold more tensors
  const error = await assertRejects(() => Array.fromAsync(trainer.epochs(3)), NotFiniteError);
  const truth = await findFault(trainer, state, error, { best });
  assertEquals(truth.cause.kind, "rate");
  assertEquals(await trainer.snapshot({ best }), state);
  // As where the last digits differ: the step that is looked at makes no tensor that is not finite.
  const readAhead = trainer.readAhead.bind(trainer);
  trainer.readAhead = async () => (await readAhead()).slice(0, 2); // the batch
  const { step, tensor, layer, rows } = await findFault(trainer, state, error, { best });
  assertEquals([step, rows], [truth.step, truth.rows]);
  assert(/^(loss|gradients\.[02]\.\w+|optimizer\.\w+\.[02]\.\w+|weights\.[02]\.\w+)$/.test(tensor), tensor);
  assertEquals(layer?.kind, tensor === "loss" ? undefined : "Linear");
});

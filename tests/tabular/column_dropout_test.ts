import { assert, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { Linear } from "../../lib/core/layers.ts";
import { mse } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { checkGradients } from "../../lib/check/gradcheck.ts";
import { ColumnDropout } from "../../lib/tabular/column_dropout.ts";

const WIDTHS = [3, 1, 2];

Deno.test("ColumnDropout drops all values of a column together, as many columns as the rate says, and scales the rest", async () => {
  using device = await Device.request();
  using model = new Model(device, [new ColumnDropout(0.25, { widths: WIDTHS, seed: 3 })]);
  using x = Tensor.from(device, new Float32Array(6 * 1_000).fill(3), [1_000, 6]);
  using y = device.tidy(() => model.forward(x, { training: true }));
  using dX = model.backward(x, { wantDX: true });
  const values = await y.read();
  assertEquals(await dX!.read(), values);
  assertEquals(new Set(values), new Set([0, 4]));
  const columns = [[0, 1, 2], [3], [4, 5]].map(([first, ...others]) => {
    let dropped = 0;
    for (let row = 0; row < 6_000; row += 6) {
      for (const other of others) assertEquals(values[row + other], values[row + first]);
      dropped += Number(values[row + first] === 0);
    }
    return dropped;
  });
  for (const dropped of columns) assert(dropped > 200 && dropped < 300, `dropped in ${dropped} of 1,000 rows`);
  assertEquals(model.forward(x), x); // in evaluation
});

Deno.test("ColumnDropout has the gradients of its oracle, and each step a mask of its own", async () => {
  using device = await Device.request();
  const layers = [new ColumnDropout(0.4, { widths: WIDTHS }), new Linear(6, 2)];
  const checks = await checkGradients(device, { name: "column dropout", layers, loss: mse, inputs: 6 }, 42);
  assertEquals(checks.filter(({ ok }) => !ok), []);
  using model = new Model(device, [new ColumnDropout(0.5, { widths: WIDTHS })]);
  using x = Tensor.from(device, new Float32Array(6 * 50).fill(1), [50, 6]);
  const draw = () => device.tidy(() => model.forward(x, { training: true }));
  using first = draw();
  using second = draw();
  const other = await second.read();
  assert((await first.read()).some((value, i) => value !== other[i]));
});

Deno.test("ColumnDropout refuses columns without values, and rows that are not those of its columns", () => {
  assertThrows(() => new ColumnDropout(0.1, { widths: [2, 0] }), RangeError, "Cannot drop columns of 2, 0 values");
  assertThrows(() => new ColumnDropout(0.1, { widths: [2] }).outputSize(3), TypeError, "its columns have 2");
});

import { assert, assertEquals } from "@std/assert";
import { LiveHistory, type LiveStatus, Thinned } from "../../../tasks/live/history.ts";

const RATES = { rateFactor: 1, askedFactor: 1, learningRate: 0.1 };
const STATUS: LiveStatus = { phase: "training", step: 0, stepsPerSecond: null, ...RATES };

function lineOf(epoch: number, valLoss: number | null = 1 / epoch) {
  return { epoch, step: 10 * epoch, trainLoss: 1 / epoch, valLoss, learningRate: 0.1 };
}

Deno.test("Thinned keeps a series short, its elements evenly apart, the first one among them", () => {
  const thinned = new Thinned<number>(100);
  for (let i = 0; i < 12_345; i++) {
    thinned.push(i);
    assert(thinned.items.length <= 100);
  }
  const { items, generation } = thinned;
  assert(items.length > 48 && generation === 7, `${items.length} of generation ${generation}`);
  assertEquals(items, items.map((_, i) => i * 128));
});

Deno.test("LiveHistory.since() gives a page the news, or everything if what it has is no longer true", () => {
  const history = new LiveHistory();
  history.epoch(lineOf(1));
  let [update, cursor] = history.since(undefined, STATUS);
  assertEquals([update.isWhole, update.points.length, update.last?.epoch], [true, 1, 1]);
  history.epoch(lineOf(2));
  history.message("warning", "slow", 20);
  history.layers({ epoch: 2, step: 20, weights: { "0.weight": 1 }, gradients: { "0.weight": 2 }, dead: {} });
  [update, cursor] = history.since(cursor, STATUS);
  assertEquals([update.isWhole, update.points.map(({ epoch }) => epoch), update.layers.length], [false, [2], 1]);
  assertEquals(update.messages, [{ kind: "warning", step: 20, text: "slow" }]);
  [update, cursor] = history.since(cursor, STATUS);
  assertEquals([update.points, update.layers, update.messages], [[], [], []]);
  for (let epoch = 3; epoch <= 1_500; epoch++) history.epoch(lineOf(epoch));
  [update] = history.since(cursor, STATUS);
  const { isWhole, points, messages, last } = update;
  assert(isWhole && points.length > 500 && points.length <= 1_000, `${points.length} points`);
  assertEquals([points[0].epoch, last?.epoch, messages.length], [1, 1_500, 1]);
});

Deno.test("LiveHistory tells the epoch with the lowest validation loss, the first of several", () => {
  const history = new LiveHistory();
  const best = () => history.since(undefined, STATUS)[0].best?.epoch;
  history.epoch(lineOf(1, null));
  assertEquals(best(), undefined);
  for (const [epoch, loss] of [[2, 0.5], [3, 0.25], [4, 0.25], [5, 0.75]]) history.epoch(lineOf(epoch, loss));
  assertEquals(best(), 3);
});

Deno.test("LiveHistory keeps the latest messages, and the beginning of long ones", () => {
  const history = new LiveHistory();
  const [_, cursor] = history.since(undefined, STATUS);
  for (let i = 0; i < 250; i++) history.message("note", `${i} ${"x".repeat(5_000)}`, i);
  const { messages } = history.since(cursor, STATUS)[0];
  assertEquals([messages.length, messages[0].step, messages.at(-1)!.step], [100, 150, 249]);
  assertEquals(messages[0].text.length, 2_004);
});

Deno.test("LiveHistory forgets epochs that a return to a checkpoint has undone", () => {
  const history = new LiveHistory();
  const record = { step: 0, weights: {}, gradients: {}, dead: {} };
  for (let epoch = 1; epoch <= 4; epoch++) {
    history.layers({ ...record, epoch });
    history.epoch(lineOf(epoch));
  }
  history.layers({ ...record, epoch: 3 });
  history.epoch(lineOf(3, 9));
  const [{ points, layers, last, best }] = history.since(undefined, STATUS);
  assertEquals(points.map(({ epoch, valLoss }) => [epoch, valLoss]), [[1, 1], [2, 0.5], [3, 9]]);
  assertEquals([layers.map(({ epoch }) => epoch), last?.valLoss, best?.epoch], [[1, 2, 3], 9, 2]);
});

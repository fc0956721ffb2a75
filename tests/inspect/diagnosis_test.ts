import { assertEquals } from "@std/assert";
import * as limits from "../../lib/inspect/diagnosis.ts";
import { diagnose, type NetworkFacts, type SeenMatrix, type SeenWeights } from "../../lib/inspect/diagnosis.ts";

const kindsOf = (look: NetworkFacts) => diagnose(look).map(({ kind }) => kind);

function matrix(name: string, rows: readonly (readonly number[])[]): SeenMatrix {
  return { name, rows: rows.length, columns: rows[0].length, data: rows.flat() };
}

/** A layer, unless said otherwise without bias and with biases' gradients of 0. */
function weights(
  name: string,
  weight: number[][],
  gradient: number[][],
  bias = weight[0].map(() => 0),
  biasGradient = weight[0].map(() => 0),
): SeenWeights {
  return { name, weight: matrix(name, weight), weightGradient: matrix(name, gradient), bias, biasGradient };
}

/** Two layers whose gradients have these elements. */
function chain(first: number, last: number): NetworkFacts {
  return {
    weights: [weights("0.weight", [[1, 2]], [[first, first]]), weights("2.weight", [[1], [2]], [[last], [last]])],
  };
}

/** Columns of inputs, each with rows of these sizes. */
function inputs(...sizes: number[]): NetworkFacts {
  const data = [...sizes, ...sizes.map((size) => -size)];
  return { inputs: { of: sizes.map((_, i) => ({ name: `c${i}` })), rows: 2, columns: sizes.length, data } };
}

/** A ReLU layer of 100 units, of which some are dead. */
function relu(dead: number): NetworkFacts {
  const row = (value: number) => Array.from({ length: 100 }, (_, unit) => unit < dead ? 0 : value);
  return { relus: [matrix("a1", [row(0), row(1), row(0)])] };
}

Deno.test("diagnose() counts the ReLU units that give 0 on every row", () => {
  const most = 100 * limits.DEAD_SHARE;
  assertEquals(kindsOf(relu(most - 1)), []);
  assertEquals(diagnose(relu(most)), [
    {
      kind: "dead units",
      where: "a1",
      message:
        `${most} of 100 ReLU units of a1 are dead: 0 on all of 3 training rows, so that no gradient reaches their weights`,
      fix: "lower the learning rate, or take activation leaky-relu",
    },
  ]);
  assertEquals(kindsOf({ relus: [matrix("a1", [[NaN, NaN]])] }), []);
});

Deno.test("diagnose() counts hidden units with the weights and the gradients of another one", () => {
  const output = weights("2.weight", [[1, 1], [1, 1], [1, 1]], [[1, 1], [1, 1], [1, 1]]);
  const hidden = (...layer: [number[][], number[][], number[]?, number[]?]): NetworkFacts => ({
    weights: [weights("0.weight", ...layer), output],
  });
  const [found] = diagnose(hidden([[1, 2, 1], [3, 4, 3]], [[5, 6, 5], [7, 8, 7]]));
  assertEquals([found.kind, found.where], ["identical units", "0.weight"]);
  assertEquals(found.message.slice(0, 72), "2 of 3 units of 0.weight have the weights and the gradients of another o");
  assertEquals(kindsOf(hidden([[1, 2, 1], [3, 4, 9]], [[5, 6, 5], [7, 8, 7]])), [], "another weight");
  assertEquals(kindsOf(hidden([[1, 2, 1], [3, 4, 3]], [[5, 6, 5], [7, 8, 9]])), [], "another gradient");
  assertEquals(kindsOf(hidden([[1, 1, 2]], [[1, 1, 1]], [0, 1, 0])), [], "another bias");
  assertEquals(kindsOf(hidden([[1, 1, 2]], [[1, 1, 1]], [0, 0, 0], [1, 2, 3])), [], "another gradient of the bias");
  assertEquals(kindsOf(hidden([[NaN, NaN, 2]], [[1, 1, 1]])), [], "what is not finite");
});

Deno.test("diagnose() measures gradients: all of them, and the first against the last", () => {
  const half = limits.EXPLODING_NORM / 2; // four elements of it have twice its norm
  assertEquals(kindsOf(chain(half * 0.999, half * 0.999)), []);
  const [exploding] = diagnose(chain(half * 1.01, half * 1.01));
  assertEquals(exploding.kind, "exploding gradient");
  assertEquals(exploding.message, "the gradient explodes: its norm is 101, that of 0.weight alone 71.4");
  assertEquals(kindsOf(chain(limits.VANISHING_RATIO * 1.01, 1)), []);
  const [vanishing] = diagnose(chain(limits.VANISHING_RATIO * 0.99, 1));
  assertEquals([vanishing.kind, vanishing.where], ["vanishing gradient", "0.weight"]);
  const text = "the gradient vanishes on its way back: 0.00099 an element in 0.weight, 1 in 2.weight";
  assertEquals(vanishing.message, text);
  for (const value of [NaN, Infinity]) assertEquals(kindsOf(chain(value, value)), []);
  assertEquals(kindsOf(chain(0, 0)), [], "a network that is done");
  assertEquals(kindsOf({ weights: chain(0, 1).weights!.slice(0, 1) }), [], "one layer alone");
});

Deno.test("diagnose() measures columns of inputs", () => {
  assertEquals(kindsOf(inputs(limits.LARGE_INPUT, 1, 0)), []);
  assertEquals(kindsOf(inputs(limits.SMALL_INPUT, limits.SMALL_INPUT / 2)), [], "one that is large enough");
  assertEquals(kindsOf(inputs(0)), [], "a column of zeros says nothing");
  const [large] = diagnose(inputs(limits.LARGE_INPUT + 1, 1, 5000, 20, 30));
  const usual = "where a root mean square of 1 is usual";
  assertEquals(large.message, `4 of 5 inputs are not scaled: "c2" (5000), "c4" (30), "c3" (20), ..., ${usual}`);
  const [small] = diagnose(inputs(limits.SMALL_INPUT / 2, limits.SMALL_INPUT / 4));
  assertEquals(small.message, `2 of 2 inputs are not scaled: "c0" (0.005), "c1" (0.0025), ${usual}`);
  assertEquals(small.fix, "take scaling method standardize");
  // A column of category numbers is not scaled, and may hold any of them.
  const { inputs: seen } = inputs(1, 1000, 0.001);
  const of = [{ name: "c0" }, { name: "color", names: 2000 }, { name: "kind", names: 2 }];
  assertEquals(kindsOf({ inputs: { ...seen!, of } }), []);
  assertEquals(kindsOf({ inputs: { ...seen!, of: of.map((column) => ({ ...column, names: 2 })) } }), []);
});

Deno.test("diagnose() compares the validation loss with the training loss, with its own lowest, and with the start", () => {
  const losses = (validation: number, lowest: number, train = 0.1, firstTrain = 1): NetworkFacts => ({
    losses: { validation, lowest, train, firstTrain, lowestEpoch: 7 },
  });
  const validation = 0.1 * limits.OVERFITTING_RATIO * 1.01;
  assertEquals(diagnose(losses(validation, 0.2)).map(({ message }) => message), [
    "the validation loss 0.505 is far above the training loss 0.1; its lowest was 0.2, in epoch 7",
  ]);
  assertEquals(kindsOf(losses(validation * 0.98, 0.2)), [], "near the training loss");
  assertEquals(kindsOf(losses(validation, validation / limits.OVERFITTING_RISE * 1.01)), [], "hardly risen");
  const firstTrain = (validation - 0.1) / limits.OVERFITTING_GAP * 1.01;
  assertEquals(kindsOf(losses(validation, 0.2, 0.1, firstTrain)), [], "tiny losses");
  assertEquals(kindsOf(losses(NaN, 0.2)), []);
});

Deno.test("diagnose() tells causes, not what follows from them, and of nothing nothing", () => {
  assertEquals(diagnose({}), []);
  const dead = relu(100);
  const overfitted = { losses: { validation: 9, lowest: 1, train: 0.1, firstTrain: 1, lowestEpoch: 1 } };
  const constant = { targets: [{ name: "y", min: 3, max: 3 }, { name: "z", min: 0, max: 1 }] };
  const identical = { weights: [weights("0.weight", [[1, 1]], [[0, 0]]), chain(1, 1).weights![1]] };
  assertEquals(kindsOf({ ...dead, ...chain(0, 1), ...overfitted }), ["dead units"]);
  assertEquals(kindsOf({ ...dead, ...identical }), ["identical units"]);
  assertEquals(kindsOf({ ...inputs(1000), ...chain(1e6, 1e6), ...overfitted }), ["unscaled inputs"]);
  const found = diagnose({ ...dead, ...inputs(1000), ...constant, ...overfitted });
  assertEquals(found, [{
    kind: "constant target",
    where: "y",
    message: 'target "y" is 3 in every training row: there is nothing to learn',
    fix: "choose another target, or add rows where it differs",
  }]);
});

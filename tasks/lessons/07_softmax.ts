// Lesson 7: softmax and cross-entropy, first piece by piece, then fused.
//
// A classifier gives each class a score, a logit. Softmax turns a row of logits into shares that sum to 1.
// Cross-entropy is the mean of -log(share of the right class). Both are made of small pieces, and each piece has a
// backward of one line.
import { add, checkBackward, Device, divide, divideBackward, equal, exp, expBackward, log } from "../../mod.ts";
import { logBackward, max, multiply, oneHot, print, Random, scale, softmax } from "../../mod.ts";
import { softmaxCrossEntropy, subtract, subtractBackward, sum, Tensor } from "../../mod.ts";

using device = await Device.request({ smallDispatches: true });

/** Loss and gradients, a piece a line. logits and target are [n, classes]; the target has a 1 at the right class. */
function pieces(logits: Tensor, target: Tensor) {
  const n = logits.shape[0];
  const column = (x: Tensor) => x.reshape([n, 1]); // one number a row, to be spread over the classes

  // Forward. Each row's largest logit is taken off first: that changes no share, and e^x cannot overflow.
  const largest = column(max(logits, 1));
  const shifted = subtract(logits, largest);
  const powers = exp(shifted);
  const sums = column(sum(powers, 1));
  const shares = divide(powers, sums);
  const logs = log(shares);
  const picked = multiply(logs, target);
  const loss = scale(sum(picked), -1 / n);

  // Backward, from the last piece to the first: eight lines for eight pieces. powers is used twice, in shares and in
  // sums, so its gradient is a sum of two. The same is true of logits.
  const dPicked = Tensor.full(device, logits.shape, -1 / n);
  const dLogs = multiply(dPicked, target);
  const dShares = divide(dLogs, shares);
  const dSums = column(scale(sum(divide(multiply(dShares, shares), sums), 1), -1));
  const dPowers = add(divide(dShares, sums), dSums);
  const dShifted = multiply(dPowers, powers);
  const dLargest = column(scale(sum(dShifted, 1), -1));
  const dLogits = add(dShifted, multiply(equal(logits, largest), dLargest));
  return { largest, powers, sums, shares, loss, dLogs, dShares, dSums, dPowers, dShifted, dLargest, dLogits };
}

/** Prints how near two tensors are. Exact: no difference at all. Approximate: none but rounding. */
async function compare(name: string, a: Tensor, b: Tensor): Promise<void> {
  const theirs = await b.read();
  const yours = await a.read();
  const largest = Math.max(...yours.map((value, i) => Math.abs(value - theirs[i])));
  const texts = [`exact ${largest === 0}`.padEnd(11), `approximate ${largest < 1e-6}`.padEnd(17)];
  console.log(`${name.padEnd(8)}  ${texts.join("  ")}  largest difference ${largest.toExponential(1)}`);
}

using logits = Tensor.random(device, [8, 5], { kind: "normal", scale: 2 }, new Random(7, "logits"));
using target = oneHot(Tensor.from(device, [0, 1, 2, 3, 4, 0, 1, 2]), 5);
const made = pieces(logits, target);

// The library has a backward for each operation. It computes what the lines above do, often in the same order.
await compare("shares", made.shares, softmax(logits));
await compare("dShares", made.dShares, logBackward(made.shares, made.dLogs));
await compare("dSums", made.dSums, divideBackward(made.powers, made.sums, made.dShares).dB);
await compare("dShifted", made.dShifted, expBackward(made.powers, made.dPowers));
await compare("dLargest", made.dLargest, subtractBackward(logits, made.largest, made.dShifted).dB);

// And it has everything fused, in one kernel. Other steps lead to the same numbers, so the last digits may differ.
await compare("loss", made.loss, softmaxCrossEntropy.forward(logits, target));
await compare("dLogits", made.dLogits, softmaxCrossEntropy.backward(logits, target));

// What the fusion saves: each piece runs kernels of its own, and writes its result to memory for the next one to read.
const kernelsOf = (body: () => unknown) => {
  const { dispatches } = device.stats;
  body();
  return device.stats.dispatches - dispatches;
};
const byPieces = kernelsOf(() => pieces(logits, target));
const inOne = kernelsOf(() => softmaxCrossEntropy.forwardBackward(logits, target));
console.log(`loss and dLogits by pieces: ${byPieces} kernels run; fused: ${inOne}`);

// Nudging knows nothing of pieces, and gives the same gradient:
const loss = () => softmaxCrossEntropy.forward(logits, target);
console.log(`${await checkBackward(device, loss, { dLogits: [logits, made.dLogits] })}`);

// dLargest is 0 but for rounding. It has to be: the largest logit is taken off for safety only, and moves no share.
await print({ dLargest: made.dLargest });

// Fused is not only faster. Here the right class has the share e^-200, which float32 rounds to 0, and log(0) is
// -Infinity. The fused kernel never takes that logarithm: log(share) is shifted - log(sums).
using far = Tensor.from(device, [[0, 200]]);
using right = Tensor.from(device, [[1, 0]]);
const apart = pieces(far, right);
const fused = softmaxCrossEntropy.forwardBackward(far, right);
console.log(`a share of e^-200, by pieces: loss ${await apart.loss.item()}, dLogits ${await apart.dLogits.read()}`);
console.log(`fused: loss ${await fused.loss.item()}, dLogits ${await fused.dPrediction.read()}`);

// exercise: Follow dLogits through the eight lines with a pencil. Nearly everything cancels. Write what is left, in one
// line from logits, target and n, with softmax() and without the fused loss. The check counts kernels.
export function backward(logits: Tensor, target: Tensor): Tensor {
  return multiply(logits, scale(target, 0)); // zeros, for now
}

// Lesson 7: softmax and cross-entropy, first piece by piece, then fused.
//
// A classifier gives each class a score, a logit. Softmax turns a row of them into shares that sum to 1. Cross-entropy
// is the mean of -log(share of the right class). Both are made of small pieces, each with a backward of one line.
import { add, Device, divide, divideBackward, equal, exp, expBackward, log, logBackward, max } from "../../mod.ts";
import { multiply, oneHot, Random, readAll, scale, softmax, softmaxCrossEntropy, subtract } from "../../mod.ts";
import { sum, Tensor } from "../../mod.ts";

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

  // Backward, last piece first: eight lines for eight. powers and logits are used twice: their gradients are sums.
  const dPicked = Tensor.full(device, logits.shape, -1 / n);
  const dLogs = multiply(dPicked, target);
  const dShares = divide(dLogs, shares);
  const dSums = column(scale(sum(divide(multiply(dShares, shares), sums), 1), -1));
  const dPowers = add(divide(dShares, sums), dSums);
  const dShifted = multiply(dPowers, powers);
  const dLargest = column(scale(sum(dShifted, 1), -1));
  const dLogits = add(dShifted, multiply(equal(logits, largest), dLargest));
  return { powers, sums, shares, loss, dLogs, dShares, dSums, dPowers, dShifted, dLargest, dLogits };
}

/** Prints how near two tensors are. Exact: no difference at all. Approximate: none but rounding. */
async function compare(name: string, a: Tensor, b: Tensor): Promise<void> {
  const [ours, theirs] = await readAll([a, b]);
  const off = Math.max(...ours.map((value, i) => Math.abs(value - theirs[i])));
  const exact = `exact ${off === 0}`.padEnd(11);
  console.log(`${name.padEnd(10)}${exact}  approximate ${off < 1e-6}  largest difference ${off.toExponential(1)}`);
}

using logits = Tensor.random(device, [8, 5], { kind: "normal", scale: 2 }, new Random(7, "logits"));
using target = oneHot(Tensor.from(device, [0, 1, 2, 3, 4, 0, 1, 2]), 5);
const { dispatches } = device.stats;
const made = pieces(logits, target);
const byPieces = device.stats.dispatches - dispatches;
const fused = softmaxCrossEntropy.forwardBackward(logits, target);
const inOne = device.stats.dispatches - dispatches - byPieces;

// The library has a backward for each operation. It computes what the lines above do, often in the same order.
await compare("shares", made.shares, softmax(logits));
await compare("dShares", made.dShares, logBackward(made.shares, made.dLogs));
await compare("dSums", made.dSums, divideBackward(made.powers, made.sums, made.dShares).dB);
await compare("dShifted", made.dShifted, expBackward(made.powers, made.dPowers));
// dLargest has to be 0, but for rounding: the largest logit is taken off for safety only, and moves no share.
await compare("dLargest", made.dLargest, Tensor.zeros(device, [8, 1]));

// And it has all of this in one kernel. By pieces, each kernel writes its result to memory for the next one to read.
await compare("loss", made.loss, fused.loss);
await compare("dLogits", made.dLogits, fused.dPrediction);
console.log(`loss and dLogits by pieces: ${byPieces} kernels run; fused: ${inOne}`);

// Fused is safer, too. Here the right class has the share e^-200. float32 rounds it to 0, and log(0) is -Infinity. The
// fused kernel never takes that logarithm: log(share) is shifted - log(sums).
using far = Tensor.from(device, [[0, 200]]);
using right = Tensor.from(device, [[1, 0]]);
const apart = pieces(far, right);
const safe = softmaxCrossEntropy.forwardBackward(far, right);
console.log(`a share of e^-200, by pieces: loss ${await apart.loss.item()}, dLogits ${await apart.dLogits.read()}`);
console.log(`fused: loss ${await safe.loss.item()}, dLogits ${await safe.dPrediction.read()}`);

// exercise: Follow dLogits through the eight lines with a pencil. Nearly everything cancels. Write what is left, in one
// line from logits, target and n, with softmax() and without the fused loss. The check counts kernels.
export function backward(logits: Tensor, target: Tensor): Tensor {
  return multiply(logits, scale(target, 0)); // zeros, for now
}

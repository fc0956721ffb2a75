/** What judges the exercise of lesson 9: the kernel of softplus' backward. */
import { add, checkBackward, Device, exp, log, multiply, Random, type Shape, sum, Tensor } from "../../../mod.ts";

/** What lesson 9 exports. */
export interface Lesson {
  readonly softplusBackward: (x: Tensor, dOut: Tensor) => Tensor;
}

/** Each tells a bit more; the last one nearly all. */
export const hints: readonly string[] = [
  'Copy softplusKernel. The backward reads two tensors, x and dOut, so `access` gets one more "read" in front.',
  "The bindings count on: x is 0, dOut is 1, dx is 2, and `count` moves to 3. `buffers` has the same order: [x, dOut, dx].",
  "The line inside the `if` is: dx[i] = dOut[i] / (1.0 + exp(-x[i]));",
];

/** Numbers where e^x or e^-x is infinite in float32. */
const EXTREMES = [-100, 100];

/** Says what is wrong, in a sentence each. A mistake in WGSL spoils a device, so the check has one of its own. */
export async function check(_: Device, { softplusBackward }: Lesson): Promise<string[]> {
  using device = await Device.request({ smallDispatches: true });
  for (const judge of [checkSlopes, checkValues, checkWork]) {
    const wrong = await judge(device, softplusBackward);
    if (wrong.length > 0) return wrong; // what comes after would only say the same in other words
  }
  return [];
}

type Backward = Lesson["softplusBackward"];

/** Nudges softplus made of three operations, each output weighted so that a transposed dOut shows. */
async function checkSlopes(device: Device, backward: Backward): Promise<string[]> {
  using x = draw(device, [4, 3], 1);
  using dOut = draw(device, [4, 3], 2);
  using dx = backward(x, dOut);
  const loss = () => sum(multiply(log(add(exp(x), 1)), dOut));
  const report = await checkBackward(device, loss, { dx: [x, dx] });
  return report.ok ? [] : [`${report}`];
}

/** Compares with float64, where there are more elements than one workgroup has. */
async function checkValues(device: Device, backward: Backward): Promise<string[]> {
  using x = draw(device, [1000], 3, EXTREMES);
  using dOut = draw(device, [1000], 4);
  using dx = backward(x, dOut);
  const inputs = await x.read();
  const gradients = await dOut.read();
  const found = await dx.read();
  for (const [i, value] of found.entries()) {
    const expected = gradients[i] / (1 + Math.exp(-inputs[i]));
    if (Math.abs(value - expected) <= 1e-5) continue;
    const place = `dx[${i}] of ${found.length}, where x is ${inputs[i].toFixed(3)} and dOut ${gradients[i].toFixed(3)}`;
    return [
      `${place}: yours is ${value.toFixed(6)}, the slope gives ${expected.toFixed(6)}. ${cause(i, inputs[i])}`.trim(),
    ];
  }
  return [];
}

function cause(entry: number, x: number): string {
  if (Math.abs(x) === 100) return "e^100 is infinite in float32: divide by 1 + e^-x, without an e^x above it.";
  return entry >= 64
    ? "A workgroup has 64 invocations: is `invocations` the size of x, and `i` made of id.x and id.y?"
    : "";
}

/** A right gradient that takes more than one dispatch, or leaves tensors, is not finished. */
async function checkWork(device: Device, backward: Backward): Promise<string[]> {
  using x = draw(device, [4, 3], 5);
  using dOut = draw(device, [4, 3], 6);
  const { buffers, dispatches } = device.stats;
  const dx = backward(x, dOut);
  await dx.read();
  dx.dispose();
  const asked = device.stats.dispatches - dispatches;
  const left = device.stats.buffers - buffers;
  const wrong = asked === 1
    ? []
    : [`It takes ${asked} dispatches: one kernel can compute 1 / (1 + e^-x) and multiply.`];
  return left > 0 ? [...wrong, `Buffers left behind: ${left}. Make one tensor, the result.`] : wrong;
}

function draw(device: Device, shape: Shape, seed: number, extremes: readonly number[] = []): Tensor {
  const random = new Random(seed, "lesson 9");
  const size = shape.reduce((product, length) => product * length, 1);
  const values = Array.from({ length: size }, () => random.normal());
  return Tensor.from(device, [...values.slice(extremes.length), ...extremes], shape);
}

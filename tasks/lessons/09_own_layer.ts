/** Lesson 9: a layer of your own. Softplus in WGSL, then the Trainer and AdamW, next to the same by hand. */
import { ActivationLayer, AdamW, add, checkGradients, Device, divide, exp, type Kernel, Linear } from "../../mod.ts";
import { log, Model, mse, multiply, Random, reference, scale, sgdStep, sigmoid, sqrt, square } from "../../mod.ts";
import { Tensor, Trainer } from "../../mod.ts";

// Softplus is a ReLU without the kink: log(1 + e^x). As three operations it fails for large x: e^100 is no float32.
using device = await Device.request({ smallDispatches: true });
using samples = Tensor.from(device, [-100, -1, 0, 1, 100]);
using pieces = device.tidy(() => log(add(exp(samples), 1)));
console.log("in pieces:  ", (await pieces.read()).join(", "));

// A kernel is a text in WGSL. The GPU runs `main` for each i at once. The number of elements comes from `sizes`, since the
// last workgroup of 64 may reach past the end. Here e is at most 1: x itself is taken out of the logarithm when it is positive.
const softplusKernel: Kernel = {
  name: "softplus",
  access: ["read", "read_write"], // the bindings 0 and 1; the sizes come last
  code: `
    @group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> out: array<f32>;
    @group(0) @binding(2) var<uniform> count: u32;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let i = id.x + id.y * groups.x * 64u; // a long row of workgroups is folded into several
      if (i < count) {
        let e = exp(-abs(x[i]));
        out[i] = max(x[i], 0.0) + log(1.0 + e);
      }
    }`,
};
function softplus(x: Tensor): Tensor {
  const out = Tensor.empty(x.device, x.shape);
  x.device.run(softplusKernel, { buffers: [x, out], sizes: [x.size], invocations: x.size });
  return out;
}
using smooth = softplus(samples);
console.log("as a kernel:", (await smooth.read()).join(", "));

// A layer adds the backward. The slope of log(1 + e^x) is e^x / (1 + e^x), the sigmoid. `kept` is the input of the last
// forward. `reference` is the same in float64, with no thought of speed: the gradient check compares with it.
class Softplus extends ActivationLayer {
  readonly kind = "Softplus";
  forward(x: Tensor): Tensor {
    this.kept = x;
    return softplus(x);
  }
  backward(dOut: Tensor): Tensor {
    return multiply(dOut, sigmoid(this.kept));
  }
  reference(): reference.ReferenceLayer {
    return new reference.ReferenceActivation({
      forward: (x) => x.map((v) => Math.log(1 + Math.exp(v))),
      backward: (x, dOut) => dOut.map((d, i) => d / (1 + Math.exp(-x.data[i]))),
    });
  }
}
const checks = await checkGradients(device, { name: "softplus", layers: [new Softplus()], loss: mse, inputs: 5 }, 9);
for (const { name, entries, ok } of checks) {
  console.log(`gradient of ${name}: ${entries} nudged, ${ok ? "right" : "WRONG"}`);
}

// Now y = 2x + 1 with noise, on a 1-8-1 network. Library and hand start from the same weights.
const random = new Random(9, "points");
const xs = Array.from({ length: 200 }, () => [random.uniform(-5, 5)]);
using x = Tensor.from(device, xs);
using y = Tensor.from(device, xs.map(([v]) => [2 * v + 1 + random.uniform(-0.1, 0.1)]));
const layers = () => [new Linear(1, 8), new Softplus(), new Linear(8, 1)];
using model = new Model(device, layers(), { random: new Random(9, "weights") });
using optimizer = new AdamW(model, 0.05);
using trainer = new Trainer({ model, loss: mse, optimizer, x, y, batchSize: 200, seed: 9, shuffle: false });
const epochs = await Array.fromAsync(trainer.epochs(200));

// AdamW by hand, for all parameters at once. m and v are running means of the gradient and of its square. The step is m / √v:
// of like size for large and small gradients. Both means start at 0, so they are divided by what is missing early on.
using own = new Model(device, layers(), { random: new Random(9, "weights") });
using m = Tensor.zeros(device, own.values.shape);
using v = Tensor.zeros(device, own.values.shape);
const losses: number[] = [];
for (let t = 1; t <= 200; t++) {
  using value = device.tidy(() => {
    const prediction = own.forward(x, { training: true });
    own.backward(mse.backward(prediction, y));
    add(scale(m, 0.9), scale(own.gradients, 0.1), { out: m });
    add(scale(v, 0.999), scale(square(own.gradients), 0.001), { out: v });
    const size = add(sqrt(scale(v, 1 / (1 - 0.999 ** t))), 1e-8);
    const move = divide(scale(m, 1 / (1 - 0.9 ** t)), size);
    sgdStep(own.values, add(move, scale(own.values, 0.01)), 0.05); // the decay pulls weights to 0, outside m and v
    return mse.forward(prediction, y);
  });
  if (t === 1 || t === 200) losses.push(await value.item());
}
const show = (name: string, first: number, last: number) => console.log(name, first.toFixed(3), "->", last.toFixed(3));
show("loss with AdamW of the library:", epochs[0].loss, epochs[199].loss);
show("loss with AdamW by hand:       ", losses[0], losses[1]);

// exercise: Softplus.backward takes two dispatches, sigmoid and multiply. Write one kernel that does both, and run it here.
// Make the kernel object once, outside the function: what the GPU compiles of it is kept with the object.

/** Gradient of softplus from its input: dx = dOut / (1 + e^-x), in the shape of `x`. */
export function softplusBackward(x: Tensor, dOut: Tensor): Tensor {
  return Tensor.zeros(x.device, dOut.shape); // put the kernel's run here
}

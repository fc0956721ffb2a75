/** Lesson 9: a layer of your own. Softplus in WGSL, then the Trainer and AdamW, next to the same by hand. */
import { ActivationLayer, AdamW, add, checkGradients, Device, divide, type Kernel, Linear, Model } from "../../mod.ts";
import { mse, multiply, reference, scale, sgdStep, sigmoid, sqrt, square, Tensor, Trainer } from "../../mod.ts";

// Softplus, log(1 + e^x), is a ReLU without the kink. e^100 is no float32, so a positive x is taken out of the log.
// The GPU runs `main` for each i at once; the last workgroup of 64 may reach past the end, hence `count`.
const code = `
  @group(0) @binding(0) var<storage, read> x: array<f32>;
  @group(0) @binding(1) var<storage, read_write> out: array<f32>;
  @group(0) @binding(2) var<uniform> count: u32; // from \`sizes\` below; it comes last

  @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i < count) { out[i] = max(x[i], 0.0) + log(1.0 + exp(-abs(x[i]))); }
  }`;
const softplusKernel: Kernel = { name: "softplus", access: ["read", "read_write"], code };

// A layer adds the backward. The slope of log(1 + e^x) is e^x / (1 + e^x), the sigmoid. `kept` is the input of the last
// forward. `reference` is the same in float64, with no thought of speed: the gradient check compares with it.
class Softplus extends ActivationLayer {
  readonly kind = "Softplus";
  forward(x: Tensor): Tensor {
    this.kept = x;
    const out = Tensor.empty(x.device, x.shape);
    x.device.run(softplusKernel, { buffers: [x, out], sizes: [x.size], invocations: x.size });
    return out;
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
using device = await Device.request({ smallDispatches: true });
using samples = Tensor.from(device, [-100, -1, 0, 1, 100]);
using smooth = new Softplus().forward(samples);
console.log("softplus of -100, -1, 0, 1, 100:", (await smooth.read()).join(", "));
const alone = { name: "softplus", layers: [new Softplus()], loss: mse, inputs: 5 };
const [{ entries, ok }] = await checkGradients(device, alone, 9);
console.log(`gradient of its input: ${entries} nudged, ${ok ? "right" : "WRONG"}`);

// Now y = x² on a 1-8-1 network. Library and hand start from the same weights, those of seed 0.
using x = Tensor.from(device, Array.from({ length: 200 }, (_, i) => [i / 20 - 5]));
using y = square(x);
const network = () => new Model(device, [new Linear(1, 8), new Softplus(), new Linear(8, 1)]);
using model = network();
using optimizer = new AdamW(model, 0.05);
using trainer = new Trainer({ model, loss: mse, optimizer, x, y, batchSize: 200, seed: 9, shuffle: false });

// AdamW by hand, for all parameters. m and v are running means of the gradient and its square. The step, m / √v,
// is of like size for large and small gradients. Both means start at 0, so each is divided by what is missing at first.
using own = network();
using m = Tensor.zeros(device, own.values.shape);
using v = Tensor.zeros(device, own.values.shape);
for await (const { epoch: t, loss } of trainer.epochs(200)) {
  using ownLoss = device.tidy(() => {
    const prediction = own.forward(x, { training: true });
    own.backward(mse.backward(prediction, y));
    add(scale(m, 0.9), scale(own.gradients, 0.1), { out: m });
    add(scale(v, 0.999), scale(square(own.gradients), 0.001), { out: v });
    const move = divide(scale(m, 1 / (1 - 0.9 ** t)), add(sqrt(scale(v, 1 / (1 - 0.999 ** t))), 1e-8));
    sgdStep(own.values, add(move, scale(own.values, 0.01)), 0.05); // the decay pulls weights to 0, outside m and v
    return mse.forward(prediction, y);
  });
  const both = `${loss.toFixed(3)} by the library, ${(await ownLoss.item()).toFixed(3)} by hand`;
  if (t === 1 || t === 200) console.log(`loss with AdamW, step ${t}: ${both}`);
}

// exercise: Softplus.backward takes two dispatches, sigmoid and multiply. Write one kernel for both, and run it here.
// Make the kernel object once, outside the function: what the GPU compiles of it is kept with the object.

/** Gradient of softplus from its input: dx = dOut / (1 + e^-x), in the shape of `x`. */
export function softplusBackward(x: Tensor, dOut: Tensor): Tensor {
  return Tensor.zeros(x.device, dOut.shape); // put the kernel's run here
}

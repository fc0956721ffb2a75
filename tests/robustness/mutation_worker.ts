/**
 * A worker that tells of each mutant whether the project's own checks catch it: the self-test of kernels and the gradient
 * checks. Small grids are folded, so that what only large ones compute is checked too.
 */
import { type Kernel, kernels, wholeStepOfTexels } from "../../kernels/mod.ts";
import { Device } from "../../lib/gpu/device.ts";
import * as gradcheck from "../../lib/check/gradcheck.ts";
import * as cases from "../../lib/check/op_cases.ts";
import * as selfTest from "../../lib/check/self_test.ts";

/** What catches mutants: the project's modules, or copies of them with a mutant inside. */
const OWN = { gradcheck, selfTest, cases };
type Checks = typeof OWN;

/** A kernel's mutant by both texts, or that of a module by where the copies of gradcheck and self_test lie. */
export type Question = { readonly text: string; readonly mutated: string } | Readonly<Record<keyof Checks, string>>;

/** A sound step has some tens of dispatches; a loop that does not end has no end of them. */
const MAX_DISPATCHES = 5_000;
const HIDDEN_SIZE = [8];

let shared: Promise<Device> | undefined;

const request = () => Device.request({ smallDispatches: true, gridWidth: 2 });

/** What reports a fault, among all cases or those that `isNear` prefers and then the gradient checks. */
async function findCatcher(
  device: Device,
  checks: Checks,
  isNear: (given: cases.KernelCase) => boolean,
): Promise<string> {
  const { gradcheck, selfTest, cases: { partedCases } } = checks;
  try {
    const cases = [...selfTest.shortCases(device), ...partedCases(device)].filter(isNear);
    const wrong = (await selfTest.runCases(device, cases)).find(({ ok }) => !ok);
    if (wrong) return `self-test: ${wrong.kernel} on ${wrong.on}`;
    // Networks first: they run the most.
    const nets = gradcheck.gradientCases(HIDDEN_SIZE).sort((a, b) => b.layers.length - a.layers.length);
    for (const given of nets) {
      const wrong = (await gradcheck.checkGradients(device, given, 1)).find(({ ok }) => !ok);
      if (wrong) return `gradcheck: ${given.name}, ${wrong.name}`;
    }
    await new Promise((resolve) => setTimeout(resolve)); // faults are reported in a task of their own
    device.check();
    return "";
  } catch (error) {
    return `${error}`.split("\n")[0];
  }
}

async function checkKernel(text: string, mutated: string): Promise<string> {
  const { createShaderModule } = GPUDevice.prototype;
  GPUDevice.prototype.createShaderModule = function (descriptor) {
    return createShaderModule.call(this, { ...descriptor, code: descriptor.code.replace(text, () => mutated) });
  };
  const device = await request();
  try {
    const all: readonly Kernel[] = [...Object.values(kernels), wholeStepOfTexels];
    const near = all.filter(({ code }) => code.includes(text)).map(({ name }) => name);
    return await findCatcher(device, OWN, ({ kernel }) => near.includes(kernel.name));
  } finally {
    GPUDevice.prototype.createShaderModule = createShaderModule;
    device.dispose();
  }
}

async function checkModules(modules: Record<keyof Checks, string>): Promise<string> {
  const device = await (shared ??= request());
  const run = device.run;
  let dispatches = 0;
  device.run = (...given) => {
    if (++dispatches > MAX_DISPATCHES) throw new RangeError("it does not end");
    run.apply(device, given);
  };
  try {
    const copies = Object.entries(modules).map(async ([name, path]) => [name, await import(path)]);
    return await findCatcher(device, Object.fromEntries(await Promise.all(copies)) as Checks, () => true);
  } finally {
    device.run = run;
    await new Promise((resolve) => setTimeout(resolve));
    try {
      device.check(); // what the mutant left must not be held against the next one
    } catch { /* it was reported */ }
  }
}

self.addEventListener("message", async (event) => {
  const question = (event as MessageEvent<Question>).data;
  const caughtBy = "text" in question
    ? await checkKernel(question.text, question.mutated)
    : await checkModules(question);
  (globalThis as unknown as Worker).postMessage(caughtBy);
});

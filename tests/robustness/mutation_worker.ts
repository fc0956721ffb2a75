/**
 * A worker that tells of each mutant whether the project's own checks catch it: the self-test of kernels and the gradient
 * checks. Small grids are folded, so that what only large ones compute is checked too.
 */
import { kernels } from "../../kernels/mod.ts";
import { Device } from "../../lib/gpu/device.ts";
import type { KernelCase } from "../../lib/check/op_cases.ts";

/** What catches mutants: the project's modules, or copies of them with a mutant inside. */
interface Checks {
  readonly gradcheck: typeof import("../../lib/check/gradcheck.ts");
  readonly selfTest: typeof import("../../lib/check/self_test.ts");
  readonly cases: typeof import("../../lib/check/op_cases.ts");
}

/** A kernel's mutant by both texts, or that of a module by where the copies of gradcheck and self_test lie. */
export type Question = { readonly text: string; readonly mutated: string } | Readonly<Record<keyof Checks, string>>;

/** A sound step has some tens of dispatches; a loop that does not end has no end of them. */
const MAX_DISPATCHES = 5_000;
const HIDDEN_SIZE = [8];

const OWN = {
  gradcheck: "../../lib/check/gradcheck.ts",
  selfTest: "../../lib/check/self_test.ts",
  cases: "../../lib/check/op_cases.ts",
};
let shared: Promise<Device> | undefined;

const request = () => Device.request({ smallDispatches: true, gridWidth: 2 });

/** What reports a fault, among all cases or those that `isNear` prefers and then the gradient checks. */
async function findCatcher(device: Device, checks: Checks, isNear: (given: KernelCase) => boolean): Promise<string> {
  const { gradcheck, selfTest, cases: { partedCases } } = checks;
  try {
    const cases = [...selfTest.quickCases(device), ...partedCases(device)].filter(isNear);
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
    const near = Object.values(kernels).filter(({ code }) => code.includes(text)).map(({ name }): string => name);
    return await findCatcher(device, await load(OWN), ({ kernel }) => near.includes(kernel.name));
  } finally {
    GPUDevice.prototype.createShaderModule = createShaderModule;
    device.dispose();
  }
}

async function load({ gradcheck, selfTest, cases }: Record<keyof Checks, string>): Promise<Checks> {
  return { gradcheck: await import(gradcheck), selfTest: await import(selfTest), cases: await import(cases) };
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
    return await findCatcher(device, await load(modules), () => true);
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

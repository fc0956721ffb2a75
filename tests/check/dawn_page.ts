/** What dawn_test.ts runs in a page: the cases of the self-test, for every form of every kernel, on the browser's WebGPU. */

import { type Kernel, kernels } from "../../kernels/mod.ts";
import { byFours, fromTexels } from "../../lib/gpu/kernel_forms.ts";
import { withOperand } from "../../lib/arithmetic/operand_forms.ts";
import { broadcastCases } from "../../lib/check/operation_cases.ts";
import { type KernelCase, largeProductCases, partedCases } from "../../lib/check/op_cases.ts";
import { productCases } from "../../lib/check/product_cases.ts";
import { type KernelCheck, runCases, shortCases } from "../../lib/check/self_test.ts";
import { longStatisticsCases } from "../../lib/check/statistics_cases.ts";
import { wholeStepCases } from "../../lib/check/whole_step_cases.ts";
import { requestAdapter, requestGpu } from "../../lib/gpu/adapter.ts";
import { Device } from "../../lib/gpu/device.ts";
import { compile } from "../../lib/gpu/pipeline.ts";
import {
  type Flat,
  matmulBlocksKernel,
  matmulTilesKernel,
  PLAIN_PRODUCT,
  type ProductForm,
} from "../../lib/gpu/product_forms.ts";

/** What a page found. Forms of kernels are named as {@linkcode formOf} does. */
export interface Found {
  /** Results that differ from float64. */
  readonly wrong: readonly KernelCheck[];
  /** Forms whose results were compared. */
  readonly computed: readonly string[];
  /** Forms that were compiled, and not run. */
  readonly compiled: readonly string[];
  /** Forms that were left out. */
  readonly leftOut: readonly string[];
  /** What the compiler said of texts, errors and warnings. */
  readonly messages: readonly string[];
}

/** Products with all that they can take in; each transposed operand, activation, derivative and so on in one of them at least. */
const PRODUCT_FORMS = ([
  { bias: true, activation: "relu", dropout: true, sums: true },
  { transposeA: true, derivative: "sigmoid", sums: true, grouped: true },
  { transposeB: true, derivative: "tanh", dropout: true },
  { transposeA: true, transposeB: true, bias: true, activation: "sigmoid", grouped: true },
  { bias: true, activation: "tanh", texels: true },
  { derivative: "relu" },
] satisfies Partial<ProductForm>[]).map((form): ProductForm => ({ ...PLAIN_PRODUCT, ...form }));

/** Which of their matrices lie flat in textures: of the first three some do not. */
function flatOf(form: number): Flat {
  const some = [{ a: false, b: false, y: true }, { a: false, b: true, y: true }, { a: false, b: false, y: false }];
  return some[form] ?? { a: true, b: true, y: true };
}

/** How many of them run in tiles, which take a second each to compile: what the others apply stands in the same text. */
const FORMS_OF_TILES = 4;

/** How many Linear the narrow whole step has that is run; each takes three seconds to compile. */
const NARROW_LAYERS = 4;

/** A kernel's name, its constants, and whether it takes four elements at a time. */
function formOf({ name, constants = {}, code }: Kernel): string {
  const set = Object.entries(constants).map(([key, value]) => ` ${key}=${value}`).join("");
  return `${name}${set}${code.includes("alias Value = vec4f;") || code.includes("alias Bits = vec4u;") ? " vec4" : ""}`;
}

/** Keeps what the compiler says of each text from now on. */
function listenToCompiler(): () => Promise<string[]> {
  const said: Promise<string[]>[] = [];
  const { createShaderModule } = GPUDevice.prototype;
  GPUDevice.prototype.createShaderModule = function (descriptor) {
    const made = createShaderModule.call(this, descriptor);
    const line = ({ type, lineNum, message }: GPUCompilationMessage) =>
      `${descriptor.label}, line ${lineNum}: ${type}: ${message}`;
    said.push(made.getCompilationInfo().then(({ messages }) => messages.map(line)));
    return made;
  };
  return async () => {
    GPUDevice.prototype.createShaderModule = createShaderModule;
    return (await Promise.all(said)).flat();
  };
}

/** Every form of every kernel that the table of kernels knows of; those of products and whole steps are known to their cases. */
function knownForms(): Kernel[] {
  const all: readonly Kernel[] = Object.values(kernels);
  const { add, subtract, multiply, divide, equal, greater } = kernels;
  const spread = [add, subtract, multiply, divide, equal, greater].flatMap((kernel) =>
    (["spread", "number"] as const).map((form) => withOperand(kernel, form))
  );
  const plain = [...all, ...spread];
  const updates = [kernels.sgd, kernels.momentum, kernels.rmsprop, kernels.adam];
  return [...plain, ...plain.filter(({ counts = 0 }) => counts > 0).map(byFours), ...updates.map(fromTexels)];
}

/**
 * Runs all cases of small shapes, with folded grids and products in blocks; then what hardware runs instead, products in tiles
 * and the wide whole step; then plain products. Compiles what no case runs.
 *
 * @throws {DeviceError} If the browser refuses a kernel, with its name.
 */
async function computeAll(): Promise<Found> {
  const compilerSaid = listenToCompiler();
  const wrong: KernelCheck[] = [];
  const computed = new Set<Kernel>();
  const leftOut = new Set<Kernel>();
  const compute = async (device: Device, cases: readonly KernelCase[]) => {
    wrong.push(...(await runCases(device, cases)).filter(({ ok }) => !ok));
    for (const { kernel } of cases) computed.add(kernel);
  };

  {
    using device = await Device.request({ products: "blocks", gridWidth: 2 });
    const narrow = new Set(wholeStepCases(device).map(({ kernel }) => kernel));
    for (const kernel of narrow) if (kernel.constants?.LAYERS !== NARROW_LAYERS) leftOut.add(kernel);
    const cases = [shortCases, broadcastCases, partedCases, longStatisticsCases].flatMap((make) => make(device));
    const blocks = PRODUCT_FORMS.map((form, i) => matmulBlocksKernel(form, i < 3, flatOf(i)));
    cases.push(...blocks.flatMap((kernel) => productCases(device, kernel)));
    await compute(device, cases.filter(({ kernel }) => !leftOut.has(kernel)));
  }
  {
    using device = await Device.request({ products: "tiles" });
    Object.assign(device, { info: { isFallbackAdapter: false } }); // or the whole step is as narrow as suits software
    const tiles = PRODUCT_FORMS.slice(0, FORMS_OF_TILES).map(matmulTilesKernel);
    await compute(device, tiles.flatMap((kernel) => productCases(device, kernel)));
    await compute(device, wholeStepCases(device));
  }
  {
    using device = await Device.request({ products: "plain" });
    await compute(device, largeProductCases(device));
  }
  const compiled = knownForms().filter((kernel) => !computed.has(kernel));
  const refused = await refusalsOf(compiled);
  if (refused.length > 0) throw new TypeError(refused.join("\n"));
  const names = (given: Iterable<Kernel>) => [...given].map(formOf);
  return {
    wrong,
    computed: names(computed),
    compiled: names(compiled),
    leftOut: names(leftOut),
    messages: await compilerSaid(),
  };
}

/** What the browser says of the kernels that it does not compile. */
async function refusalsOf(given: readonly Kernel[]): Promise<string[]> {
  const gpu = await requestGpu(await requestAdapter({}));
  const refused: string[] = [];
  for (const kernel of given) {
    gpu.pushErrorScope("validation");
    compile(gpu, kernel);
    const error = await gpu.popErrorScope();
    if (error) refused.push(`${formOf(kernel)}: ${error.message}`);
  }
  gpu.destroy();
  return refused;
}

/** The results of one kernel's cases that are wrong, after a change of its text. */
async function computeChanged(name: keyof typeof kernels, text: string, by: string): Promise<readonly KernelCheck[]> {
  const kernel: { code: string } = kernels[name];
  const { code } = kernel;
  kernel.code = code.replace(text, by);
  try {
    using device = await Device.request();
    const own = shortCases(device).filter((given) => given.kernel === kernels[name]);
    return (await runCases(device, own)).filter(({ ok }) => !ok);
  } finally {
    kernel.code = code;
  }
}

/** What the page offers to the test. */
export interface Offered {
  computeAll: typeof computeAll;
  computeChanged: typeof computeChanged;
}

Object.assign(globalThis, { computeAll, computeChanged } satisfies Offered);

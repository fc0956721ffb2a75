/**
 * From dispatches to commands: pipelines, bind groups, and what a command needs of its own on the GPU.
 *
 * @module
 */
import type { Kernel } from "../../kernels/mod.ts";
import type { ProductMethod } from "./adapter.ts";
import type { GpuFaults } from "./faults.ts";
import {
  type Binding,
  compile,
  hasSizes,
  isBinding,
  MEMORY_FORMAT,
  packSizes,
  type PlannedDispatch,
  type Resource,
  usesMemory,
} from "./pipeline.ts";
import { planDispatches, type PlanTarget } from "./plan.ts";
import type { Unused } from "./product.ts";
import { copiesOf, MEMORY_SIZE, TEXEL_BYTES, type TextureCopy, textureSize } from "./textures.ts";

const WORKGROUP = 64;
const MAX_WORKGROUPS = 65_535;

/** Copies into textures, or one dispatch with everything bound. */
export type Command = BoundDispatch | { readonly copies: readonly TextureCopy[] };

interface BoundDispatch {
  readonly kernel: Kernel;
  readonly bound: readonly (GPUBuffer | GPUTexture)[];
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  /** Workgroups along x and y. */
  readonly x: number;
  readonly y: number;
}

/** Counts of what is alive and of what was made. */
type Counts = Record<"buffers" | "bytes" | "allocations" | "bindGroups", number>;

/** Commands ready to run, and what has to be freed with them. */
export interface Built extends Disposable {
  readonly commands: readonly Command[];
  /** Every buffer that they bind. */
  readonly buffers: ReadonlySet<GPUBuffer>;
  /** What they hold for themselves, in bytes. */
  readonly bytes: number;
}

/** How dispatches become commands. */
export interface BuildOptions extends Pick<PlanTarget, "plain" | "intermediate" | "closed"> {
  /** Whether what they hold for themselves counts as alive; what the device keeps for itself does not. */
  readonly isCounted?: boolean;
}

export class CommandBuilder {
  readonly #gpu: GPUDevice;
  readonly #counts: Counts;
  readonly #faults: GpuFaults;
  readonly #products: ProductMethod;
  readonly #gridWidth: number;
  readonly #pipelines = new Map<Kernel, GPUComputePipeline>();
  #unused: Unused | undefined;
  #memory: GPUTexture | undefined;

  constructor(gpu: GPUDevice, counts: Counts, faults: GpuFaults, products: ProductMethod, gridWidth = MAX_WORKGROUPS) {
    this.#gpu = gpu;
    this.#counts = counts;
    this.#faults = faults;
    this.#products = products;
    this.#gridWidth = gridWidth;
  }

  build(dispatches: readonly PlannedDispatch[], { isCounted = true, ...options }: BuildOptions = {}): Built {
    using own = new DisposableStack(); // frees what was made where a dispatch is refused
    let bytes = 0;
    const keep = <T extends GPUBuffer | GPUTexture>(made: T): T => {
      const size = bytesOf(made);
      bytes += size;
      this.#counts.allocations++;
      if (isCounted) this.#count(1, size);
      own.defer(() => {
        made.destroy();
        if (isCounted) this.#count(-1, -size);
      });
      return made;
    };
    const createTexture = (rows: number, columns: number) => keep(this.#createTexture(rows, columns));
    const unused = () => this.#unused ??= this.#createUnused();
    const steps = planDispatches(dispatches, { ...options, products: this.#products, createTexture, unused });
    const commands = steps.map((step) => {
      if (Array.isArray(step)) return { copies: step.flatMap(copiesOf) };
      return this.#faults.watch(step.kernel.name, () => {
        const grid = gridOf(step, this.#gridWidth); // it may refuse, before anything is made
        const uniform = this.#createUniform(step);
        if (uniform) keep(uniform);
        return { ...this.#bind(step, uniform), ...grid };
      });
    });
    const bound = steps.flatMap((step) => Array.isArray(step) ? step.map(({ matrix }) => matrix) : step.resources);
    const buffers = new Set(bound.filter(isBinding).map(({ buffer }) => buffer));
    const kept = own.move();
    return { commands, buffers, bytes, [Symbol.dispose]: () => kept.dispose() };
  }

  #bind(dispatch: PlannedDispatch, uniform: GPUBuffer | undefined): Omit<BoundDispatch, "x" | "y"> {
    const { kernel } = dispatch;
    const pipeline = this.#pipeline(kernel);
    const resources = [...dispatch.resources];
    if (usesMemory(kernel)) resources.push(this.#memory ??= this.#createMemory());
    const bound = resources.map((resource) => isBinding(resource) ? resource.buffer : resource);
    const entries = resources.map(toBindingResource);
    if (uniform) entries.push({ buffer: uniform });
    const bindGroup = this.#gpu.createBindGroup({
      label: kernel.name,
      layout: pipeline.getBindGroupLayout(0),
      entries: entries.map((resource, binding) => ({ binding, resource })),
    });
    this.#counts.bindGroups++;
    return { kernel, bound, pipeline, bindGroup };
  }

  #pipeline(kernel: Kernel): GPUComputePipeline {
    let pipeline = this.#pipelines.get(kernel);
    if (!pipeline) this.#pipelines.set(kernel, pipeline = compile(this.#gpu, kernel));
    return pipeline;
  }

  #createUniform({ kernel, sizes, reals }: PlannedDispatch): GPUBuffer | undefined {
    if (!hasSizes(kernel)) return undefined;
    const words = packSizes(sizes, reals);
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    const uniform = this.#gpu.createBuffer({ size: words.byteLength, usage, label: kernel.name });
    this.#gpu.queue.writeBuffer(uniform, 0, words);
    return uniform;
  }

  #createTexture(rows: number, columns: number): GPUTexture {
    const size = textureSize(rows, columns);
    const bytes = size[0] * size[1] * TEXEL_BYTES;
    const label = "a packed matrix";
    const usage = GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_DST;
    const create = () => this.#gpu.createTexture({ label, size, format: "rgba32float", usage });
    return this.#faults.watch(label, create, bytes);
  }

  /** As small as can be, and alive as long as the device. */
  #createUnused(): Unused {
    const bind = (buffer: GPUBuffer): Binding => ({ buffer, byteOffset: 0, byteLength: buffer.size });
    const create = () => bind(this.#gpu.createBuffer({ label: "unused", size: 16, usage: GPUBufferUsage.STORAGE }));
    return { read: create(), out: create(), out4: create(), sums: create(), texels: this.#createTexture(1, 4) };
  }

  /** One for all kernels, for none leaves anything there; alive as long as the device. */
  #createMemory(): GPUTexture {
    const usage = GPUTextureUsage.STORAGE_BINDING;
    return this.#gpu.createTexture({ label: "memory of kernels", size: MEMORY_SIZE, format: MEMORY_FORMAT, usage });
  }

  #count(buffers: number, bytes: number): void {
    this.#counts.buffers += buffers;
    this.#counts.bytes += bytes;
  }
}

function bytesOf(made: GPUBuffer | GPUTexture): number {
  return "width" in made ? made.width * made.height * TEXEL_BYTES : made.size;
}

/** How many of some commands are dispatches. */
export function dispatchesOf(commands: readonly Command[]): number {
  return commands.filter((command) => "pipeline" in command).length;
}

/** Puts commands on an encoder; dispatches between copies are one compute pass. */
export function encode(encoder: GPUCommandEncoder, commands: readonly Command[], times: number): void {
  let pass: GPUComputePassEncoder | undefined;
  for (let time = 0; time < times; time++) {
    for (const command of commands) {
      if ("copies" in command) {
        pass?.end();
        pass = undefined;
        for (const { source, destination, size } of command.copies) {
          encoder.copyBufferToTexture(source, destination, size);
        }
      } else {
        pass ??= encoder.beginComputePass();
        pass.setPipeline(command.pipeline);
        pass.setBindGroup(0, command.bindGroup);
        pass.dispatchWorkgroups(command.x, command.y);
      }
    }
  }
  pass?.end();
}

/** Which kernels of some commands are meant. */
export function kernelsOf(commands: readonly Command[], by: GPUBuffer | string): string {
  const dispatches = commands.filter((command) => "pipeline" in command);
  const isMeant = ({ kernel, bound }: BoundDispatch) => {
    if (typeof by !== "string") return bound.includes(by);
    return [kernel.name, ...bound.map(({ label }) => label)].some((label) => by.includes(`'${label}'`));
  };
  const meant = dispatches.filter(isMeant);
  const names = new Set((meant.length > 0 ? meant : dispatches).map(({ kernel }) => kernel.name));
  return [...names].join(", ") || "copies";
}

/** Workgroups along x and y; refuses more than a dispatch has. */
function gridOf({ kernel, invocations }: PlannedDispatch, width: number): { x: number; y: number } {
  const groups = Math.ceil(invocations / (kernel.workgroup ?? WORKGROUP));
  const y = Math.ceil(groups / width);
  if (!(y <= MAX_WORKGROUPS)) {
    throw new RangeError(
      `Cannot run ${kernel.name}: ${invocations} invocations are ${groups} workgroups, a dispatch has at most ${
        MAX_WORKGROUPS ** 2
      }`,
    );
  }
  return { x: Math.ceil(groups / y), y };
}

function toBindingResource(resource: Resource): GPUBindingResource {
  if (!isBinding(resource)) return resource.createView();
  const { buffer, byteOffset, byteLength } = resource;
  return { buffer, offset: byteOffset, size: Math.max(4, byteLength) };
}

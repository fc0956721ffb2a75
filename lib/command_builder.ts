/**
 * From dispatches to commands: pipelines, bind groups, and what a command needs of its own on the GPU.
 *
 * @module
 */
import type { Kernel } from "../kernels/mod.ts";
import type { ProductSchedule } from "./adapter.ts";
import { type Binding, compile, type Dispatch, hasSizes, isBinding, packSizes, type Resource } from "./pipeline.ts";
import { copiesOf, TEXEL_BYTES, type TextureCopy, textureSize, type Unused } from "./product.ts";
import { schedule } from "./schedule.ts";

const WORKGROUP = 64;
const MAX_WORKGROUPS = 65_535;

/** Copies into textures, or one dispatch with everything bound. */
export type Command = BoundDispatch | { readonly copies: readonly TextureCopy[] };

interface BoundDispatch {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  /** Workgroups along x and y. */
  readonly x: number;
  readonly y: number;
}

/** Counts of what is alive and of what was made. */
export interface Counts {
  buffers: number;
  bytes: number;
  allocations: number;
  bindGroups: number;
}

/** Commands ready to run, and what has to be freed with them. */
export interface Built extends Disposable {
  /** In order. */
  readonly commands: readonly Command[];
  /** Every buffer that they bind. */
  readonly buffers: ReadonlySet<GPUBuffer>;
}

/** Builds commands for one device. */
export class CommandBuilder {
  readonly #gpu: GPUDevice;
  readonly #counts: Counts;
  readonly #products: ProductSchedule;
  readonly #gridWidth: number;
  readonly #pipelines = new Map<Kernel, GPUComputePipeline>();
  #unused: Unused | undefined;

  /**
   * Takes note of the device.
   *
   * @param gpu The device.
   * @param counts Where to count.
   * @param products How larger products run.
   * @param gridWidth Workgroups in a row of a grid at most.
   */
  constructor(gpu: GPUDevice, counts: Counts, products: ProductSchedule, gridWidth: number = MAX_WORKGROUPS) {
    [this.#gpu, this.#counts, this.#products, this.#gridWidth] = [gpu, counts, products, gridWidth];
  }

  /**
   * Builds commands.
   *
   * @param plain What operations asked for.
   * @param intermediate Buffers that need not be written where nothing else reads them; without it nothing is fused.
   * @returns The commands.
   */
  build(plain: readonly Dispatch[], intermediate?: ReadonlySet<GPUBuffer>): Built {
    const own: (GPUBuffer | GPUTexture)[] = [];
    const createTexture = (texels: number) => {
      const texture = this.#createTexture(texels);
      own.push(texture);
      return texture;
    };
    const unused = () => this.#unused ??= this.#createUnused();
    const steps = schedule(plain, { products: this.#products, createTexture, unused, intermediate });
    const commands = steps.map((step) => {
      if (Array.isArray(step)) return { copies: step.flatMap(copiesOf) };
      const uniform = this.#createUniform(step);
      if (uniform) own.push(uniform);
      return this.#command(step, uniform);
    });
    const bound = steps.flatMap((step) => Array.isArray(step) ? step.map(({ matrix }) => matrix) : step.resources);
    const buffers = new Set(bound.filter(isBinding).map(({ buffer }) => buffer));
    return { commands, buffers, [Symbol.dispose]: () => own.forEach((made) => this.#destroy(made)) };
  }

  #command({ kernel, resources, invocations }: Dispatch, uniform: GPUBuffer | undefined): Command {
    const pipeline = this.#pipeline(kernel);
    const bound = resources.map(toBindingResource);
    if (uniform) bound.push({ buffer: uniform });
    const bindGroup = this.#gpu.createBindGroup({
      label: kernel.name,
      layout: pipeline.getBindGroupLayout(0),
      entries: bound.map((resource, binding) => ({ binding, resource })),
    });
    this.#counts.bindGroups++;
    const groups = Math.ceil(invocations / (kernel.workgroup ?? WORKGROUP));
    const y = Math.ceil(groups / this.#gridWidth);
    return { pipeline, bindGroup, x: Math.ceil(groups / y), y };
  }

  #pipeline(kernel: Kernel): GPUComputePipeline {
    let pipeline = this.#pipelines.get(kernel);
    if (!pipeline) this.#pipelines.set(kernel, pipeline = compile(this.#gpu, kernel));
    return pipeline;
  }

  #createUniform({ kernel, sizes, reals }: Dispatch): GPUBuffer | undefined {
    if (!hasSizes(kernel)) return undefined;
    const words = packSizes(sizes, reals);
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    const uniform = this.#gpu.createBuffer({ size: words.byteLength, usage, label: kernel.name });
    this.#gpu.queue.writeBuffer(uniform, 0, words);
    this.#count(1, words.byteLength);
    return uniform;
  }

  #createTexture(texels: number): GPUTexture {
    const size = textureSize(texels);
    this.#count(1, size[0] * size[1] * TEXEL_BYTES);
    return this.#gpu.createTexture({
      label: "packed",
      size,
      format: "rgba32float",
      usage: GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_DST,
    });
  }

  /** As small as can be, and alive as long as the device. */
  #createUnused(): Unused {
    const bind = (buffer: GPUBuffer): Binding => ({ buffer, byteOffset: 0, byteLength: buffer.size });
    const create = () => bind(this.#gpu.createBuffer({ label: "unused", size: 16, usage: GPUBufferUsage.STORAGE }));
    return { read: create(), written: create() };
  }

  #destroy(made: GPUBuffer | GPUTexture): void {
    made.destroy();
    this.#count(-1, -("width" in made ? made.width * made.height * TEXEL_BYTES : made.size));
  }

  #count(sign: 1 | -1, bytes: number): void {
    this.#counts.buffers += sign;
    this.#counts.bytes += bytes;
    if (sign > 0) this.#counts.allocations++;
  }
}

/**
 * Puts commands on an encoder; dispatches between copies are one compute pass.
 *
 * @param encoder Where to.
 * @param commands In order.
 * @param times How often, one after the other.
 * @returns How many dispatches they were.
 */
export function encode(encoder: GPUCommandEncoder, commands: readonly Command[], times: number): number {
  let pass: GPUComputePassEncoder | undefined, dispatches = 0;
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
        dispatches++;
      }
    }
  }
  pass?.end();
  return dispatches;
}

function toBindingResource(resource: Resource): GPUBindingResource {
  if (!isBinding(resource)) return resource.createView();
  const { buffer, byteOffset, byteLength } = resource;
  return { buffer, offset: byteOffset, size: Math.max(4, byteLength) };
}

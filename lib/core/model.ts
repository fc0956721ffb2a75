/**
 * A model: layers in order. All its parameters lie in one GPU buffer and all gradients in a second of the same layout, so
 * that an update is one dispatch and a checkpoint one read.
 *
 * @module
 */
import type { Device } from "../gpu/device.ts";
import { type Init, initialWeights } from "../base/init.ts";
import type { Layer, Parameter } from "./layers.ts";
import { fits, shapeOf } from "../base/numbers.ts";
import { Random } from "../base/random.ts";
import { type ReferenceLoss, ReferenceModel } from "../reference/mod.ts";
import { formatShape, sizeOf } from "../base/shape.ts";
import { ELEMENT_BYTES, readAll, Tensor, type TensorLike } from "./tensor.ts";

/** A parameter under its name in the whole model. */
export interface NamedParameter {
  /** The layer's number and the parameter's name: `0.weight`. */
  readonly name: string;
  /** The parameter. */
  readonly parameter: Parameter;
}

/**
 * Called with each tensor that a pass makes: `z1` and `a1` before and after the first activation, `d1` after the dropout
 * that follows, `grad_weight_1` ...
 */
export type Observer = (name: string, tensor: Tensor) => void;

/** Options of {@linkcode Model.forward}. */
export interface ForwardOptions {
  /** Whether the pass is one of training, where a `Dropout` drops; false by default. */
  readonly training?: boolean;
  /** Called with each layer's output: `z1`, `z2` ... of layers with parameters, `d1` ... of a `Dropout`, `a1` ... of others. */
  readonly observe?: Observer;
}

/** Options of {@linkcode Model}. */
export interface ModelOptions {
  /** How weights start; `kaiming` by default. */
  readonly init?: Init;
  /** Where they come from; seed 0 by default. */
  readonly random?: Random;
}

/** Layers in order, with parameters on the GPU. */
export class Model implements Disposable {
  /** Where it lives. */
  readonly device: Device;
  /** The layers, first to last. */
  readonly layers: readonly Layer[];
  /**
   * How many networks it is, side by side, in the same dispatches: its rows come member by member, [members * batch, in], each
   * member has as many, and each parameter holds those of all members, one after the other. 1 for an ordinary network.
   */
  readonly members: number;
  /** Every parameter, layer by layer. */
  readonly parameters: readonly NamedParameter[];
  /** All parameters, flat; each starts at a multiple of the binding alignment, zeros between. */
  readonly values: Tensor;
  /** All gradients, in the same layout. */
  readonly gradients: Tensor;
  readonly #placed: readonly Disposable[];

  /**
   * Lays all parameters out in one buffer and gives them their first values.
   *
   * @param device Where it lives.
   * @param layers The layers, first to last; their sizes must fit each other, and they belong to this model from now on.
   * @param options How weights start.
   * @throws {TypeError} If a layer does not take what the one before it gives, is there twice, or has other members.
   *
   * @example
   * ```ts
   * import { bceWithLogits, Device, Linear, Model, ReLU, Sgd, Tensor } from "@backhand/backhand";
   * import { assertEquals } from "@std/assert";
   * using device = await Device.request({ smallDispatches: true });
   * using model = new Model(device, [new Linear(2, 8), new ReLU(), new Linear(8, 1)]);
   * using optimizer = new Sgd(model, 0.5);
   * using x = Tensor.from(device, [[0, 0], [0, 1], [1, 0], [1, 1]]);
   * using target = Tensor.from(device, [[0], [1], [1], [0]]);
   * using step = device.record(() => {
   *   const prediction = model.forward(x);
   *   model.backward(bceWithLogits.backward(prediction, target));
   *   optimizer.step();
   * });
   * step.replay(1000);
   * using logits = device.tidy(() => model.forward(x));
   * assertEquals([...await logits.read()].map(Math.sign), [-1, 1, 1, -1]);
   * ```
   */
  constructor(device: Device, layers: readonly Layer[], options: ModelOptions = {}) {
    if (new Set(layers).size < layers.length) {
      throw new TypeError("Cannot use one layer twice in a model: each keeps what its own backward needs");
    }
    this.device = device;
    this.layers = layers;
    this.parameters = parametersOf(layers);
    this.members = membersOf(layers);
    const first = layers.find(({ inputs, parameters }) => inputs !== undefined || parameters.length > 0);
    layers.reduce((width, layer) => layer.outputSize(width), first?.inputs ?? first?.parameters[0].shape[0] ?? 1);
    const step = device.limits.minStorageBufferOffsetAlignment / ELEMENT_BYTES;
    const sizes = this.parameters.map(({ parameter }) => Math.ceil(sizeOf(parameter.shape) / step) * step);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    this.values = Tensor.zeros(device, [total]);
    this.gradients = Tensor.zeros(device, [total]);
    let offset = 0;
    this.parameters.forEach(({ parameter }, i) => {
      parameter.bind(this.values.view(offset, parameter.shape), this.gradients.view(offset, parameter.shape));
      offset += sizes[i];
    });
    this.#placed = layers.flatMap((layer, i) => layer.place?.(device, i) ?? []);
    this.#initialize(options);
  }

  /**
   * Runs the layers. What it makes must outlive the backward pass: call both in one `tidy` or one `record`.
   *
   * @param x Input [batch, in].
   * @returns Output [batch, out].
   * @throws {TypeError} If a layer does not take rows of that length.
   */
  forward(x: Tensor, { training = false, observe }: ForwardOptions = {}): Tensor {
    const names = layerNames(this.layers);
    return this.layers.reduce((value, layer, i) => {
      if (value.shape.length !== 2) {
        throw new TypeError(`Cannot feed ${formatShape(value.shape)} to ${layer.kind}: need [batch, in]`);
      }
      layer.outputSize(value.shape[1]);
      const out = layer.forward(value, training);
      observe?.(names[i], out);
      return out;
    }, x);
  }

  /**
   * Fills every parameter's gradient, from the last forward pass.
   *
   * @param dOut Gradient of the output [batch, out].
   * @param options `wantDX`: also the gradient of the input; `observe`: called with `grad_weight_2`, `grad_bias_2` ...
   * @returns The gradient of the input [batch, in] where wanted.
   */
  backward(dOut: Tensor, options: { wantDX?: boolean; observe?: Observer } = {}): Tensor | undefined {
    const { wantDX = false, observe } = options;
    const last = wantDX ? 0 : this.layers.findIndex((layer) => layer.parameters.length > 0);
    if (last < 0) return undefined;
    const names = layerNames(this.layers);
    let d: Tensor | undefined = dOut;
    for (let i = this.layers.length - 1; i >= last && d; i--) {
      const layer: Layer = this.layers[i];
      d = layer.backward(d, wantDX || i > last);
      const number = names[i].slice(1);
      for (const { name, grad } of layer.parameters) observe?.(`grad_${name}_${number}`, grad);
    }
    return wantDX ? d : undefined;
  }

  /**
   * Sets parameters by name.
   *
   * @param values Numbers for each parameter, in its shape or flat.
   * @throws {TypeError} If a name is missing or unknown, or a shape differs; all such faults are listed.
   */
  load(values: Readonly<Record<string, TensorLike>>): void {
    const wanted = new Set(this.parameters.map(({ name }) => name));
    const faults = Object.keys(values).filter((name) => !wanted.has(name)).map((name) => `${name} is unknown`);
    for (const { name, parameter } of this.parameters) {
      const shape = name in values ? shapeOf(values[name]) : undefined;
      if (!shape) faults.push(`${name} ${formatShape(parameter.shape)} is missing`);
      else if (!fits(shape, parameter.shape)) {
        faults.push(`${name} is ${formatShape(shape)}, need ${formatShape(parameter.shape)}`);
      }
    }
    if (faults.length > 0) throw new TypeError(`Cannot load parameters: ${faults.join("; ")}`);
    for (const { name, parameter } of this.parameters) parameter.value.write(values[name]);
  }

  /** Reads all parameters in one wait: the values of each by name, row by row. */
  async read(): Promise<Record<string, Float32Array>> {
    return await this.#readEach((parameter) => parameter.value);
  }

  /** The same for the gradients of the last backward pass. */
  async readGradients(): Promise<Record<string, Float32Array>> {
    return await this.#readEach((parameter) => parameter.grad);
  }

  /** The same model in float64, with that loss and the values that the parameters have now. */
  async reference(loss: ReferenceLoss): Promise<ReferenceModel> {
    const model = new ReferenceModel(this.layers.map((layer) => layer.reference()), loss);
    Object.values(await this.read()).forEach((values, i) => model.parameters[i].data.set(values));
    return model;
  }

  /** Frees parameters, gradients, and what layers keep besides. */
  dispose(): void {
    this.values.dispose();
    this.gradients.dispose();
    for (const placed of this.#placed) placed[Symbol.dispose]();
  }

  /** The same as {@linkcode Model.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #initialize({ init = { kind: "kaiming" }, random = new Random(0, "weights") }: ModelOptions): void {
    const { members } = this;
    for (const { parameter } of this.parameters) {
      const { shape, value, start } = parameter;
      if (start) {
        value.write(start(random));
      } else if (shape.length === 2) {
        const inputs = shape[0] / members;
        const own = Array.from({ length: members }, () => [...initialWeights(init, inputs, shape[1], random)]);
        value.write(Float32Array.from(own.flat()));
      } else if (init.kind === "ones") value.write(new Float32Array(sizeOf(shape)).fill(1));
    }
  }

  async #readEach(pick: (parameter: Parameter) => Tensor): Promise<Record<string, Float32Array>> {
    const data = await readAll(this.parameters.map(({ parameter }) => pick(parameter)));
    return Object.fromEntries(this.parameters.map(({ name }, i) => [name, data[i] as Float32Array]));
  }
}

/** The members that layers with parameters have in common. */
function membersOf(layers: readonly Layer[]): number {
  const [members = 1, ...others] = new Set(layers.flatMap((layer) => layer.members ?? []));
  if (others.length === 0) return members;
  throw new TypeError(
    `Cannot put layers of ${members} and of ${others[0]} members into one model: they must have as many`,
  );
}

/** The parameters of layers under their names in a model. */
export function parametersOf(layers: readonly Layer[]): NamedParameter[] {
  return layers.flatMap((layer, i) =>
    layer.parameters.map((parameter) => ({ name: `${i}.${parameter.name}`, parameter }))
  );
}

/** `z1, a1, d1, z2, ...`: z for layers with parameters, a for activations, numbered by the last layer with parameters. */
export function layerNames(layers: readonly Layer[]): string[] {
  let number = 0;
  return layers.map(({ kind, parameters }) => {
    if (parameters.length > 0) return `z${++number}`;
    return `${kind.endsWith("Dropout") ? "d" : "a"}${number}`;
  });
}

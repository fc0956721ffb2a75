/**
 * The self-test and the gradient checks of operations that no layer uses: two operands of which the second is spread over the
 * first, functions of each element, softmax, one-hot rows, the transpose, norms, and the step of one tensor.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { withOperand } from "../arithmetic/operand_forms.ts";
import type { Device } from "../gpu/device.ts";
import { type Layer, Parameter, Sigmoid } from "../core/layers.ts";
import { ActivationLayer } from "../core/activations.ts";
import { mse } from "../core/losses.ts";
import * as ops from "../arithmetic/ops.ts";
import { sgdStep } from "../arithmetic/sgd_step.ts";
import type { Shape } from "../base/shape.ts";
import * as reference from "../reference/mod.ts";
import { Matrix } from "../reference/mod.ts";
import { Tensor } from "../core/tensor.ts";
import { type KernelCase, matrix, random, upload } from "./op_cases.ts";

/** The operations on two operands: kernel and oracle have their names. */
const PAIRS = ["add", "subtract", "multiply", "divide", "equal", "greater"] as const;
/** Those of them that have a backward. */
const DIFFERENTIABLE = ["add", "subtract", "multiply", "divide"] as const;
/** The functions of each element. */
const FUNCTIONS = ["exp", "log", "sqrt", "square"] as const;
/** The functions whose backward takes the output. */
const FROM_OUTPUT: readonly string[] = ["exp", "sqrt"];

/** Every operation in one form, on odd shapes. */
export function operationCases(device: Device): KernelCase[] {
  const stream = random();
  const x = matrix(13, 17, stream);
  const y = matrix(13, 17, stream);
  const positive = x.map((v, i) => i === x.data.length - 1 ? NaN : Math.fround(Math.abs(v)));
  const on = "[13, 17]";
  const functions = FUNCTIONS.map((name): KernelCase => ({
    kernel: kernels[name],
    on: `${on}, one of them NaN`,
    run: () => ops[name](upload(device, positive)),
    expected: reference[name](positive).data,
  }));
  const silent = x.map((v, i) => i < x.columns ? 0 : v); // the first row has length 0
  const dNorms = matrix(13, 1, stream);
  const step = reference.subtract(x, y.map((g) => 0.5 * g));
  return [
    ...functions,
    {
      kernel: kernels.greater,
      on,
      run: () => ops.greater(upload(device, x), upload(device, y)),
      expected: reference.greater(x, y).data,
    },
    {
      kernel: kernels.transpose,
      on,
      run: () => ops.transpose(upload(device, x)),
      expected: reference.transpose(x).data,
    },
    ...oneHotCases(device),
    {
      kernel: kernels.sqrt,
      on: `gradient of norm of ${on} over columns`,
      run: () => {
        const lengths = upload(device, dNorms).reshape([dNorms.rows]);
        const tensor = upload(device, silent);
        return ops.normBackward(tensor, ops.norm(tensor, 1), lengths, 1);
      },
      expected: reference.rowNormsBackward(silent, dNorms).data,
    },
    { kernel: kernels.sgdStep, on, run: () => sgdStep(upload(device, x), upload(device, y), 0.5), expected: step.data },
  ];
}

/** Class numbers of both types, some of them no class. */
function oneHotCases(device: Device): KernelCase[] {
  const whole = [2, 0, 3, 1, 4_294_967_295];
  const real = [1, -0, 2, 0.5, 3, -1, NaN, Infinity, 1e-45];
  const expect = (numbers: readonly number[]) => reference.oneHot(numbers, 3).data;
  const kernel = kernels.oneHot;
  return [
    {
      kernel,
      on: "u32",
      run: () => ops.oneHot(Tensor.from(device, Uint32Array.from(whole)), 3),
      expected: expect(whole),
    },
    { kernel, on: "f32", run: () => ops.oneHot(Tensor.from(device, real), 3), expected: expect(real) },
  ];
}

/** Every operation on two operands with each form of the second, and what is made of them. */
export function broadcastCases(device: Device): KernelCase[] {
  const stream = random();
  const a = matrix(7, 5, stream).map(Math.round);
  const operands = {
    "a row": matrix(1, 5, stream),
    "a column": matrix(7, 1, stream),
    "a scalar": new Matrix(1, 1, [2]),
  };
  const pairs = PAIRS.flatMap((name) => {
    const cases = Object.entries(operands).map(([form, given]): KernelCase => {
      const b = given.map((v) => Math.round(v) || 2);
      const run = () => ops[name](upload(device, a), upload(device, b));
      const kernel = withOperand(kernels[name], "spread");
      return { kernel, on: `[7, 5] and ${form}`, run, expected: reference[name](a, b).data };
    });
    const expected = reference[name](a, operands["a scalar"]).data;
    return [...cases, {
      kernel: withOperand(kernels[name], "number"),
      on: "[7, 5] and 2",
      run: () => ops[name](upload(device, a), 2),
      expected,
    }];
  });
  return [
    ...pairs,
    {
      kernel: kernels.exp,
      on: "softmax of [7, 5]",
      run: () => ops.softmax(upload(device, a)),
      expected: reference.softmax(a).data,
    },
  ];
}

/** What is added to a second operand in gradient checks: quotients by numbers near 0 are too steep for finite differences. */
const SHIFT = 2;

/** An operation as a layer whose second operand is its parameter, shifted. */
class OperandLayer implements Layer {
  readonly kind: string;
  readonly parameters: readonly [Parameter];
  readonly #name: typeof DIFFERENTIABLE[number];
  #x!: Tensor;

  constructor(name: typeof DIFFERENTIABLE[number], shape: Shape) {
    this.kind = name;
    this.parameters = [new Parameter("b", shape)];
    this.#name = name;
  }

  outputSize(inputs: number): number {
    return inputs;
  }

  forward(x: Tensor): Tensor {
    this.#x = x;
    return ops[this.#name](x, ops.add(this.parameters[0].value, SHIFT));
  }

  backward(dOut: Tensor): Tensor {
    const [{ value, grad }] = this.parameters;
    const { dA, dB } = ops[`${this.#name}Backward`](this.#x, ops.add(value, SHIFT), dOut);
    ops.scale(dB, 1, { out: grad });
    return dA;
  }

  reference(): reference.ReferenceLayer {
    const { shape } = this.parameters[0];
    const b = new Matrix(shape.length === 2 ? shape[0] : 1, shape.at(-1)!);
    const gradients: Matrix[] = [];
    const name = this.#name;
    const shifted = () => b.map((v) => v + SHIFT);
    let kept: Matrix;
    return {
      parameters: [b],
      gradients,
      forward: (x) => reference[name](kept = x, shifted()),
      backward: (dOut) => {
        const { dA, dB } = reference[`${name}Backward`](kept, shifted(), dOut);
        gradients[0] = dB;
        return dA;
      },
    };
  }
}

/** A function of each element, or softmax, as a layer. */
class FunctionLayer extends ActivationLayer implements Layer {
  readonly kind: string;
  readonly #name: typeof FUNCTIONS[number] | "softmax";

  constructor(name: typeof FUNCTIONS[number] | "softmax") {
    super();
    this.kind = name;
    this.#name = name;
  }

  get #fromOutput(): boolean {
    return this.#name === "softmax" || FROM_OUTPUT.includes(this.#name);
  }

  forward(x: Tensor): Tensor {
    const y = ops[this.#name](x);
    this.kept = this.#fromOutput ? y : x;
    return y;
  }

  backward(dOut: Tensor): Tensor {
    return ops[`${this.#name}Backward`](this.kept, dOut);
  }

  reference(): reference.ReferenceLayer {
    const forward = reference[this.#name];
    const backward = reference[`${this.#name}Backward`];
    return new reference.ReferenceActivation({ forward, backward, fromOutput: this.#fromOutput });
  }
}

/** Gradient cases, on batches of so many rows; what is no matrix of the batch's shape is checked by the tests alone. */
export function operationGradients(rows: number) {
  const inputs = 5;
  const pairs = DIFFERENTIABLE.map((name) => {
    const layers: Layer[] = [[inputs], [rows, 1], [1]].map((shape) => new OperandLayer(name, shape));
    return { name: `${name}: row, column, scalar`, layers, loss: mse, inputs };
  });
  const functions = ([...FUNCTIONS, "softmax"] as const).map((name) => {
    // Roots and logarithms need what is over 0.
    const layers: Layer[] = [new Sigmoid(), new FunctionLayer(name)];
    return { name, layers, loss: mse, inputs };
  });
  return [...pairs, ...functions];
}

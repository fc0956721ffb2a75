/** Bugs planted in the backward of a layer or of its float64 twin, and the check that should find them. */
import { checkGradients, type GradientCheck } from "../../lib/check/gradcheck.ts";
import type { Layer } from "../../lib/core/layers.ts";
import { type Loss, mse } from "../../lib/core/losses.ts";
import type { Tensor } from "../../lib/core/tensor.ts";
import type { Device } from "../../lib/gpu/device.ts";
import type { Matrix, ReferenceLayer } from "../../lib/reference/mod.ts";

/** What a backward has at hand: input, output, the output's gradient, the layer, and what it should have done. */
export interface Seen<T, L> {
  readonly x: T;
  readonly y: T;
  readonly dOut: T;
  readonly layer: L;
  readonly backward: (dOut: T) => T;
}

/** A backward in place of the sound one, on the GPU. */
export type GpuBug = (seen: Seen<Tensor, Layer>) => Tensor;
/** A backward in place of the sound one, in float64. */
export type TwinBug = (seen: Seen<Matrix, ReferenceLayer>) => Matrix;

interface TwoWays<T> {
  forward(x: T, training?: boolean): T;
  backward(dOut: T, wantDX: boolean): T | undefined;
}

/** The layer with another backward on the GPU, in its twin, or in both. */
export function withBug(layer: Layer, { gpu, twin }: { gpu?: GpuBug; twin?: TwinBug }): Layer {
  const makeTwin = layer.reference.bind(layer);
  if (twin) layer.reference = () => spoil(makeTwin(), twin);
  return gpu ? spoil(layer, gpu) : layer;
}

function spoil<T, L extends TwoWays<T>>(layer: L, bug: (seen: Seen<T, L>) => T): L {
  const forward = layer.forward.bind(layer);
  const sound = layer.backward.bind(layer);
  const backward = (dOut: T) => sound(dOut, true)!;
  let seen: { x: T; y: T };
  layer.forward = (x, training) => {
    seen = { x, y: forward(x, training) };
    return seen.y;
  };
  layer.backward = (dOut) => bug({ ...seen, dOut, layer, backward });
  return layer;
}

/** The gradients of a network with 4 inputs. */
export function checkPlanted(device: Device, layers: Layer[], loss: Loss = mse): Promise<GradientCheck[]> {
  return checkGradients(device, { name: "planted", layers, loss, inputs: 4 }, 3);
}

/** The gradients that are found wrong. */
export async function wrongGradients(device: Device, layers: Layer[], loss?: Loss): Promise<string[]> {
  const checks = await checkPlanted(device, layers, loss);
  return checks.filter(({ ok }) => !ok).map(({ name }) => name);
}

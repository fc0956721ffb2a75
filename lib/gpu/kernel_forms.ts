/**
 * Other forms of a kernel, made from its text: each is a pipeline of its own, and the same object each time.
 *
 * @module
 */
import type { Kernel } from "../../kernels/mod.ts";

const fours = new Map<Kernel, Kernel>();

/**
 * A kernel that takes four elements at a time, which the software adapter does in a third of the time; sizes that count
 * elements are then those of fours.
 *
 * @param kernel One with `counts`.
 * @returns The kernel; the same object each time.
 */
export function byFours(kernel: Kernel): Kernel {
  const known = fours.get(kernel);
  if (known) return known;
  const code = kernel.code.replace("alias Value = f32;", "alias Value = vec4f;")
    .replace("alias Bits = u32;", "alias Bits = vec4u;");
  const made = { ...kernel, code };
  fours.set(kernel, made);
  return made;
}

const texels = new Map<Kernel, Kernel>();

/**
 * An optimizer's kernel by fours that loads what is there before the update from copies in textures, which a software adapter
 * reads faster (tasks/bench/README.md has figures). The texture of what the kernel only reads takes the place of its buffer;
 * the textures of what it also writes come last, in order.
 *
 * @param kernel One whose text loads each by a line such as `let w0 = w[i];`.
 * @returns The kernel; the same object each time.
 */
export function fromTexels(kernel: Kernel): Kernel {
  const known = texels.get(kernel);
  if (known) return known;
  let { code } = byFours(kernel);
  const access = [...kernel.access];
  for (const [line, name] of code.matchAll(/let (\w+)0 = \1\[i\];/g)) {
    code = code.replace(line, `let ${name}0 = textureLoad(${name}Texels, vec2u(i % 4096u, i / 4096u));`);
    const declaration = code.match(`@binding\\((\\d)\\) (var<[a-z_, ]+> ${name}: array<Value>;)`)!;
    const place = Number(declaration[1]);
    const texture = `var ${name}Texels: texture_storage_2d<rgba32float, read>;`;
    if (access[place] === "read") {
      code = code.replace(declaration[2], texture);
      access[place] = "read_texture";
    } else {
      code = `@group(0) @binding(${access.length}) ${texture}\n${code}`;
      access.push("read_texture");
    }
  }
  code = code.replace(/@binding\(\d\) var<uniform>/, `@binding(${access.length}) var<uniform>`);
  const made = { ...kernel, code, access };
  texels.set(kernel, made);
  return made;
}

import { assert, assertEquals } from "@std/assert";
import { Random } from "../../lib/base/random.ts";
import { kernels } from "../../kernels/mod.ts";
import { NEXT, shapeOf } from "../../lib/check/product_cases.ts";
import { layoutsOf } from "../../lib/gpu/product.ts";
import { matmulBlocksKernel, PLAIN_PRODUCT } from "../../lib/gpu/product_forms.ts";
import { texelsOf } from "../../lib/gpu/textures.ts";
import { testKernels } from "../../lib/check/self_test.ts";
import { gpuTest } from "../support/gpu_test_case.ts";

Deno.test("whatever the sizes of a product are, the self-test has a case of its form", () => {
  const random = new Random(1, "shapes");
  const size = (most: number) => Math.round(2 ** random.uniform(0, Math.log2(most))) * [1, 4, 64][random.below(3)];
  const forms = new Set<string>();
  for (let i = 0; i < 20_000; i++) {
    const [transposeA, transposeB, usesY, isSmall, grouped] = Array.from({ length: 5 }, () => random.below(2) === 1);
    const groups = grouped ? 2 + random.below(7) : 1;
    const shape = { groups, m: size(6_000), n: size(1_000), k: size(6_000), transposeA, transposeB };
    const { a, b, out } = layoutsOf(shape);
    const texels = isSmall && texelsOf(out.rows, out.columns) <= 8_192;
    const form = {
      ...PLAIN_PRODUCT,
      transposeA,
      transposeB,
      grouped,
      texels,
      derivative: usesY ? "relu" : "none",
    } as const;
    const flat = { a: a.isFlat, b: b.isFlat, y: out.isFlat || !(usesY || texels) };
    const known = { form, aligned: shape.n % 4 === 0 && !texels, flat };
    const tested = shapeOf(known);
    assert(tested, `no case for ${JSON.stringify({ shape, flat })}`);
    const layouts = layoutsOf(tested);
    assertEquals([layouts.a.isFlat, layouts.b.isFlat], [a.isFlat, b.isFlat]);
    if (usesY || texels) assertEquals(layouts.out.isFlat, out.isFlat);
    if (!texels) assertEquals(tested.n % 4 === 0, known.aligned);
    // Or it would run plain.
    assert(tested.groups * tested.m * tested.n * Math.min(tested.k, texels ? NEXT : tested.k) >= 1_024);
    // Before a training's first step the processor multiplies as much: a few hundredths of a second.
    assert(tested.groups * tested.m * tested.n * tested.k <= 9_000_000, `${JSON.stringify(tested)} takes long`);
    forms.add(JSON.stringify(known));
  }
  assert(forms.size > 150, `only ${forms.size} forms`);
});

gpuTest("packing by a kernel is tested where the first product's matrices are copied", async (device) => {
  const flat = { a: true, b: true, y: true };
  const copied = matmulBlocksKernel({ ...PLAIN_PRODUCT, bias: true }, true, flat);
  const sums = matmulBlocksKernel({ ...PLAIN_PRODUCT, transposeA: true, sums: true }, true, flat);
  for (const used of [[copied, kernels.pack], [sums, kernels.pack]]) {
    const checks = await testKernels(device, used);
    assertEquals(new Set(checks.map(({ kernel }) => kernel)), new Set(used.map(({ name }) => name)));
    assertEquals(checks.filter(({ ok }) => !ok), []);
  }
});

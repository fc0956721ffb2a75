/**
 * Holds the kernels under a second implementation of WebGPU: Deno's is wgpu, Chromium's is Dawn. It finds WGSL that only one of
 * their compilers accepts, and what only one driver computes right. Works without a GPU, on Chromium's own software adapter.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { kernels, products } from "../../kernels/mod.ts";
import { type KernelCheck, runCases, shortCases } from "../../lib/check/self_test.ts";
import { Device } from "../../lib/gpu/device.ts";
import { type Page, withPage } from "../support/browser.ts";
import { pathInProject, Workplace } from "../support/run_task_process.ts";
import { permitted } from "../support/permitted.ts";
import type { Offered } from "./dawn_page.ts";

type PageScope = typeof globalThis & Offered;

/** Changes of a kernel's text under which Deno still computes what it should, and Dawn does not: the kernel, and what it says. */
const CHANGES = {
  // A barrier that not all invocations reach.
  refused: ["squaredErrorStep", "workgroupBarrier();", "if (lane < 32u) {\n    workgroupBarrier();\n  }"],
  // The exponential of NaN is infinite under Dawn on SwiftShader.
  wrong: ["sigmoid", "return select(y, x,", "return select(y, y,"],
} as const;

/** Opens a page that has dawn_page.ts. Only a page of a file, or of this machine, has WebGPU. */
async function withKernels(body: (page: Page) => Promise<void>): Promise<void> {
  await using place = await Workplace.create();
  const options = ["--config", pathInProject("deno.json"), "--no-lock", "--platform", "browser", "--format", "iife"];
  const { code, stdout, stderr } = await place.runDeno([
    "bundle",
    ...options,
    pathInProject("tests/check/dawn_page.ts"),
  ]);
  assertEquals(code, 0, stderr);
  await place.write("page.html", "<!doctype html><title>kernels</title>");
  await withPage(async (page, { errors }) => {
    await page.goto(`file://${place.at("page.html")}`);
    await page.addScriptTag({ content: stdout });
    await body(page);
    assertEquals(errors, []);
  });
}

/** The results of a kernel's cases on Deno's WebGPU that are wrong, after a change of its text. */
async function wrongHere([name, text, by]: (typeof CHANGES)[keyof typeof CHANGES]): Promise<KernelCheck[]> {
  const kernel: { code: string } = kernels[name];
  const { code } = kernel;
  assert(code.includes(text));
  kernel.code = code.replace(text, by);
  try {
    using device = await Device.request({ smallDispatches: true });
    const own = shortCases(device).filter((given) => given.kernel === kernel);
    assert(own.length > 0);
    return (await runCases(device, own)).filter(({ ok }) => !ok);
  } finally {
    kernel.code = code;
  }
}

permitted("every kernel compiles under Dawn, too, and computes there what float64 does", async (t) => {
  await withKernels(async (page) => {
    await t.step("a text that only Deno takes is refused, under its kernel's name", async () => {
      assertEquals(await wrongHere(CHANGES.refused), []);
      const change = page.evaluate((given) => (globalThis as PageScope).computeChanged(...given), CHANGES.refused);
      await assertRejects(() => change, Error, "The GPU reported: squaredErrorStep: ");
    });

    await t.step("a result that only Deno computes right is told, under its kernel's name", async () => {
      assertEquals(await wrongHere(CHANGES.wrong), []);
      const wrong = await page.evaluate((given) => (globalThis as PageScope).computeChanged(...given), CHANGES.wrong);
      assertEquals(wrong, [{ kernel: "sigmoid", on: "NaN, and far from 0", error: NaN, ok: false }]);
    });

    await t.step("all forms of all kernels", async () => {
      const { wrong, messages, computed, compiled, leftOut } = await page.evaluate(() =>
        (globalThis as PageScope).computeAll()
      );
      assertEquals(messages, []);
      assertEquals(wrong, []);
      const names = new Set(computed.map((form) => form.split(" ")[0]));
      assertEquals(names, new Set([...Object.keys(kernels), ...Object.keys(products)]));
      // Of these the self-test has no case. Their texts are those of forms that are computed, with other types.
      assertEquals(compiled.filter((form) => !form.endsWith(" vec4")), []);
      // Each takes three seconds to compile, and differs in a constant from one that is computed.
      assertEquals(leftOut, [1, 2, 3].map((layers) => `wholeStep INVOCATIONS=8 LAYERS=${layers} vec4`));
    });
  });
});

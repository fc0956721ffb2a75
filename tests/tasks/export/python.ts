/** Runs Python, which machines need not have. */

import { assertEquals } from "@std/assert";
import type { ExportedModel } from "../../../tasks/export/exported_model.ts";
import { writePython } from "../../../tasks/export/pytorch.ts";
import type { Workplace } from "../../support/run_task_process.ts";

/** Runs Python to its end; undefined if there is none. */
export async function python(args: string[], stdin = "") {
  try {
    const child = new Deno.Command("python3", { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(stdin)).catch(() => {}); // it may have ended without reading
    await writer.close().catch(() => {});
    const { code, stdout, stderr } = await child.output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Runs Python code in which `model` is an export, without PyTorch: what prepares rows does not need it. */
export async function runExport(place: Workplace, model: ExportedModel, code: string, input: unknown = null) {
  await place.write("model.py", writePython(model, "w.safetensors"));
  await place.write(
    "run.py",
    `import datetime, json, sys, types
for name in ("torch", "torch.nn", "safetensors", "safetensors.torch"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["torch"].nn = sys.modules["torch.nn"]
sys.modules["torch.nn"].__getattr__ = lambda name: object
sys.modules["safetensors.torch"].load_file = None
import model
given = json.load(sys.stdin)
${code}`,
  );
  const { code: exit, stdout, stderr } = (await python([place.at("run.py")], JSON.stringify(input)))!;
  assertEquals(exit, 0, stderr);
  return JSON.parse(stdout);
}

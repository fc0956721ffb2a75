/** A short form of the mutation of backward passes, which `deno task soak` does on every mutant; and that it can fail. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { readSources } from "../../tasks/gate/sources.ts";
import { MODULES } from "./backward_functions.ts";
import { mutantsOf } from "./mutants.ts";
import { permitted } from "../support/permitted.ts";
import { environmentOf, pathInProject } from "../support/run_task_process.ts";

Deno.test("mutantsOf() flips each operator once, and swaps arms", () => {
  const text = `
fn other() { return 1 + 1; }
fn f(a: vec4<f32>) -> f32 { // a + b
  var b = select(-a.x, a.y * 2.0, a.x < a.y && !c);
  b += min(a.x, 3.0);
  return b;
}
`;
  const names = mutantsOf("f.wgsl", text, ["f"]).map(({ name }) => name.replace("f.wgsl: ", ""));
  assertEquals(names, [
    "var b = select(‹- → ›a.x, a.y * 2.0, a.x < a.y && !c);",
    "var b = select(‹-a.x, a.y * 2.0 → a.y * 2.0, -a.x›, a.x < a.y && !c);",
    "var b = select(-a.x, a.y ‹* → /› 2.0, a.x < a.y && !c);",
    "var b = select(-a.x, a.y * 2.0, a.x ‹< → >=› a.y && !c);",
    "var b = select(-a.x, a.y * 2.0, a.x < a.y ‹&& → ||› !c);",
    "var b = select(-a.x, a.y * 2.0, a.x < a.y && ‹! → ›c);",
    "b ‹+= → -=› min(a.x, 3.0);",
    "b += ‹min → max›(a.x, 3.0);",
  ]);
});

Deno.test("mutantsOf() leaves strings, comments and refusals alone", () => {
  const text = `
class A {
  backward(d) {
    if (d.size > 1) {
      throw new TypeError(\`\${d.size - 1} + 1\`);
    }
    if (d < 0) throw d;
    return d === "a - b" ? d : -d; // d * d
  }
}
class B {
  backward = (d) => d + 1;
}
`;
  const names = mutantsOf("a.ts", text, ["A.backward"]).map(({ name }) => name);
  assertEquals(names, [
    'a.ts: return d ‹=== → !==› "a - b" ? d : -d; // d * d',
    'a.ts: return d === "a - b" ?‹ d : -d → -d : d›; // d * d',
    'a.ts: return d === "a - b" ? d : ‹- → ›d; // d * d',
  ]);
});

permitted("every module with a backward pass is mutated", async () => {
  const found: string[] = [];
  for (const [path, text] of await readSources("lib")) {
    // A declaration: function addBackward(, backward(dOut, backward: (p, t) =>
    if (/^(?:export )?function \w+Backward\b|^ +backward(?:\(\w+: (?:Tensor|Matrix).*\{$|: \()/m.test(text)) {
      found.push(path);
    }
  }
  assertEquals(found.filter((file) => !(file in MODULES)), []);
  assert(found.length > 10);
});

permitted("mutate_backward catches a sample of the mutants, and lets what computes the same live", async () => {
  // In a process of its own: the copies that it makes must not count as uncovered.
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", pathInProject("tests/robustness/mutate_backward.ts"), "--sample=16", "--seed=4"],
    cwd: pathInProject(""),
    clearEnv: true,
    env: environmentOf({ NO_COLOR: "1" }),
    stderr: "inherit",
  });
  const { code, stdout } = await command.output();
  // The same in a kernel that is run again, in one of a whole step, and in a module.
  assertMatch(new TextDecoder().decode(stdout), /^16 of 16 mutants caught, 3 compute the same, .*\n$/);
  assertEquals(code, 0);
});

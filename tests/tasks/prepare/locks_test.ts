/** What a lock is, on its own; what the tasks make of it is in task_locks_test.ts. */

import { assertEquals, assertMatch } from "@std/assert";
import { evaluation, holdLock } from "../../support/lock_holder.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

/** Runs code that knows the locks, and gives what it prints. */
async function evaluate(place: Workplace, code: string): Promise<{ stdout: string; stderr: string }> {
  const { code: exit, stdout, stderr } = await place.runDeno(evaluation(code));
  assertEquals(exit, 0, stderr);
  return { stdout: stdout.trim(), stderr: stderr.trim() };
}

permitted("takeLock() has one file for each name, whatever the name holds", async () => {
  await using place = await Workplace.create();
  const names = ["a", "a/b", "a%2Fb", "a\\b", "..", ".", "", "ü", "a b", "*", "=a", "x".repeat(200), "x".repeat(201)];
  names.push("x".repeat(255), "é".repeat(127), "é".repeat(126) + "e", "../../out");
  const { stdout } = await evaluate(
    place,
    `const names = ${JSON.stringify(names)}, kinds = ["run", "dataset"], locks = [];
    for (const kind of kinds) for (const name of names) locks.push(await takeLock(kind, name, ""));
    const again = await Promise.all(kinds.flatMap((kind) => names.map((name) => takeLock(kind, name, ""))));
    const first = locks.filter(Boolean).length, second = again.filter(Boolean).length;
    locks.forEach((lock) => lock[Symbol.dispose]());
    const free = await Promise.all(names.map((name) => takeLock("run", name, "")));
    console.log(first, second, free.filter(Boolean).length);`,
  );
  assertEquals(stdout, `${2 * names.length} 0 ${names.length}`);
  const files = (await Array.fromAsync(Deno.readDir(place.at("data/.locks")))).filter(({ isFile }) => isFile);
  assertEquals(files.length, 2 * names.length);
});

permitted("lockRun() refuses while a process lives, names it, and takes over at once when it is killed", async () => {
  await using place = await Workplace.create();
  await using holder = await holdLock(place, `lockRun("x")`);
  const tried =
    `try { await lockRun("x"); console.log("held"); } catch (error) { console.log(error.name, error.message); }`;
  const { stdout } = await evaluate(place, tried);
  assertMatch(stdout, /^ConfigError RUN_NAME is "x": a training with this name is running /);
  const who = `\\(process ${holder.pid}, since \\d\\d:\\d\\d\\)`;
  assertMatch(stdout, new RegExp(`${who}: wait for it, or choose another name$`));
  assertEquals((await evaluate(place, tried.replace('"x"', '"y"'))).stdout, "held");
  await holder.kill();
  assertEquals((await evaluate(place, tried)).stdout, "held");
});

permitted("lockRun() and lockSearch() wait a moment for a process that is about to end", async () => {
  await using place = await Workplace.create();
  const { stdout } = await evaluate(
    place,
    `for (const [kind, lock] of [["run", lockRun], ["search", lockSearch]]) {
      const ending = await takeLock(kind, "x", "");
      setTimeout(() => ending[Symbol.dispose](), 300);
      console.log(Symbol.dispose in await lock("x"));
    }`,
  );
  assertEquals(stdout, "true\ntrue");
});

permitted("lockRun() tells the day where it is another one, and no process where the note says none", async () => {
  await using place = await Workplace.create();
  const pid = 7;
  const since = new Date(2026, 0, 5, 7, 9).toISOString();
  const notes = [JSON.stringify({ pid, since, doing: "" }), "", "{", "[]", '{"pid":"7"}'];
  const all = (then = "") => `Promise.all([${notes.map((_, i) => `lockRun("x${i}")${then}`)}])`;
  await using _holder = await holdLock(place, all());
  for (const [i, note] of notes.entries()) await place.write(`data/.locks/run.x${i}.lock`, note);
  const code = `console.log((await ${all(".catch((error) => error.message)")}).join("\\n"));`;
  const { stdout } = await evaluate(place, code);
  const expected = notes.map((_, i) => {
    const who = i === 0 ? " (process 7, since 2026-01-05 07:09)" : "";
    return `RUN_NAME is "x${i}": a training with this name is running${who}: wait for it, or choose another name`;
  });
  assertEquals(stdout.split("\n"), expected);
});

permitted("takeLock() goes on without a lock where the file system has none, and says so", async () => {
  await using place = await Workplace.create();
  const { stdout, stderr } = await evaluate(
    place,
    `Deno.FsFile.prototype.tryLock = () => Promise.reject(new Error("No locks available (os error 37)"));
    using lock = await takeLock("run", "x", ""); console.log(lock !== undefined);`,
  );
  assertEquals(stdout, "true");
  assertMatch(stderr, /^note: data\/\.locks\/run\.x\.lock cannot be locked \(No locks available \(os error 37\)\): /);
});

import { assertEquals } from "@std/assert";
import { Progress } from "../../../tasks/show/progress.ts";

/** A screen that keeps what is written, and a clock that the test moves. */
function fakeScreen(isTerminal: boolean, label = "rows", columns?: number, patience?: number) {
  const screen = { time: 0, written: [] as string[] };
  const progress = new Progress(label, {
    isTerminal,
    write: (text) => void screen.written.push(text),
    now: () => screen.time,
    size: columns === undefined ? undefined : () => ({ columns, rows: 24 }),
  }, patience);
  return { screen, progress };
}

Deno.test("Progress redraws a bar in place on a terminal, and takes it away", () => {
  const { screen, progress } = fakeScreen(true);
  progress.update(1, 4);
  screen.time = 150;
  progress.update(1, 2, "half");
  progress.update(2, 2);
  progress[Symbol.dispose]();
  progress[Symbol.dispose]();
  assertEquals(screen.written, [`\r\x1b[Krows [${"#".repeat(15)}${"-".repeat(15)}] 50% half`, "\r\x1b[K"]);
});

Deno.test("Progress keeps its bar on one line, however narrow the terminal", () => {
  const bars = [60, 40, 24, 10].map((columns) => {
    const { screen, progress } = fakeScreen(true, "generating data/cubic.csv", columns);
    screen.time = 150;
    progress.update(1, 2);
    return screen.written.at(-1)!.replace("\r\x1b[K", "").trimEnd();
  });
  assertEquals(bars, [
    "generating data/cubic.csv [#############-------------] 50%",
    "generating data/cubic.csv [###---] 50%",
    "generating data/cubic.…",
    "generati…",
  ]);
});

Deno.test("Progress prints a plain line now and then elsewhere", () => {
  const { screen, progress } = fakeScreen(false);
  for (screen.time = 0; screen.time <= 11_000; screen.time += 500) progress.update(screen.time, 11_000);
  progress.clear();
  assertEquals(screen.written, ["rows 45%\n", "rows 90%\n"]);
});

Deno.test("Progress prints the first line sooner where a job says so, and on a terminal draws as ever", () => {
  const written = [false, true].map((isTerminal) => {
    const { screen, progress } = fakeScreen(isTerminal, "rows", undefined, 2_000);
    for (screen.time = 0; screen.time <= 10_000; screen.time += 500) progress.update(screen.time, 10_000);
    return screen.written;
  });
  assertEquals(written[0], ["rows 20%\n", "rows 70%\n"]);
  assertEquals(written[1].length, 20);
});

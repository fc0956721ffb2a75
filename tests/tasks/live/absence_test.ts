import { assertEquals } from "@std/assert";
import { Absence } from "../../../tasks/live/absence.ts";

Deno.test("Absence tells once how to go on, five seconds after a page was seen, and is over after a minute", () => {
  const told: string[] = [];
  let now = 0;
  const tell = (text: string) => void told.push(text);
  const absence = new Absence({ url: "http://h/#t", resume: "train --resume r", tell, now: () => now });
  const paused = (seconds: number) =>
    `paused at step 7, and no page is open: open http://h/#t, or press Ctrl-C and later run \`train --resume r\`; ` +
    `without either it continues in ${seconds} s`;
  const over = "no page was open for 60 s: the paused run continues";
  // After so many seconds: what happens, if anything; whether it is over; and what is told.
  const cases: [at: number, seen: "seen" | "seenHidden" | undefined, isOver: boolean, says: string[]][] = [
    [0, "seen", false, []],
    [4.9, undefined, false, []],
    [5.1, undefined, false, [paused(55)]],
    [30, undefined, false, []],
    [30, "seen", false, []],
    [36, undefined, false, [paused(54)]],
    [40, "seenHidden", false, []],
    [164, undefined, false, []],
    [166, undefined, false, [paused(54)]],
    [219, undefined, false, []],
    [220, undefined, true, [over]],
  ];
  for (const [at, seen, isOver, says] of cases) {
    now = 1_000 * at;
    if (seen) absence[seen]();
    assertEquals([absence.isOver(7), told.splice(0)], [isOver, says], `after ${at} s`);
  }
});

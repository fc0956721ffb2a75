import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { LossCurve } from "../../lib/show/loss_curve.ts";

/** What a notebook shows of losses. */
function shown(...losses: number[]): { text: string; picture: string; points: number[][] } {
  const key = Symbol.for("Jupyter.display") as unknown as "display";
  const curve = LossCurve.from(losses) as unknown as { display(): Record<string, string> };
  const { "text/plain": text, "image/svg+xml": picture } = curve[key]();
  const points = picture.match(/points="(.*?)"/)![1].split(" ").filter(Boolean);
  return { text, picture, points: points.map((point) => point.split(",").map(Number)) };
}

Deno.test("LossCurve is an array that draws its losses from left to right, on a logarithmic axis where it can", () => {
  const { text, points, picture } = shown(100, 10, 1);
  assertEquals(text, "3 losses, from 100 to 1");
  assertStringIncludes(picture, ">100</text>");
  const [[x0, y0], [x1, y1], [x2, y2]] = points;
  assertEquals([x0 < x1 && x1 < x2, y0 < y1 && y1 < y2, Math.abs(y2 - y1 - (y1 - y0)) < 0.2], [true, true, true]);
  const linear = shown(2, 1, -2).points;
  assertEquals([linear[1][1] - linear[0][1], linear[2][1] - linear[1][1]].map(Math.round), [28, 83]);
});

Deno.test("LossCurve leaves out what is not finite, and counts it; one loss and none are shown, too", () => {
  const { text, points } = shown(4, NaN, 2, Infinity);
  assertEquals([text, points.length], ["4 losses, from 4 to 2, 2 not finite", 2]);
  assertEquals([shown().text, shown().points], ["0 losses", []]);
  assertEquals(shown(3).points.flat().every(Number.isFinite), true);
  assertMatch(shown(5, 5).picture, /^<svg [^]*<\/svg>$/);
});

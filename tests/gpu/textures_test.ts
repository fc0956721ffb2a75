import { assert, assertEquals } from "@std/assert";
import { isLong, liesFlat, MAX_TEXELS, texelsOf, textureSize } from "../../lib/gpu/textures.ts";

const SIDES = [1, 2, 3, 4, 5, 8, 13, 60, 61, 64, 125, 128, 253, 256, 1021, 1024, 2045, 4096, 8188, 8189, 30_000];

Deno.test("no side of a texture is a power of two, each is allowed, and all texels fit", () => {
  let checked = 0;
  for (const rows of SIDES) {
    for (const columns of [...SIDES, 32_736, 32_748, 32_749, 32_751, 32_768, 240_000]) {
      if (texelsOf(rows, columns) > MAX_TEXELS) continue;
      const isFlat = isLong(rows, columns) || liesFlat(rows, columns);
      const [width, height] = textureSize({ rows, columns, isFlat });
      const on = `[${rows}, ${columns}] in ${width} x ${height}`;
      for (const side of [width, height]) assert(side <= 8192 && !Number.isInteger(Math.log2(side)), on);
      assert(isFlat ? texelsOf(rows + 3, columns) <= Math.min(width, 4096) * height : height >= rows + 3, on);
      checked++;
    }
  }
  assertEquals(checked, 520);
});

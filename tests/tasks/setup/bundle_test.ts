/** What goes into a page's script, and what stands in for what a browser has not. */

import { assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { leaveOut } from "../../../tasks/setup/bundle.ts";
import { Utf8Buffer } from "../../../tasks/playground/buffer.ts";

Deno.test("Utf8Buffer does what Node's Buffer does, as far as csv-parse asks", () => {
  const both = (act: (kind: typeof Buffer) => unknown) => {
    const here = act(Utf8Buffer as unknown as typeof Buffer);
    const there = act(Buffer);
    const plain = (value: unknown) => value instanceof Uint8Array ? [...value] : value;
    assertEquals(plain(here), plain(there), `${act}`);
  };
  both((kind) => kind.from("aé€😀\ufeff"));
  both((kind) => kind.from([1, 2, 300]));
  both((kind) => kind.from(kind.from([1, 2, 3])));
  both((kind) => kind.from("\ufeffé, x").toString("utf8", 0, 5));
  both((kind) => kind.from("é, x").toString());
  both((kind) => kind.concat([kind.from("a"), new Uint8Array([7]), kind.from("")]));
  both((kind) => kind.allocUnsafe(5).length);
  for (const [a, b] of [["a", "b"], ["b", "a"], ["ab", "a"], ["a", "ab"], ["a", "a"], ["", ""]]) {
    both((kind) => kind.compare(kind.from(a), kind.from(b)));
    both((kind) => kind.from(a).equals(kind.from(b)));
  }
  both((kind) => {
    const whole = kind.from("abcdef");
    const part = whole.slice(1, 4);
    const target = kind.from("......");
    part[0] = 65; // of both
    whole.copy(target, 2, 1, 4);
    return `${whole} ${part} ${target} ${kind.isBuffer(part)} ${kind.isBuffer(new Uint8Array(1))}`;
  });
});

Deno.test("leaveOut() keeps the names of files and drops what they hold, and says which file is not there", () => {
  const bundled =
    "// a/d3-geo/1.0.0/geo.js\nvar r = 1;\nfunction path() {\n  var inner = 2;\n}\n// lib/b.ts\nvar c = path;\n";
  const left = "var r = () => {};\nvar path = () => {};\n// lib/b.ts\nvar c = path;\n";
  assertEquals(leaveOut(bundled, [/\/d3-geo\//]), left);
  assertEquals(leaveOut(bundled, []), bundled);
  const says = "/d3-tree\\// out of a bundle: it has no such file";
  assertThrows(() => leaveOut(bundled, [/\/d3-tree\//]), RangeError, says);
});

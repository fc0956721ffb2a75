/** Files that break a rule of the safetensors format: each is refused with a DataError, whatever it claims. */
import { assertEquals, assertRejects } from "@std/assert";
import { DataError } from "../../lib/base/errors.ts";
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from "../../lib/safetensors/reader.ts";
import { permitted } from "../support/permitted.ts";
import { fileOf, temporaryFile } from "../support/temp_files.ts";

const entry = (shape: string, begin: number | string, end: number | string, dtype = '"F32"', more = "") =>
  `{"dtype":${dtype},"shape":${shape},"data_offsets":[${begin},${end}]${more}}`;
const one = entry("[1]", 0, 4);
const four = [0, 0, 0, 0];
const eight = [...four, ...four];
const metadata = (json: string) => fileOf(`{"__metadata__":${json}}`);
const tensor = (json: string, data: readonly number[] = four) => fileOf(`{"a":${json}}`, data);

/** Each rule, a file that breaks it and it alone, and what is said. */
const BROKEN: [rule: string, bytes: Uint8Array, says: string][] = [
  ["an empty file", new Uint8Array(0), "cut short: the file ends too early"],
  ["a file shorter than the header's length", Uint8Array.of(1, 2, 3), "cut short: the file ends too early"],
  ["a header of more than 100 MB", fileOf("{}", [], 100_000_001), "its header claims 100000001 bytes"],
  ["a header's length of 64 bits", fileOf("{}", [], 2n ** 64n - 1n), "its header claims 18446744073709552000 bytes"],
  ["a header longer than the file", fileOf("{}", [], 11), "cut short: the header needs 19 bytes of 10"],
  ["a header of no bytes", fileOf(""), "its header is not JSON in UTF-8"],
  ["a header that is cut", fileOf("{"), "its header is not JSON in UTF-8"],
  ["a header with more behind its end", fileOf("{}x"), "its header is not JSON in UTF-8"],
  ["zeros as padding", fileOf("{}\0\0"), "its header is not JSON in UTF-8"],
  ["a byte-order mark", fileOf("\ufeff{}"), "its header is not JSON in UTF-8"],
  ["bytes that are not UTF-8", fileOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), "its header is not JSON in UTF-8"],
  ["a header nested beyond the stack", fileOf("[".repeat(2e6) + "]".repeat(2e6)), "its header is not "],
  ["a space before the brace", fileOf(" {}"), "its header is not a JSON object"],
  ["a list as header", fileOf("[]"), "its header is not a JSON object"],
  ["a tensor named twice", fileOf(`{"a":${one},"a":${entry("[1]", 4, 8)}}`, eight), "its header names a twice"],
  ["a name repeated in escapes", fileOf(`{"a":${one},"\\u0061":${one}}`, four), "its header names a twice"],
  ["two metadata", fileOf('{"__metadata__":{},"__metadata__":{}}'), "its header names __metadata__ twice"],
  ["a field named twice", tensor(entry("[1]", 0, 4, '"F32"', ',"dtype":"F32"')), "its header names dtype twice"],
  ["a number in the metadata", metadata('{"a":1}'), "its metadata holds something other than texts"],
  ["an object in the metadata", metadata('{"a":{}}'), "its metadata holds something other than texts"],
  ["metadata that are a list", metadata('["a"]'), "its metadata holds something other than texts"],
  ["metadata that are a text", metadata('"a"'), "its metadata holds something other than texts"],
  ["metadata that are null", metadata("null"), "its metadata holds something other than texts"],
  ["half a character in the metadata", metadata('{"a":"\\ud800"}'), "its header holds half a character"],
  ["half a character in a name", fileOf(`{"\\udc00":${one}}`, four), "its header holds half a character"],
  ["another known type", tensor(entry("[2]", 0, 4, '"F16"')), 'tensor a has type "F16": only F32'],
  ["an unknown type", tensor(entry("[1]", 0, 4, '"F33"')), 'tensor a has type "F33": only F32'],
  ["a type that is no text", tensor(entry("[1]", 0, 4, '["F32"]')), 'tensor a has type ["F32"]: only F32'],
  ["a tensor that is no object", fileOf('{"a":3}'), "tensor a has type undefined: only F32"],
  ["no shape", tensor('{"dtype":"F32","data_offsets":[0,4]}'), "tensor a has shape undefined"],
  ["no offsets", tensor('{"dtype":"F32","shape":[1]}'), "and data_offsets undefined"],
  ["a shape below 0", tensor(entry("[-1]", 0, 4)), "tensor a has shape [-1]"],
  ["a shape of 1.5", tensor(entry("[1.5]", 0, 4)), 'tensor a has shape ["1.5"]'],
  ["a shape written 1.0", tensor(entry("[1.0]", 0, 4)), 'tensor a has shape ["1.0"]'],
  ["a shape written -0", tensor(entry("[-0]", 0, 0), []), 'tensor a has shape ["-0"]'],
  ["a shape of texts", tensor(entry('["1"]', 0, 4)), 'tensor a has shape ["1"]'],
  ["a shape that is a number", tensor(entry("1", 0, 4)), "tensor a has shape 1"],
  ["a shape beyond exact numbers", tensor(entry("[9007199254740993]", 0, 4)), "tensor a has shape ["],
  ["a product that overflows", tensor(entry("[4294967296,4294967296]", 0, 4)), "too large to be counted"],
  ["an overflow behind a 0", tensor(entry("[4294967296,4294967296,0]", 0, 0), []), "too large to be counted"],
  ["one offset", tensor('{"dtype":"F32","shape":[1],"data_offsets":[0]}'), "and data_offsets [0]"],
  ["three offsets", tensor('{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}'), "and data_offsets [0,4,4]"],
  ["offsets below 0", tensor(entry("[1]", -4, 0)), "and data_offsets [-4,0]"],
  ["offsets as 4e0", tensor(entry("[1]", 0, "4e0")), 'and data_offsets [0,"4e0"]'],
  ["offsets the wrong way round", tensor(entry("[1]", 4, 0)), "tensor a has -4 bytes, its shape [1] needs 4"],
  ["fewer bytes than the shape", tensor(entry("[2]", 0, 4)), "4 bytes, its shape [2] needs 8"],
  ["more bytes than the shape", tensor(entry("[]", 0, 8), eight), "8 bytes, its shape [] needs 4"],
  ["a hole before the first tensor", tensor(entry("[1]", 4, 8), eight), "tensor a begins at byte 4, expected 0"],
  ["a hole", fileOf(`{"a":${one},"b":${entry("[1]", 8, 12)}}`, [...eight, ...four]), "tensor b begins at byte 8"],
  ["the same bytes twice", fileOf(`{"a":${one},"b":${one}}`, four), "tensor b begins at byte 0, expected 4"],
  [
    "tensors that overlap",
    fileOf(`{"a":${entry("[2]", 0, 8)},"b":${entry("[1]", 4, 8)}}`, eight),
    "tensor b begins at byte 4, expected 8",
  ],
  ["a file that ends too early", tensor(one, [0, 0]), "its tensors take 4 bytes and 2 are there"],
  ["a file with more behind the tensors", tensor(one, [...four, 0]), "its tensors take 4 bytes and 5 are there"],
  ["data without a tensor", fileOf("{}", [1]), "its tensors take 0 bytes and 1 are there"],
];

for (const [rule, bytes, says] of BROKEN) {
  permitted(`readSafetensors() refuses ${rule}`, async () => {
    await using file = await temporaryFile("hostile.safetensors");
    await Deno.writeFile(file.path, bytes);
    for (const read of [readSafetensors, readSafetensorsHeader]) {
      const error = await assertRejects(() => read(file.path), DataError, says);
      assertEquals(error.place, { file: file.path });
    }
  });
}

permitted("readSafetensors() takes what the format allows", async () => {
  await using file = await temporaryFile("hostile.safetensors");
  const read = async (bytes: Uint8Array) => {
    await Deno.writeFile(file.path, bytes);
    return Object.fromEntries((await readSafetensors(file.path)).tensors);
  };
  assertEquals(await read(fileOf("{}")), {});
  assertEquals(await read(fileOf("{}      ")), {});
  assertEquals(await read(fileOf(`{"b":${entry("[1]", 4, 8)},"a":${one}}`, eight)), {
    a: { shape: [1], data: Float32Array.of(0) },
    b: { shape: [1], data: Float32Array.of(0) },
  });
  const none = entry("[0,5]", 4, 4);
  assertEquals(Object.keys(await read(fileOf(`{"a":${one},"b":${none},"c":${none}}`, four))), ["a", "b", "c"]);
  const long = { text: '"\\'.repeat(3e6), name: '": {"' };
  await writeSafetensors(file.path, {}, long);
  assertEquals((await readSafetensors(file.path)).metadata.text === long.text, true, "a text of many escapes");
  await assertRejects(() => readSafetensors(`${file.path}.none`), Deno.errors.NotFound, "there is no such file");
});

/**
 * The values of one column in one row group of a Parquet file. Counts and sizes are checked before the decoder sees them: it
 * believes them, and a damaged one would fill the memory.
 *
 * @module
 */

import type { ColumnMetaData, DecodedArray, PageHeader, SchemaElement, SchemaTree } from "hyparquet";

/** Largest page, unpacked; writers make pages of about a megabyte. */
const PAGE_LIMIT = 2 ** 28;

/** How much snappy can shrink bytes at most: a copy of 64 bytes takes two. */
const SNAPPY_FACTOR = 64;

/** What the decoder makes of numbers and bytes that mean something else. */
export type Parsers = Readonly<Record<string, (value: never) => unknown>>;

/** A column of one row group. */
export interface ColumnChunk {
  /** Its bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What the file says of them. */
  readonly metadata: ColumnMetaData;
  /** The root of the schema, and the column in it, as the decoder is to take it. */
  readonly schemaPath: readonly [SchemaTree, SchemaTree];
  /** What becomes of dates and texts. */
  readonly parsers: Parsers;
  /** How many rows the row group has. */
  readonly rows: number;
}

/** What a file says that cannot be, or what is not read. The message ends a sentence. */
export class ParquetFault extends Error {}

/**
 * Decodes a column.
 *
 * @returns The values of each page; null where there is none.
 * @throws {ParquetFault} If sizes and counts do not fit. The decoder has errors of its own.
 */
export async function decodeColumn(chunk: ColumnChunk): Promise<DecodedArray[]> {
  const [{ readPage }, unpack] = await Promise.all([
    import("hyparquet/src/column.js"),
    unpackerOf(chunk.metadata.codec),
  ]);
  const { metadata, schemaPath, parsers, rows } = chunk;
  const { element } = schemaPath[1];
  // deno-lint-ignore no-explicit-any -- the decoder has its own, wider type for the same
  const decoder: any = {
    ...metadata,
    element,
    schemaPath,
    parsers,
    pathInSchema: [element.name],
    codec: "UNCOMPRESSED",
  };
  const pages: DecodedArray[] = [];
  let dictionary: DecodedArray | undefined;
  for (const { header, bytes } of await pagesOf(chunk)) {
    const page = unpackPage(header, bytes, unpack);
    const size = page.length;
    const v2 = header.data_page_header_v2 && { ...header.data_page_header_v2, is_compressed: false };
    const plain = { ...header, compressed_page_size: size, uncompressed_page_size: size, data_page_header_v2: v2 };
    checkPage(plain, page, element);
    const { data } = readPage({ view: viewOf(page), offset: 0 }, plain, decoder, dictionary, undefined, 0);
    if (header.type !== "DICTIONARY_PAGE") pages.push(data!);
    else dictionary = (await import("hyparquet/src/convert.js")).convert(data!, decoder);
  }
  if (pages.reduce((sum, { length }) => sum + length, 0) !== rows) throw new ParquetFault("values are missing");
  return pages;
}

/** Walks over the pages and their headers: together they must have as many values as the row group has rows. */
async function pagesOf(
  { bytes, rows }: ColumnChunk,
): Promise<{ header: PageHeader; bytes: Uint8Array<ArrayBuffer> }[]> {
  const { parquetHeader } = await import("hyparquet/src/column.js");
  const reader = { view: viewOf(bytes), offset: 0 };
  const pages: { header: PageHeader; bytes: Uint8Array<ArrayBuffer> }[] = [];
  // A page takes bytes, if only those of its header: this ends. What a header lacks is undefined, so `!(a <= b)` is no `a > b`.
  let left = rows;
  while (left > 0) {
    const header = parquetHeader(reader);
    const { type, compressed_page_size: size, uncompressed_page_size: unpacked } = header;
    const end = reader.offset + size;
    if (!(size >= 0 && end <= bytes.length)) throw new ParquetFault("a page is longer than its column");
    if (!(unpacked >= 0 && unpacked <= PAGE_LIMIT)) throw new ParquetFault(`a page has ${unpacked} bytes`);
    const page = { header, bytes: bytes.subarray(reader.offset, end) };
    reader.offset = end;
    if (type === "INDEX_PAGE") continue;
    pages.push(page);
    if (type === "DICTIONARY_PAGE") continue;
    const count = (header.data_page_header ?? header.data_page_header_v2)?.num_values;
    if (count === undefined || !(count >= 0 && count <= left)) throw new ParquetFault(`a page has ${count} values`);
    left -= count;
  }
  return pages;
}

type Unpack = (bytes: Uint8Array, size: number) => Uint8Array<ArrayBuffer>;

/** What unpacks the pages of a codec. */
async function unpackerOf(codec: string): Promise<Unpack> {
  if (codec === "UNCOMPRESSED") return (bytes) => new Uint8Array(bytes);
  if (codec === "SNAPPY") {
    const { snappyUncompress } = await import("hyparquet");
    return (bytes, size) => {
      if (size > bytes.length * SNAPPY_FACTOR) throw new ParquetFault(`a page of ${bytes.length} bytes has ${size}`);
      const out = new Uint8Array(size);
      snappyUncompress(bytes, out);
      return out;
    };
  }
  // Not at the top: a browser has no such module.
  const zlib = await import("node:zlib");
  const unpackers = { GZIP: zlib.gunzipSync, BROTLI: zlib.brotliDecompressSync, ZSTD: zlib.zstdDecompressSync };
  const unpack = unpackers[codec as keyof typeof unpackers];
  if (unpack) return (bytes, size) => new Uint8Array(unpack(bytes, { maxOutputLength: Math.max(1, size) }));
  throw new ParquetFault(`it is compressed by ${codec}: write it with the compression snappy, gzip, brotli or zstd`);
}

/** A page without compression; levels of the second version never have any. */
function unpackPage(header: PageHeader, bytes: Uint8Array, unpack: Unpack): Uint8Array<ArrayBuffer> {
  const v2 = header.data_page_header_v2;
  const size = header.uncompressed_page_size;
  const levels = v2 ? v2.definition_levels_byte_length + v2.repetition_levels_byte_length : 0;
  if (!(levels >= 0 && levels <= Math.min(size, bytes.length))) {
    throw new ParquetFault("levels are longer than their page");
  }
  if (v2?.is_compressed === false) unpack = (bytes) => new Uint8Array(bytes);
  // Where all values are missing, nothing may be there to unpack.
  const values = size === levels ? new Uint8Array(0) : unpack(bytes.subarray(levels), size - levels);
  if (values.length !== size - levels) {
    throw new ParquetFault(`a page has ${levels + values.length} bytes, not ${size}`);
  }
  const page = new Uint8Array(size);
  page.set(bytes.subarray(0, levels));
  page.set(values, levels);
  return page;
}

/** Checks what the decoder believes: counts of a dictionary, and of runs. */
function checkPage({ type, ...headers }: PageHeader, page: Uint8Array<ArrayBuffer>, element: SchemaElement): void {
  const { data_page_header: v1, data_page_header_v2: v2, dictionary_page_header: dictionary } = headers;
  if (type === "DICTIONARY_PAGE") {
    // Each value takes a byte at least.
    if (!dictionary || !(dictionary.num_values >= 0 && dictionary.num_values <= page.length)) {
      throw new ParquetFault("a dictionary has more values than bytes");
    }
    return;
  }
  const data = v1 ?? v2;
  if (!data) throw new ParquetFault("a page has no header");
  let at = 0;
  let values = data.num_values;
  if (v2) {
    if (!(v2.num_nulls >= 0 && v2.num_nulls <= values && v2.repetition_levels_byte_length === 0)) {
      throw new ParquetFault(`${v2.num_nulls} of ${values} values are missing`);
    }
    at = v2.definition_levels_byte_length;
    if (element.repetition_type !== "REQUIRED") checkRuns(page, 0, at, 1, values);
    values -= v2.num_nulls;
  } else if (element.repetition_type !== "REQUIRED") {
    at = 4 + viewOf(page).getUint32(0, true);
    values = checkRuns(page, 4, at, 1, values);
  }
  if (data.encoding === "RLE_DICTIONARY" || data.encoding === "PLAIN_DICTIONARY") {
    const width = values > 0 ? page[at] : 0;
    if (!(width <= 32)) throw new ParquetFault(`an index has ${width} bits`);
    if (width > 0) checkRuns(page, at + 1, page.length, width, values);
  } else if (data.encoding === "RLE") checkRuns(page, at + 4, page.length, 1, values);
}

/** Checks that runs of values are no more than there may be. Gives how many values are 1. */
function checkRuns(page: Uint8Array, from: number, to: number, width: number, count: number): number {
  if (to > page.length) throw new ParquetFault("runs are longer than their page");
  let ones = 0;
  let at = from;
  for (let left = count; left > 0;) {
    let run = 0;
    let shift = 0;
    for (let byte = 0x80; byte & 0x80; shift += 7) {
      if (at >= to || shift > 28) throw new ParquetFault("runs end too early");
      byte = page[at++];
      run += (byte & 0x7f) * 2 ** shift;
    }
    const isPacked = run % 2 === 1;
    const length = Math.floor(run / 2) * (isPacked ? 8 : 1);
    const bytes = isPacked ? length / 8 * width : Math.ceil(width / 8);
    // The last of the packed values may stand for nothing.
    if (length > left + (isPacked ? 7 : 0)) throw new ParquetFault(`a run has ${length} values, and ${left} are left`);
    for (let i = 0; width === 1 && i < Math.min(length, left); i++) {
      ones += isPacked ? page[at + (i >> 3)] >> (i & 7) & 1 : page[at] & 1;
    }
    at += bytes;
    left -= length;
  }
  return ones;
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): DataView<ArrayBuffer> {
  return new DataView(buffer, byteOffset, byteLength);
}

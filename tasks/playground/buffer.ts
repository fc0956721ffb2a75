/**
 * Gives the page a Buffer, which browsers do not have. If JSR does not answer, csv-parse replaces @std/csv, and it needs a
 * Buffer as soon as it is loaded. UTF-8 is enough for it; the complete Buffer from npm has 27 KB.
 */

/** Bytes, with the part of Node's Buffer that csv-parse uses. */
export class Utf8Buffer extends Uint8Array {
  static override from(value: string | ArrayLike<number> | Iterable<number>): Utf8Buffer {
    return new Utf8Buffer(typeof value === "string" ? new TextEncoder().encode(value) : Array.from(value));
  }

  static allocUnsafe(size: number): Utf8Buffer {
    return new Utf8Buffer(size);
  }

  static isBuffer(value: unknown): value is Utf8Buffer {
    return value instanceof Utf8Buffer;
  }

  static concat(buffers: readonly Uint8Array[]): Utf8Buffer {
    return Utf8Buffer.from(buffers.flatMap((buffer) => [...buffer]));
  }

  static compare(a: Uint8Array, b: Uint8Array): number {
    const place = a.findIndex((byte, i) => byte !== b[i]);
    return place < 0 ? Math.sign(a.length - b.length) : Math.sign(a[place] - (b[place] ?? -1));
  }

  equals(other: Uint8Array): boolean {
    return Utf8Buffer.compare(this, other) === 0;
  }

  copy(target: Uint8Array, targetStart = 0, start = 0, end = this.length): void {
    target.set(this.subarray(start, end), targetStart);
  }

  /** Node's shares its bytes. */
  override slice(start?: number, end?: number): Utf8Buffer {
    return this.subarray(start, end) as Utf8Buffer;
  }

  override toString(_encoding?: string, start?: number, end?: number): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.subarray(start, end));
  }
}

// Deno has its own.
if (!("Deno" in globalThis)) Object.assign(globalThis, { Buffer: Utf8Buffer });

/**
 * Values of Parquet columns as the texts that a CSV file would have.
 *
 * @module
 */

import type { SchemaElement } from "hyparquet";
import { ParquetFault, type Parsers } from "./parquet_pages.ts";

/** How a column is read. */
export interface CellForm {
  /** The column as the decoder is to take it. */
  readonly element: SchemaElement;
  /** What it does with dates and texts. */
  readonly parsers: Parsers;
  /** The text of a value; what is missing is "". */
  readonly textOf: (value: unknown) => string;
}

const DAY_MS = 86_400_000;

/** Decimal places of a second in each unit. */
const UNITS: Readonly<Record<string, number>> = { MILLIS: 3, MICROS: 6, NANOS: 9 };

const REFUSED = ["BSON", "INTERVAL", "MAP", "LIST", "MAP_KEY_VALUE", "GEOMETRY", "GEOGRAPHY", "VARIANT"];

/**
 * How a column is read.
 *
 * @throws {ParquetFault} If its values are no cells.
 */
export function cellForm(element: SchemaElement): CellForm {
  const { type, converted_type: converted, logical_type: logical, scale = 0 } = element;
  const kind = logical?.type ?? converted ?? "";
  const refused = REFUSED.find((name) => name === converted || name === logical?.type);
  if (refused) throw new ParquetFault(`it holds values of the type ${refused}`);
  const isBytes = type === "BYTE_ARRAY" || type === "FIXED_LEN_BYTE_ARRAY";
  if (type === "FIXED_LEN_BYTE_ARRAY" && !["DECIMAL", "UUID", "FLOAT16"].includes(kind)) {
    throw new ParquetFault("it holds bytes");
  }
  // The decoder makes floating-point numbers of decimals, and objects of JSON: it is to leave them as they are.
  const isPlain = kind === "DECIMAL" || kind.startsWith("TIME_") || kind === "TIME" || kind === "JSON";
  const plain = { ...element, converted_type: undefined, logical_type: undefined };
  const isUtc = logical?.type === "TIMESTAMP" ? logical.isAdjustedToUTC : converted?.startsWith("TIMESTAMP") ?? false;
  const zone = isUtc ? "Z" : "";
  const timeUnit = logical?.type === "TIME" ? logical.unit : kind.slice("TIME_".length);
  const keep = (bytes: Uint8Array) => bytes;
  const parsers = {
    timestampFromMilliseconds: (value: bigint) => dateTime(BigInt(value), 3) + zone,
    timestampFromMicroseconds: (value: bigint) => dateTime(BigInt(value), 6) + zone,
    timestampFromNanoseconds: (value: bigint) => dateTime(BigInt(value), 9) + zone,
    dateFromDays: (days: number) => new Date(days * DAY_MS).toISOString().replace("T00:00:00.000Z", ""),
    stringFromBytes: kind === "DECIMAL" ? keep : textOf,
  };
  return {
    element: isPlain ? plain : element,
    parsers: { ...parsers, ...uuidParser() },
    textOf: (value) => {
      if (value === null) return "";
      // An index beyond the dictionary gives nothing, and so do bytes that are not there.
      if (value === undefined) throw new ParquetFault("a value is not in its dictionary");
      if (kind === "DECIMAL") {
        return decimal(isBytes ? integerOf(value as Uint8Array<ArrayBuffer>) : BigInt(value as number), scale);
      }
      if (kind === "TIME" || kind.startsWith("TIME_")) return timeOf(BigInt(value as number), UNITS[timeUnit]);
      return `${value}`;
    },
  };
}

const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array): string {
  try {
    return DECODER.decode(bytes);
  } catch (error) {
    throw new ParquetFault("it holds bytes that are no UTF-8 text", { cause: error });
  }
}

function uuidParser(): Parsers {
  return {
    uuidFromBytes: (bytes: Uint8Array<ArrayBuffer>) =>
      bytes.toHex().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"),
  };
}

/** Time since 1970 in units of so many decimal places of a second, as ISO 8601. */
function dateTime(value: bigint, places: number): string {
  const unit = 10n ** BigInt(places);
  const rest = (value % unit + unit) % unit;
  const seconds = new Date(Number((value - rest) / unit) * 1000).toISOString().slice(0, -".000Z".length);
  return rest === 0n ? seconds : `${seconds}.${`${rest}`.padStart(places, "0").replace(/0+$/, "")}`;
}

/** Time of day: that of the first day. */
function timeOf(value: bigint, places: number): string {
  return dateTime(value, places).slice("1970-01-01T".length);
}

/** A whole number of so many decimal places. */
function decimal(value: bigint, scale: number): string {
  const digits = `${value < 0n ? -value : value}`.padStart(scale + 1, "0");
  const point = digits.length - scale;
  return `${value < 0n ? "-" : ""}${digits.slice(0, point)}${scale > 0 ? `.${digits.slice(point)}` : ""}`;
}

/** The whole number that bytes hold, the highest first. */
function integerOf(bytes: Uint8Array<ArrayBuffer>): bigint {
  return bytes.length === 0 ? 0n : BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toHex()}`));
}

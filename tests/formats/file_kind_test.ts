import { assertEquals, assertThrows } from "@std/assert";
import { DataError } from "../../lib/base/errors.ts";
import { kindOf, zipFault } from "../../lib/formats/file_kind.ts";

/** A byte for each character. */
function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

Deno.test("kindOf() knows by the first bytes what is read", () => {
  const cases: [start: string, kind: string][] = [
    ["a,b\n1,2\n", "csv"],
    ["", "csv"],
    ["\x1f\x8b\x08\0", "gzip"],
    ["PAR1\x15\x04", "parquet"],
    ["\xff\xfea\0", "utf-16le"],
    ["\xfe\xff\0a", "utf-16be"],
    ["a\0,\0b\0\n\x001\0,\x002\0\n\0", "utf-16le"],
    ["\0a\0,\0b\0\n\x001\0,\x002\0\n", "utf-16be"],
    ['{"a":1}\n', "json"],
    ['\n \xef\xbb\xbf{ "a":1}\n'.replace("\n ", ""), "json"],
    ["{}\n", "json"],
    ["PK\x03\x04", "zip"],
    // Headers of CSV files that begin as other formats do.
    ["{a},b\n1,2\n", "csv"],
    ["[m],b\n1,2\n", "csv"],
    ["[m],[b]\n1,2\n", "csv"],
    ["PAR1,b\n1,2\n", "csv"],
    ["ORC,BZh\n1,2\n", "csv"],
    ["<DATE>,<OPEN>\n1,2\n", "csv"],
    ["a\0,b\n1,2\n3,4\n", "csv"],
  ];
  for (const [start, kind] of cases) assertEquals(kindOf(bytesOf(start), "t"), kind, JSON.stringify(start));
});

Deno.test("kindOf() says what else a file is, and what to do", () => {
  const tar = `a.csv${"\0".repeat(252)}ustar`;
  const cases: [start: string, says: string][] = [
    ["\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls): save the sheet as CSV UTF-8"],
    ["\x28\xb5\x2f\xfd\0", "compressed by zstd: unpack it first"],
    ["BZh91AY&SY\x01", "compressed by bzip2: unpack it first"],
    ["\xfd7zXZ\0", "compressed by xz: unpack it first"],
    ["7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"],
    ["Rar!\x1a\x07", "a RAR archive: unpack it first"],
    [tar, "a tar archive: unpack it first"],
    ["%PDF-1.7\n", "a PDF document: save the table as CSV"],
    ["<!DOCTYPE html>\n", "a web page (HTML): save the table as CSV"],
    ["  <html lang=en>", "a web page (HTML)"],
    ['<?xml version="1.0"?>', "XML: save the table as CSV"],
    ["SQLite format 3\0", "an SQLite database"],
    ["\x93NUMPY\x01", "a NumPy array"],
    ["\x80\x04\x95", "a Python pickle"],
    ["ARROW1\0\0", "an Arrow or Feather file"],
    ["FEA1\0", "a Feather file"],
    ["PARE\x15", "an encrypted Parquet file"],
    ["\x89HDF\r\n\x1a\n", "an HDF5 file"],
    ["RDX3\nX\n\0\0", "an R workspace"],
    ['[{"a": 1}]', "a JSON array: write one object a line"],
    ["[1, 2]\n[3, 4]\n", "a JSON array: write one object a line"],
    ["$FL2@(#) SPSS", "an SPSS file: save the table as CSV"],
    ["<stata_dta><header>", "a Stata file"],
    ["MIME-Version: 1.0\n", "a web archive"],
    ['[\n  {\n "a": 1}]', "a JSON array: write one object a line"],
    ["\xff\xfe\0\0a\0\0\0", "UTF-32: save it as UTF-8"],
  ];
  for (const [start, says] of cases) assertThrows(() => kindOf(bytesOf(start), "t"), DataError, `t: it is ${says}`);
});

Deno.test("zipFault() tells a workbook from an archive", () => {
  const cases: [names: string, says: string][] = [
    ["PK [Content_Types].xml xl/workbook.xml", "it is an Excel workbook (.xlsx): save the sheet as CSV UTF-8"],
    ["PK mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "it is an OpenDocument file: save the sheet as CSV"],
    ["PK arr_0.npy", "it is an archive of NumPy arrays (.npz)"],
    ["PK a.csv", "it is a zip archive: unpack it first, with unzip"],
  ];
  for (const [names, says] of cases) assertEquals(zipFault(bytesOf(names)).startsWith(says), true, names);
});

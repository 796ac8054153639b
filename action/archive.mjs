// Extracts the binary from a release archive: a gzip-compressed tar that contains FOLDER/cutover.

import { promisify } from "node:util";
import { gunzip } from "node:zlib";

import { limits } from "./limits.mjs";

const BLOCK = 512;

/** Returns the bytes of `FOLDER/cutover`. Throws an Error if the archive is damaged or does not contain it. */
export async function unpack(archive) {
  const tar = await promisify(gunzip)(archive, { maxOutputLength: limits.unpacked });
  for (let at = 0; at + BLOCK <= tar.length;) {
    const header = tar.subarray(at, at + BLOCK);
    // Two blocks of zeros end an archive; one is enough to stop reading.
    if (header.every((byte) => byte === 0)) break;
    const { path, size, isFile } = parse(header);
    const begin = at + BLOCK;
    const end = begin + size;
    if (end > tar.length) throw new Error(`the archive ends within ${path}`);
    if (isFile && /^(\.\/)?[^/]+\/cutover$/.test(path)) return tar.subarray(begin, end);
    at = begin + Math.ceil(size / BLOCK) * BLOCK;
  }
  throw new Error("the archive has no file */cutover");
}

/** Reads a header. Extensions for long names (pax, GNU) are entries of their own type, skipped like any other. */
function parse(header) {
  const sum = octal(header, 148, 156);
  // The checksum is computed with blanks in its own place.
  const actual = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
  if (sum !== actual) throw new Error("the archive has a damaged tar header");
  const prefix = header.toString("latin1", 257, 262) === "ustar" ? string(header, 345, 500) : "";
  const name = string(header, 0, 100);
  const type = header[156];
  return {
    path: prefix ? `${prefix}/${name}` : name,
    size: octal(header, 124, 136),
    isFile: type === 0 || type === 0x30,
  };
}

function string(header, begin, end) {
  const text = header.toString("utf8", begin, end);
  const nul = text.indexOf("\0");
  return nul < 0 ? text : text.slice(0, nul);
}

function octal(header, begin, end) {
  const text = string(header, begin, end).trim();
  if (!/^[0-7]+$/.test(text)) throw new Error("the archive has a damaged tar header");
  return Number.parseInt(text, 8);
}

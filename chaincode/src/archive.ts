import { concat, utf8 } from "@veilgrid/protocol";
import { crc32 } from "node:zlib";

/** A regular file of an archive. */
export interface ArchivedFile {
  readonly name: string;
  readonly content: Uint8Array;
}

const BLOCK = 512;
const MAX_STORED = 0xffff;

function octal(value: number, digits: number): string {
  return `${value.toString(8).padStart(digits, "0")}\0`;
}

/** A ustar header (POSIX.1-1988, pax section "ustar Interchange Format"): owner root, time 0. */
function header(name: string, size: number): Uint8Array {
  const before = `${name.padEnd(100, "\0")}${octal(0o644, 7)}${octal(0, 7)}${octal(0, 7)}${octal(size, 11)}${octal(0, 11)}`;
  const after = `0${"\0".repeat(100)}ustar\0` + "00";
  const bytes = new Uint8Array(BLOCK);
  bytes.set(utf8(`${before}        ${after}`));
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.set(utf8(`${octal(sum, 6)} `), 148);
  return bytes;
}

function tar(files: readonly ArchivedFile[]): Uint8Array {
  const parts = files.flatMap(({ name, content }) => {
    const padding = new Uint8Array((BLOCK - (content.length % BLOCK)) % BLOCK);
    return [header(name, content.length), content, padding];
  });
  return concat(...parts, new Uint8Array(2 * BLOCK));
}

function little(value: number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => (value >>> (8 * i)) & 0xff);
}

/** A DEFLATE block without compression (RFC 1951, 3.2.4). */
function stored(content: Uint8Array, last: boolean): Uint8Array {
  return concat(Uint8Array.of(last ? 1 : 0), little(content.length, 2), little(~content.length, 2), content);
}

/** gzip (RFC 1952) without compression: what zlib would choose differs between versions and processors. */
function gzip(content: Uint8Array): Uint8Array {
  const count = Math.max(1, Math.ceil(content.length / MAX_STORED));
  const blocks = Array.from({ length: count }, (_, i) =>
    stored(content.subarray(i * MAX_STORED, (i + 1) * MAX_STORED), i === count - 1),
  );
  const head = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);
  return concat(head, ...blocks, little(crc32(content), 4), little(content.length, 4));
}

/**
 * A .tar.gz of regular files, the same bytes on every machine.
 * @param files names are ASCII, at most 100 characters.
 */
export function archive(files: readonly ArchivedFile[]): Uint8Array {
  return gzip(tar(files));
}

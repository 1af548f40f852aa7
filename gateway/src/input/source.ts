import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { pipeline, Transform, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { CsvError, parse, type Parser } from "csv-parse";
import { toHex, type VeilgridError } from "@veilgrid/protocol";
import { fileProblem, Place } from "./problem.js";

/** One record of a CSV file: its cells without blanks around them, and the line on which it ends. */
export interface CsvRow {
  readonly place: Place;
  readonly cells: readonly string[];
}

/** A row longer than this is no CSV (10,000 households side by side take about 80 KB). */
const MAX_ROW_BYTES = 4_194_304;

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** Gzip by its first two bytes (RFC 1952, section 2.3.1) or by the file's name. */
async function isGzip(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(2), 0, 2, 0);
    return file.toLowerCase().endsWith(".gz") || (bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b);
  } finally {
    await handle.close();
  }
}

/**
 * A CSV file read row by row, whatever its size: UTF-8 with or without a byte order mark, LF or CRLF, plain or gzip.
 * Empty lines are passed over. The SHA-256 is that of the file as it lies on the disk.
 */
export class CsvFile {
  /** The file's name without its folders: what messages call it. */
  readonly name: string;
  readonly #path: string;
  readonly #hash = createHash("sha256");
  #digest: string | undefined;

  constructor(path: string) {
    this.#path = path;
    this.name = basename(path);
  }

  /** SHA-256 in hex of the whole file, once rows() has come to its end. */
  get sha256(): string {
    this.#digest ??= toHex(this.#hash.digest());
    return this.#digest;
  }

  /** @throws VeilgridError `unreadable-file`, `bad-gzip`, `bad-csv`, `empty-file` (no row at all). */
  async *rows(): AsyncGenerator<CsvRow, void> {
    let parser: Parser | undefined;
    let line = 0;
    try {
      parser = this.#parser(await isGzip(this.#path));
      for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
        line = info.lines;
        yield { place: new Place(this.name, line), cells: record };
      }
    } catch (error) {
      throw this.#translated(error);
    } finally {
      parser?.destroy();
    }
    if (line === 0) throw fileProblem("empty-file", this.name, "the file has no rows");
  }

  #parser(gzip: boolean): Parser {
    const parser = parse({
      bom: true,
      trim: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      record_delimiter: ["\r\n", "\n"],
      max_record_size: MAX_ROW_BYTES,
    });
    const hash = this.#hash;
    const tap = new Transform({
      transform(chunk: Uint8Array, _encoding, done): void {
        hash.update(chunk);
        done(null, chunk);
      },
    });
    const bytes: Readable = createReadStream(this.#path);
    // A failure of any part destroys the parser with it, and so reaches the loop that reads from it.
    const ended = (): void => undefined;
    if (gzip) pipeline(bytes, tap, createGunzip(), parser, ended);
    else pipeline(bytes, tap, parser, ended);
    return parser;
  }

  #translated(error: unknown): unknown {
    if (error instanceof CsvError) return this.#badCsv(error);
    const code = codeOf(error);
    if (code.startsWith("Z_")) return fileProblem("bad-gzip", this.name, "it is not a whole gzip file", error);
    if (/^E[A-Z]+$/.test(code)) return fileProblem("unreadable-file", this.name, `it cannot be read (${code})`, error);
    return error;
  }

  #badCsv(error: CsvError): VeilgridError {
    const lines: unknown = (error as CsvError & { lines?: unknown }).lines;
    const place = new Place(this.name, typeof lines === "number" ? lines : 0);
    return place.problem("bad-csv", error.message);
  }
}

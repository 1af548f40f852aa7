import { Reader, Writer, utf8, type Period } from "@veilgrid/protocol";
import type { ChainRef, ChangeKind, DeliveryNote, Enrolment, MeterChange } from "../ports/keystore.js";

const MAX_NAME = 255;
/** What a note says of the device's present keys; the last one is followed by the period since which it is silent. */
const KEEPS = { no: 0, yes: 1, silent: 2 } as const;
const KINDS: readonly ChangeKind[] = ["add", "remove", "replace", "move", "sell", "rekey"];
const text = new TextDecoder();

function writePeriod(writer: Writer, { month, k }: Period): Writer {
  return writer.u32(month).u16(k);
}

function readPeriod(reader: Reader): Period {
  return { month: reader.u32(), k: reader.u16() };
}

function readName(reader: Reader): string {
  return text.decode(reader.opaque(1, MAX_NAME));
}

/** An enrolment as KGCBP's store keeps it. */
export function encodeEnrolment(e: Enrolment): Uint8Array {
  const writer = writePeriod(new Writer().fixed(e.bid, 16).u16(e.region), e.from);
  writer.opaque(utf8(e.meter), 1, MAX_NAME).opaque(utf8(e.recipient), 1, MAX_NAME);
  writer.opaque(utf8(e.device ?? ""), 0, MAX_NAME);
  return (e.to === undefined ? writer : writePeriod(writer, e.to)).bytes();
}

/** @throws VeilgridError `malformed`. */
export function decodeEnrolment(bytes: Uint8Array): Enrolment {
  const reader = new Reader(bytes, "enrolment");
  const head = { bid: reader.fixed(16), region: reader.u16(), from: readPeriod(reader) };
  const names = { meter: readName(reader), recipient: readName(reader) };
  const device = text.decode(reader.opaque(0, MAX_NAME));
  const to = reader.left > 0 ? readPeriod(reader) : undefined;
  reader.end();
  return { ...head, ...names, ...(device === "" ? {} : { device }), to };
}

/** A change as KGCBP's store keeps it. */
export function encodeChange({ meter, serial, kind, from, delivery }: MeterChange): Uint8Array {
  const writer = new Writer().opaque(utf8(meter), 1, MAX_NAME).u32(serial).u8(KINDS.indexOf(kind));
  writePeriod(writer, from);
  if (delivery === undefined) return writer.bytes();
  writeNote(writer, delivery);
  return writer.bytes();
}

function writeNote(writer: Writer, { device, keep, silentFrom, chains }: DeliveryNote): void {
  writer.opaque(utf8(device), 1, MAX_NAME);
  if (silentFrom === undefined) writer.u8(keep ? KEEPS.yes : KEEPS.no);
  else writePeriod(writer.u8(KEEPS.silent), silentFrom);
  for (const { enrolment, first } of chains) {
    writePeriod(writePeriod(writer.fixed(enrolment.bid, 16), enrolment.from), first);
  }
}

/** @throws VeilgridError `malformed`. */
export function decodeChange(bytes: Uint8Array): MeterChange {
  const reader = new Reader(bytes, "change of a meter");
  const [meter, serial, kind] = [readName(reader), reader.u32(), KINDS[reader.u8()]];
  if (kind === undefined) throw reader.refuse("an unknown kind");
  const from = readPeriod(reader);
  const delivery = reader.left > 0 ? readNote(reader) : undefined;
  reader.end();
  return { meter, serial, kind, from, delivery };
}

function readNote(reader: Reader): DeliveryNote {
  const [device, keeps] = [readName(reader), reader.u8()];
  const silentFrom = keeps === KEEPS.silent ? { silentFrom: readPeriod(reader) } : {};
  const chains: ChainRef[] = [];
  while (reader.left > 0) {
    const enrolment = { bid: reader.fixed(16), from: readPeriod(reader) };
    chains.push({ enrolment, first: readPeriod(reader) });
  }
  return { device, keep: keeps === KEEPS.yes, ...silentFrom, chains };
}

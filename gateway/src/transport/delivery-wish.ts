import { Reader, Writer, utf8 } from "@veilgrid/protocol";

/** What a device asks KGCBP's counter. */
export interface DeliveryWish {
  /** Its age recipient, "age1…". */
  readonly device: string;
  /** The serial number of the newest delivery that it took; 0 before the first. */
  readonly serial: number;
}

const LONGEST_DEVICE = 255;

/** opaque device<1..255>; uint32 serial. */
export function encodeDeliveryWish({ device, serial }: DeliveryWish): Uint8Array {
  return new Writer().opaque(utf8(device), 1, LONGEST_DEVICE).u32(serial).bytes();
}

/** @throws VeilgridError `malformed`. */
export function decodeDeliveryWish(bytes: Uint8Array): DeliveryWish {
  const reader = new Reader(bytes, "wish for a delivery");
  const wish = { device: new TextDecoder().decode(reader.opaque(1, LONGEST_DEVICE)), serial: reader.u32() };
  reader.end();
  return wish;
}

import { Reader, answerCodec, decodeSigned, isVeilgridError, type Answer } from "@veilgrid/protocol";

/** What came back from a DA. */
export type DaReply =
  | { readonly kind: "receipt"; readonly receipt: Uint8Array }
  /** `signed` is Answer ‖ sig where the DA signed it; the signature is not verified here. */
  | { readonly kind: "answer"; readonly answer: Answer; readonly signed?: Uint8Array }
  | { readonly kind: "malformed" };

const MALFORMED: DaReply = { kind: "malformed" };

function decode(bytes: Uint8Array): DaReply {
  const body = bytes.subarray(1);
  const tag = bytes[0];
  if (tag === 1) return { kind: "receipt", receipt: body };
  if (tag === 2) return { kind: "answer", answer: decodeSigned(answerCodec, body).body, signed: body };
  return tag === 3 ? { kind: "answer", answer: answerCodec.decode(body) } : MALFORMED;
}

/** Reads the answer to a reading: u8 1 ‖ receipt, u8 2 ‖ Answer ‖ sig, or u8 3 ‖ Answer. */
export function decodeReply(bytes: Uint8Array): DaReply {
  try {
    return decode(bytes);
  } catch (error) {
    if (isVeilgridError(error)) return MALFORMED;
    throw error;
  }
}

/** Reads the answer to "time": uint64 Unix milliseconds; undefined for anything else. */
export function decodeTimeReply(bytes: Uint8Array): number | undefined {
  if (bytes.length !== 8) return undefined;
  const time = new Reader(bytes, "time").u64();
  return time <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(time) : undefined;
}

import { randomBytes } from "node:crypto";
import { utf8 } from "@veilgrid/protocol";
import { bare } from "./frames.js";
import type { ValidMessage } from "./messages.js";

const LEDGER = "/veilgrid.ledger.v1.Ledger";
const NONCE_BYTES = 24;
/** protobuf's wire types. */
const [VARINT, BYTES] = [0, 2];

/** A field of bytes, shorter than 128. */
function field(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of((number << 3) | BYTES, bytes.length), bytes]);
}

/** Call { string name = 1; repeated string args = 2; map<string, bytes> transient = 3; }. */
function callOf(name: string, ...args: readonly string[]): Buffer {
  const transient = Buffer.concat([field(1, utf8("block")), field(2, Buffer.alloc(64, 7))]);
  return Buffer.concat([field(1, utf8(name)), ...args.map((arg) => field(2, utf8(arg))), field(3, transient)]);
}

/** What an organisation asks of the ledger's service; nothing of it is to be committed. */
export function ledgerMessages(): ValidMessage[] {
  const digest = "ab".repeat(32);
  const calls = [callOf("submitBlock", digest), callOf("setup"), callOf("nobody", "\u{1f50c}")];
  const asked = [callOf("consortium"), callOf("head", "1"), callOf("submitBlock", digest)];
  const message = (method: string, body: Uint8Array): ValidMessage => ({
    path: `${LEDGER}/${method}`,
    body,
    shape: bare,
  });
  return [
    ...calls.map((call) => message("Submit", Buffer.concat([field(1, randomBytes(NONCE_BYTES)), field(2, call)]))),
    message("Submit", field(1, Buffer.alloc(NONCE_BYTES))),
    ...asked.map((call) => message("Evaluate", call)),
    message("Settled", field(1, utf8(digest))),
    message("Height", new Uint8Array()),
    message("Blocks", Buffer.of((1 << 3) | VARINT, 1)),
    message("Blocks", Buffer.of((1 << 3) | VARINT, ...Buffer.alloc(9, 0xff), 1)),
  ];
}

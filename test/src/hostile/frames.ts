import { deflateSync, gzipSync } from "node:zlib";
import type { Dice } from "./dice.js";

/** A request's bytes as they follow its HTTP/2 headers, and headers of its own. */
export interface Frame {
  readonly bytes: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

const PLAIN: Frame["headers"] = {};
const BOMB_BYTES = 64 * 1_048_576;
let made: Buffer | undefined;

/** 64 MiB of zeros in 64 KB. */
function bomb(): Buffer {
  made ??= gzipSync(Buffer.alloc(BOMB_BYTES));
  return made;
}

/** gRPC's message: compressed or not, length, content. @param length if it is to lie. */
function message(content: Buffer, compressed = 0, length = content.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(compressed, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, content]);
}

/** How a body stands in a message. @param length of the body, if it is to lie. */
export type Shape = (body: Uint8Array, length?: number) => Buffer;

/** protobuf's Request { bytes body = 1 }, or grpc.health.v1's HealthCheckRequest { string service = 1 }. */
function request(body: Uint8Array, length = body.length): Buffer {
  const varint: number[] = [];
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) varint.push(0x80 | (rest & 0x7f));
  return Buffer.concat([Buffer.of(0x0a, ...varint, rest), body]);
}

/** The body is the message. */
export function bare(body: Uint8Array): Buffer {
  return Buffer.from(body);
}

/** A request as it should be. */
export function proper(body: Uint8Array, shape: Shape = request): Frame {
  return { bytes: message(shape(body)), headers: PLAIN };
}

function encoded(encoding: string, content: Buffer): Frame {
  return { bytes: message(content, 1), headers: { "grpc-encoding": encoding } };
}

type Wrapping = (body: Buffer, dice: Dice, shape: Shape, largest: number) => Frame;

/** What may be wrong around a body; `largest` is about what the server takes, in bytes. */
const WRAPPINGS: readonly Wrapping[] = [
  (body, dice) => ({ bytes: dice.noise(dice.below(64) + body.length), headers: PLAIN }),
  (body, dice) => ({ bytes: message(dice.noise(body.length)), headers: PLAIN }),
  (body, dice, shape) => ({ bytes: message(shape(body)).subarray(0, dice.below(body.length + 7)), headers: PLAIN }),
  (body, dice, shape) => ({ bytes: message(shape(body), 0, dice.below(2 ** 32)), headers: PLAIN }),
  (body, dice, shape) => ({ bytes: message(shape(body, dice.below(2 ** 28))), headers: PLAIN }),
  (body, dice, shape) => ({ bytes: message(shape(body), dice.below(256)), headers: PLAIN }),
  (body, _, shape) => ({ bytes: Buffer.concat([message(shape(body)), message(shape(body))]), headers: PLAIN }),
  () => ({ bytes: Buffer.alloc(0), headers: PLAIN }),
  (body, dice, shape) => ({
    bytes: message(shape(body)),
    headers: { "grpc-timeout": dice.pick(["1n", "99999999H", "-1S", "x"]) },
  }),
  (body, _, shape) => encoded("gzip", gzipSync(shape(body))),
  (body, _, shape) => encoded("deflate", deflateSync(shape(body))),
  (body, _, shape) => encoded("gzip", gzipSync(shape(body)).subarray(0, -6)),
  (body, dice) => encoded(dice.pick(["gzip", "deflate", "br", "identity"]), dice.noise(body.length)),
  (_, __, shape, largest) => encoded("gzip", gzipSync(shape(Buffer.alloc(100 * largest).subarray(0, BOMB_BYTES)))),
];

/** A body in a wrapping that is mostly as it should be. */
export function wrapped(body: Buffer, dice: Dice, largest: number, shape: Shape = request): Frame {
  return dice.below(3) > 0 ? proper(body, shape) : dice.pick(WRAPPINGS)(body, dice, shape, Math.min(largest, 8_192));
}

/** A message that is larger than the server takes, or becomes it. */
export function oversized(dice: Dice, largest: number): Frame {
  if (dice.below(2) === 0) return encoded("gzip", bomb());
  return proper(dice.noise(largest + 1 + dice.below(largest)));
}

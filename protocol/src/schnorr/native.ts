import { createRequire } from "node:module";
import type * as Koffi from "koffi";
import { AUX_RAND, badSecret, checkMessage, wellSized, type SchnorrEngine } from "./engine.js";

/** SECP256K1_CONTEXT_NONE: all that libsecp256k1 since 0.2 asks for; no context table is built. */
const CONTEXT_NONE = 1;
/** Sizes of libsecp256k1's opaque structures, part of its ABI. */
const KEYPAIR_BYTES = 96;
const XONLY_BYTES = 64;

type Call = (...args: unknown[]) => number;

interface Library {
  readonly context: unknown;
  readonly keypairCreate: Call;
  readonly keypairXonly: Call;
  readonly xonlyParse: Call;
  readonly xonlySerialize: Call;
  readonly sign: Call;
  readonly verify: Call;
}

/** Before 0.2.0 the function was called schnorrsig_sign; the arguments are the same. */
function signFunction(library: Koffi.LibraryHandle): Call {
  const parameters = "(void *ctx, uint8_t *sig, uint8_t *msg32, uint8_t *keypair, uint8_t *aux)";
  try {
    return library.func(`int secp256k1_schnorrsig_sign32${parameters}`);
  } catch {
    return library.func(`int secp256k1_schnorrsig_sign${parameters}`);
  }
}

function open(): Library {
  const koffi = createRequire(import.meta.url)("koffi") as typeof Koffi;
  const library = koffi.load(process.env.VEILGRID_LIBSECP256K1 ?? "libsecp256k1.so.1");
  const create = library.func("void *secp256k1_context_create(unsigned int flags)");
  return {
    context: create(CONTEXT_NONE),
    keypairCreate: library.func("int secp256k1_keypair_create(void *ctx, uint8_t *keypair, uint8_t *seckey)"),
    keypairXonly: library.func(
      "int secp256k1_keypair_xonly_pub(void *ctx, uint8_t *xonly, int *parity, uint8_t *keypair)",
    ),
    xonlyParse: library.func("int secp256k1_xonly_pubkey_parse(void *ctx, uint8_t *xonly, uint8_t *input32)"),
    xonlySerialize: library.func("int secp256k1_xonly_pubkey_serialize(void *ctx, uint8_t *output32, uint8_t *xonly)"),
    sign: signFunction(library),
    verify: library.func(
      "int secp256k1_schnorrsig_verify(void *ctx, uint8_t *sig, uint8_t *msg, size_t msglen, uint8_t *xonly)",
    ),
  };
}

/** An engine over an opened library. The two structures are reused: an engine is called from one thread. */
function engineOver(library: Library): SchnorrEngine {
  const keypair = new Uint8Array(KEYPAIR_BYTES);
  const xonly = new Uint8Array(XONLY_BYTES);

  const parity = new Int32Array(1);

  const withKeypair = (secret: Uint8Array, use: () => number): void => {
    if (secret.length !== 32 || library.keypairCreate(library.context, keypair, secret) !== 1) throw badSecret();
    try {
      if (use() !== 1) throw badSecret();
    } finally {
      keypair.fill(0);
    }
  };

  /** Writes x(secret·G) into `x` (32 bytes) and its y's parity into `parity`. */
  const pointOf = (secret: Uint8Array, x: Uint8Array): void => {
    withKeypair(secret, () => {
      library.keypairXonly(library.context, xonly, parity, keypair);
      return library.xonlySerialize(library.context, x, xonly);
    });
  };

  return {
    name: "native",
    publicKey(secret) {
      const key = new Uint8Array(32);
      pointOf(secret, key);
      return key;
    },
    publicPoint(secret) {
      const point = new Uint8Array(33);
      pointOf(secret, point.subarray(1));
      point[0] = 2 + (parity[0] as number);
      return point;
    },
    sign(message, secret) {
      checkMessage(message);
      const signature = new Uint8Array(64);
      withKeypair(secret, () => library.sign(library.context, signature, message, keypair, AUX_RAND));
      return signature;
    },
    verify(signature, message, publicKey) {
      if (!wellSized(signature, message, publicKey)) return false;
      if (library.xonlyParse(library.context, xonly, publicKey) !== 1) return false;
      return library.verify(library.context, signature, message, 32, xonly) === 1;
    },
  };
}

let engine: SchnorrEngine | undefined;
let tried = false;

/**
 * The system's libsecp256k1 through koffi, about five times as fast as WASM; undefined where koffi or the library
 * (soname `libsecp256k1.so.1`, or the path in VEILGRID_LIBSECP256K1) is absent. Opened once, at the first call.
 */
export function nativeEngine(): SchnorrEngine | undefined {
  if (tried) return engine;
  tried = true;
  try {
    engine = engineOver(open());
  } catch {
    // koffi is an optional dependency and the library one of the system: without either, WASM serves.
    engine = undefined;
  }
  return engine;
}

import { blockHash } from "./hashes.js";
import { headerCodec } from "./header.js";
import { genesisHeader } from "./genesis-header.js";

/** CBH of a chain's genesis, which is prev of its block 1 (PROTOCOL section 7): 32 bytes. */
export function genesisHash(consortium: Uint8Array, region: number): Uint8Array {
  return blockHash(headerCodec.encode(genesisHeader(consortium, region)));
}

import { Writer, utf8 } from "@veilgrid/protocol";
import type { LedgerBlock } from "../ports/ledger.js";
import { blockHash, decodeBlock } from "./block.js";
import type { Tip } from "./state.js";

/** How blocks are in a file. */
export interface BlockForm {
  /** What stands before the first block: the form's version, and what is to be known. */
  readonly head: Uint8Array;
  /** Undefined for an embedded ledger's form. */
  readonly chaincode: string | undefined;
  /** Reads the block behind these. @throws VeilgridError `malformed`, `bad-fabric-block`. */
  read(bytes: Uint8Array, before: Tip): { readonly block: LedgerBlock; readonly hash: Uint8Array };
}

/** Version 1: the blocks of block.ts. */
export const embeddedForm: BlockForm = {
  head: Uint8Array.of(1),
  chaincode: undefined,
  read: (bytes, { height, hash }) => ({ block: decodeBlock(bytes, height, hash), hash: blockHash(bytes) }),
};

/** Version 2: Fabric's own blocks, of which one chaincode's transactions are looked at. */
export async function channelForm(chaincode: string): Promise<BlockForm> {
  // Loaded when it is needed: an embedded ledger's file does without Fabric's client.
  const { readExported } = await import("../fabric/exported.js");
  return {
    head: new Writer().u8(2).opaque(utf8(chaincode), 1, 255).bytes(),
    chaincode,
    read: (bytes, { height, hash }) => readExported(bytes, { number: height, previous: hash, chaincode }),
  };
}

import { compareBytes, concat } from "../bytes.js";
import { billsCodec } from "./bills.js";
import { closeCodec } from "./close.js";
import { epochHead } from "./epoch.js";
import type { Header } from "./header.js";
import { KIND, type Kind } from "./kind.js";
import { decodeLeaf } from "./leaf.js";
import { maskCodec } from "./mask.js";
import { decodeParamsLeaf } from "./params-leaf.js";
import { samePeriod } from "./period.js";
import { priceCodec } from "./price.js";
import { READING_LEAF_BYTES } from "./reading.js";
import type { StructCodec } from "./struct.js";
import { strictlyAscending } from "./vectors.js";
import { verdictCodec } from "./verdict.js";

/** Says why leaves are not those of a block under this header, or nothing. Leaves' own decoders throw `malformed`. */
type LeavesRule = (leaves: readonly Uint8Array[], header: Header, periodSeconds: number) => string | undefined;

/** Leaves that are bodies of one struct, ascending by a key that stands in the body's bytes. */
function bodies(codec: Pick<StructCodec<unknown>, "decode">, key: (body: Uint8Array) => Uint8Array): LeavesRule {
  return (leaves, _header, periodSeconds) => {
    const keys = leaves.map((leaf) => {
      const { body } = decodeLeaf(leaf);
      codec.decode(body, periodSeconds);
      return key(body);
    });
    return strictlyAscending(keys) ? undefined : "leaves not ascending";
  };
}

/** "A readings block with three leaves of one PRID is malformed" */
function threeOfOnePrid(leaves: readonly Uint8Array[]): boolean {
  // They ascend, so the leaves of a PRID stand together.
  return leaves.some(
    (leaf, i) => i >= 2 && compareBytes((leaves[i - 2] as Uint8Array).subarray(0, 32), leaf.subarray(0, 32)) === 0,
  );
}

function readingsFlaw(leaves: readonly Uint8Array[]): string | undefined {
  if (leaves.some((leaf) => leaf.length !== READING_LEAF_BYTES)) return "a reading leaf that is not 104 bytes";
  if (!strictlyAscending(leaves)) return "leaves not ascending";
  return threeOfOnePrid(leaves) ? "three leaves of one PRID" : undefined;
}

/** "Off readings blocks Period is six zero bytes (an epoch's: its first)"; header and epoch name the same params. */
function epochFlaw([leaf]: readonly Uint8Array[], header: Header): string | undefined {
  const epoch = epochHead(decodeLeaf(leaf as Uint8Array).body);
  const same = epoch.region === header.region && epoch.params === header.params;
  return same && samePeriod(epoch.first, header.period) ? undefined : "the epoch is not the header's";
}

function paramsFlaw([leaf]: readonly Uint8Array[]): undefined {
  decodeParamsLeaf(leaf as Uint8Array);
}

// "masks and prices by (Region, Period); verdicts by (Region, Period, ref); close by (Region, month); bills by first BID"
const RULES: Record<Kind, LeavesRule> = {
  [KIND.params]: paramsFlaw,
  [KIND.epoch]: epochFlaw,
  [KIND.readings]: readingsFlaw,
  [KIND.masks]: bodies(maskCodec, (body) => body.subarray(0, 8)),
  [KIND.prices]: bodies(priceCodec, (body) => body.subarray(0, 8)),
  [KIND.bills]: bodies(billsCodec, (body) => body.subarray(7, 23)),
  [KIND.verdicts]: bodies(verdictCodec, (body) => concat(body.subarray(0, 8), body.subarray(16))),
  [KIND.close]: bodies(closeCodec, (body) => body),
};

/** "Order in a block, strictly ascending: readings by their 104 bytes" and so on; an epoch's sizes need its Params. */
export const leavesFlaw: LeavesRule = (leaves, header, periodSeconds) => {
  if (leaves.length !== header.count) return "the number of leaves is not the header's";
  return RULES[header.kind as Kind](leaves, header, periodSeconds);
};

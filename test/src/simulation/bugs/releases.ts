import { decodeTransaction, encodeTransaction, type Transport } from "@veilgrid/gateway";
import {
  KIND,
  LedgerView,
  MASK_STATUS,
  compareBytes,
  decodeLeaf,
  decodeReadingLeaf,
  encodeLeaf,
  fromHex,
  maskCodec,
  signBody,
  sum,
  toHex,
  type Mask,
} from "@veilgrid/protocol";
import { secretOf } from "../consortium.js";
import { AS_IT_IS, type Plan } from "../plan.js";
import type { Ground } from "../roles.js";
import { Truth } from "../verdict/truth.js";

/** Another mask instead of the one that KGCBP signed. */
type Change = (mask: Mask, ground: Ground) => Promise<Mask> | Mask;

function maskIn(request: Uint8Array): Mask | undefined {
  const { kind, leaf } = decodeTransaction(request);
  return kind === KIND.masks ? maskCodec.decode(decodeLeaf(leaf).body) : undefined;
}

/** A plan in which KGCBP signs other masks. */
function withMasks(newChange: () => Change): Plan {
  const changes = new WeakMap<object, Change>();
  const kgcbp = (ground: Ground): Ground => {
    const change = changes.get(ground.channel) ?? newChange();
    changes.set(ground.channel, change);
    const signed = (mask: Mask): Uint8Array => {
      const body = maskCodec.encode(mask);
      const leaf = encodeLeaf(body, signBody("mask", ground.consortium.id, body, secretOf("Kgcbp")));
      return encodeTransaction({ kind: KIND.masks, leaf });
    };
    const between = (real: Transport): Transport => ({
      request: (to, method, request, onResponse) => {
        const mask = method === "transaction" ? maskIn(request) : undefined;
        if (mask === undefined) real.request(to, method, request, onResponse);
        else
          void Promise.resolve(change(mask, ground)).then((other) => {
            real.request(to, method, signed(other), onResponse);
          });
      },
    });
    return { ...ground, between };
  };
  return { ...AS_IT_IS, kgcbp };
}

/** What would be released if there were no minimum. */
async function released(mask: Mask, { consortium, channel }: Ground): Promise<Mask> {
  if (mask.status === MASK_STATUS.released) return mask;
  const { region, period } = mask;
  const view = new LedgerView(channel.replica("Kgcbp"));
  const record = await view.readings(region, period);
  const leaves = (record && (await view.block(region, record.number)))?.block.leaves.map(decodeReadingLeaf) ?? [];
  const complete = new Truth(consortium).read(region, period, leaves).filter((one) => one.consumption !== undefined);
  const counted = new Set(complete.flatMap(({ keys }) => keys.prids.map(toHex)));
  const others = new Set(leaves.map(({ prid }) => toHex(prid)).filter((prid) => !counted.has(prid)));
  return {
    ...mask,
    status: MASK_STATUS.released,
    z: sum(complete.map(({ keys }) => keys.mask)),
    excluded: [...others].map(fromHex).sort(compareBytes),
  };
}

/** A sum is released of fewer meters than the minimum. */
export const releasedBelowMinimum = withMasks(() => released);

/** A release that is repeated has another Z. */
export const secondReleases = withMasks(() => {
  const sent = new Map<string, number>();
  return (mask) => {
    const place = `${mask.region}/${mask.period.k}`;
    const times = (sent.get(place) ?? 0) + 1;
    sent.set(place, times);
    // To each aggregator the first time; then again.
    return times <= 4 || mask.status !== MASK_STATUS.released ? mask : { ...mask, z: mask.z + 1n };
  };
});

import { decodeResponse, encodeAccepted, type Handler } from "@veilgrid/gateway";
import {
  blockHash,
  decodeReceipt,
  decodeSigned,
  encodeReceipt,
  headerCodec,
  proposalCodec,
  quorum,
  voteCodec,
} from "@veilgrid/protocol";
import { Pen } from "../hostile/signing.js";
import { AS_IT_IS, type AggregatorMaking, type Plan } from "../plan.js";
import { aggregatorOf } from "../roles.js";
import type { Role } from "../seat.js";

/** What becomes of an answer on its way out. */
type Change = (making: AggregatorMaking, request: Uint8Array, response: Uint8Array) => Promise<Uint8Array> | Uint8Array;

/** A plan in which the answers of honest aggregators to a method are others. */
function withAnswers(method: Parameters<Handler>[0], change: Change): Plan {
  const make = (making: AggregatorMaking): Role => {
    const real = aggregatorOf(making.da, making.modules);
    const handle: Handler = (asked, request, reply, from) => {
      if (asked !== method) return real.handle(asked, request, reply, from);
      const changed = (response: Uint8Array): void => {
        void making.life.run(async () => {
          reply(await change(making, request, response));
        });
      };
      return real.handle(asked, request, changed, from);
    };
    return { start: () => real.start(), handle, onLedgerEvent: (event) => real.onLedgerEvent(event) };
  };
  return { ...AS_IT_IS, aggregator: (isHostile) => (isHostile ? AS_IT_IS.aggregator(true) : make) };
}

/** A receipt has one ack too few. */
export const receiptsTooShort = withAnswers("reading", ({ ground }, _request, response) => {
  const decoded = decodeResponse(response);
  if (decoded.tag !== "accepted") return response;
  const needed = quorum(ground.consortium.params.da.length);
  return encodeAccepted(encodeReceipt(decodeReceipt(decoded.body, needed).slice(0, -1)));
});

function voteKey(region: number): string {
  return `vote/${region.toString(16).padStart(4, "0")}`;
}

/** A voter ignores what it acked: it votes where it should say what is missing. */
export const acksIgnored = withAnswers("propose", async ({ da, ground, modules }, request, response) => {
  if (decodeResponse(response).tag !== "incomplete") return response;
  const { header } = decodeSigned(proposalCodec, request, 900).body;
  const { params, region, number, term, round } = header;
  const vote = { params, region, number, term, round, cbh: blockHash(headerCodec.encode(header)), da };
  await modules.store.write([{ key: voteKey(region), value: voteCodec.encode(vote) }]);
  return encodeAccepted(new Pen(da, ground.consortium).sign("vote", voteCodec, vote));
});

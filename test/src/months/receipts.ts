import {
  ackCodec,
  decodeVotes,
  encodeReceipt,
  isVeilgridError,
  merkleRoot,
  quorum,
  readingHash,
  signStruct,
  type Params,
  type Period,
} from "@veilgrid/protocol";
import { ReceiptCourt, withHistory, type Receipted, type World } from "@veilgrid/gateway";
import { MeterKeys } from "../world/meter-keys.js";
import type { Run } from "@veilgrid/gateway";

/** A receipt that somebody kept, and what comes of it whenever it is shown. */
export interface KeptReceipt {
  readonly name: string;
  readonly receipted: Receipted;
  /** The verdict and who is named, or the code of its refusal. */
  readonly comes: string;
}

/** A home's reading in a region's period. */
interface Place {
  readonly home: number;
  readonly region: number;
  readonly period: Period;
}

/** The receipts that homes' meters have of a period, of both halves: each of them was counted. */
export async function honestReceipts(run: Run, world: World, { home, period }: Place): Promise<KeptReceipt[]> {
  const meter = run.record.input.households[home] as string;
  const proofs = (await world.meterLog(meter, period))?.proofs ?? [undefined, undefined];
  return proofs.map((proof, half) => {
    if (proof === undefined) throw new Error(`${meter} has no receipt of half ${half} in ${period.month}/${period.k}`);
    return { name: `half ${half} of home ${home}, ${period.month}/${period.k}`, receipted: proof, comes: "acquitted" };
  });
}

/** A reading of a meter's that never reached a block, acked by aggregators under keys of a version. */
function acked(
  reading: Uint8Array,
  acks: readonly AckBy[],
  at: Omit<Place, "home">,
  consortium: Uint8Array,
): Receipted {
  const root = merkleRoot([readingHash(reading)]);
  const signed = acks.map(({ da, params, secret }) => {
    const ack = { params, da, region: at.region, period: at.period, count: 1, root };
    return { ...signStruct("ack", consortium, ackCodec, ack, secret), index: 0, path: [] };
  });
  return { reading, receipt: encodeReceipt(signed) };
}

interface AckBy {
  readonly da: number;
  /** The version that the ack names. */
  readonly params: number;
  readonly secret: Uint8Array;
}

/** The version's aggregators, by index, as they sign under it. */
function signersOf(world: World, { version, da }: Params): AckBy[] {
  return da.map(({ key }, index) => {
    const [secret] = world.seats.secretsOf([key]);
    if (secret === undefined) throw new Error(`nobody has the secret of da ${index} in version ${version}`);
    return { da: index, params: version, secret };
  });
}

/**
 * Receipts of aggregators that break their word: acks of another reading than the one that counts. By the keys of the
 * period's version they convict who voted; by another version, or under a key that is not the version's, they are none.
 */
export async function brokenReceipts(run: Run, world: World, place: Place): Promise<KeptReceipt[]> {
  const { home, region, period } = place;
  const { view } = world;
  const consortium = await view.consortium();
  const params = await view.periodParams(region, period);
  if (params === undefined) throw new Error("no epoch covers the period");
  const needed = quorum(params.da.length);
  const keys = new MeterKeys(run, consortium);
  const reading = keys.sign(region, period, keys.halves(home, period)[0], 1n);
  const signers = signersOf(world, params).slice(-needed);
  const { number } = (await view.readings(region, period)) ?? { number: 0n };
  const votes = decodeVotes((await view.header(region, number))?.cert ?? new Uint8Array(), needed);
  const voters = new Set(votes.map(({ body }) => body.da));
  const names = signers.filter(({ da }) => voters.has(da)).map(({ da }) => params.da[da]?.msp ?? "");
  const what = `${period.month}/${period.k}, version ${params.version}`;
  const receipts: KeptReceipt[] = [
    {
      name: `broken word, ${what}`,
      receipted: acked(reading, signers, place, consortium),
      comes: ["convicted", ...names].join(" "),
    },
  ];
  const other = params.version === 1 ? 2 : params.version - 1;
  const misnamed = signers.map((signer) => ({ ...signer, params: other }));
  receipts.push({ name: `of version ${other}, ${what}`, receipted: acked(reading, misnamed, place, consortium), comes: "wrong-params" }); // prettier-ignore
  return receipts;
}

/** The same acks, with one by a key that an aggregator had in another version. */
export async function wrongKeyReceipt(run: Run, world: World, place: Place, of: Params): Promise<KeptReceipt> {
  const { home, region, period } = place;
  const consortium = await world.view.consortium();
  const params = (await world.view.periodParams(region, period)) as Params;
  const keys = new MeterKeys(run, consortium);
  const reading = keys.sign(region, period, keys.halves(home, period)[0], 2n);
  const others = signersOf(world, of);
  const signers = signersOf(world, params).slice(0, quorum(params.da.length));
  const mixed = signers.map((signer) => ({ ...signer, secret: others[signer.da]?.secret ?? signer.secret }));
  return {
    name: `keys of version ${of.version}, ${period.month}/${period.k}`,
    receipted: acked(reading, mixed, place, consortium),
    comes: "bad-signature",
  };
}

/** What comes of receipts by the ledger as it is now, in their order. */
export function judged({ ledger }: Pick<World, "ledger">, receipts: readonly KeptReceipt[]): Promise<string[]> {
  return withHistory(ledger, async (state) => {
    const court = new ReceiptCourt(state);
    const said: string[] = [];
    for (const { receipted } of receipts) {
      try {
        const { verdict, names } = await court.judge(receipted);
        said.push([verdict, ...names].join(" "));
      } catch (error) {
        if (!isVeilgridError(error)) throw error;
        said.push(error.code);
      }
    }
    return said;
  });
}

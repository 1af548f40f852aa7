import {
  MerkleTree,
  ackCodec,
  decodeSigned,
  encodeReceipt,
  equalBytes,
  samePeriod,
  type Ack,
  type ReceiptEntry,
  type Signed,
} from "@veilgrid/protocol";
import type { BundleAck } from "../transport/envelopes.js";
import type { Membership, Peer } from "./membership.js";
import type { OpenPeriod } from "./periods.js";
import type { HeldReading } from "./pool.js";

/** A reading that has got its Q acks. */
export interface Receipted {
  readonly reading: HeldReading;
  /** The encoded receipt. */
  readonly receipt: Uint8Array;
}

/** What the ack of a bundle is over. */
interface Accepted {
  readonly readings: readonly HeldReading[];
  readonly tree: MerkleTree;
}

/** The one struct that acks a part of a bundle: `accepted` ascending by readingHash. */
export function ackOf(open: OpenPeriod, da: number, accepted: readonly HeldReading[]): Ack {
  const { root } = new MerkleTree(accepted.map(({ hash }) => hash));
  return { params: open.params.version, da, region: open.region, period: open.period, count: accepted.length, root };
}

/** The acks of one bundle as they come in, and the receipts that they make. */
export class Gather {
  readonly #open: OpenPeriod;
  readonly #readings: readonly HeldReading[];
  readonly #membership: Membership;
  readonly #quorum: number;
  readonly #entries = new Map<string, ReceiptEntry[]>();
  readonly #heard = new Set<number>();
  // Almost always every DA accepts the whole bundle: its tree is made once.
  #whole: Accepted | undefined;

  /** @param readings the bundle, ascending by readingHash. */
  constructor(open: OpenPeriod, readings: readonly HeldReading[], modules: { readonly membership: Membership }) {
    this.#open = open;
    this.#readings = readings;
    this.#membership = modules.membership;
    this.#quorum = modules.membership.quorumOf(open.params);
  }

  /** The readings that still lack a receipt. */
  get waiting(): readonly HeldReading[] {
    return this.#readings.filter(({ id }) => (this.#entries.get(id)?.length ?? 0) < this.#quorum);
  }

  /** The own ack, over the whole bundle. */
  own(ack: Signed<Ack>): Receipted[] {
    return this.#add(ack, this.#acceptedAll());
  }

  /**
   * Another DA's ack: it must be of this period and over exactly the readings that its bits name.
   * @throws VeilgridError `malformed`.
   * @returns undefined for an ack that does not count, else the readings whose receipt it completed.
   */
  peer(peer: Peer, { ack, accepted }: BundleAck): Receipted[] | undefined {
    const signed = decodeSigned(ackCodec, ack, this.#open.params.periodSeconds);
    if (this.#heard.has(peer.index) || signed.body.da !== peer.index) return undefined;
    const part = accepted.every(Boolean) ? this.#acceptedAll() : treeOf(this.#readings.filter((_, i) => accepted[i]));
    if (!this.#isOver(signed.body, part) || !this.#membership.verify("ack", signed, peer.key)) return undefined;
    return this.#add(signed, part);
  }

  #acceptedAll(): Accepted {
    this.#whole ??= treeOf(this.#readings);
    return this.#whole;
  }

  #isOver({ params, region, period, count, root }: Ack, { readings, tree }: Accepted): boolean {
    const open = this.#open;
    if (params !== open.params.version || region !== open.region || !samePeriod(period, open.period)) return false;
    return count === readings.length && equalBytes(root, tree.root);
  }

  #add(ack: Signed<Ack>, { readings, tree }: Accepted): Receipted[] {
    this.#heard.add(ack.body.da);
    const done: Receipted[] = [];
    readings.forEach((reading, index) => {
      const entries = this.#entries.get(reading.id) ?? [];
      if (entries.length >= this.#quorum) return;
      entries.push({ ...ack, index, path: tree.path(index) });
      this.#entries.set(reading.id, entries);
      if (entries.length === this.#quorum) done.push({ reading, receipt: encodeReceipt(entries) });
    });
    return done;
  }
}

function treeOf(readings: readonly HeldReading[]): Accepted {
  return { readings, tree: new MerkleTree(readings.map(({ hash }) => hash)) };
}

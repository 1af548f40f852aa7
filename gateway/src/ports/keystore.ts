import type { Period } from "@veilgrid/protocol";

/** One customer's supply at one meter, under one chain of month keys. */
export interface Enrolment {
  /** The operator's own name of the meter; it stays with KGCBP and the operator. */
  readonly meter: string;
  /** The customer at this meter, 16 bytes. */
  readonly bid: Uint8Array;
  readonly region: number;
  /** The customer's age X25519 recipient, "age1…". */
  readonly recipient: string;
  /** First period of the supply under these keys. */
  readonly from: Period;
  /** The period at which it ends, exclusive; undefined while nobody knows. */
  readonly to: Period | undefined;
}

/**
 * What KGCBP must not lose, and must be able to forget: who is supplied where, and the month keys. A customer that
 * moves, or whose key changes, is enrolled again with a fresh key from a stated period on (PROTOCOL section 4, Key
 * generation).
 */
export interface KeyStore {
  /** All enrolments, ascending by BID and then by `from`. */
  enrolments(): Promise<readonly Enrolment[]>;
  /**
   * Keeps an enrolment and its key K of the month of `from` (32 bytes); resolved when both survive a crash. The same
   * again changes nothing.
   * @throws VeilgridError `already-enrolled` where the BID has another enrolment from that period.
   */
  enrol(enrolment: Enrolment, monthKey: Uint8Array): Promise<void>;
  /**
   * K of a month, by the ratchet from the earlier ones. "A key is in the backup journal, synced, before an epoch that
   * uses it is sent": it is when this resolves.
   * @throws VeilgridError `key-missing` for a month before the enrolment's, or after its key was erased.
   */
  monthKey(enrolment: Enrolment, month: number): Promise<Uint8Array>;
}

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
  /** The age recipient of the device that the meter is when the supply begins; absent where nobody said. */
  readonly device?: string | undefined;
  /** First period of the supply under these keys. */
  readonly from: Period;
  /** The period at which it ends, exclusive; undefined while nobody knows. */
  readonly to: Period | undefined;
}

/** What names an enrolment: a BID has one from each period. */
export type EnrolmentId = Pick<Enrolment, "bid" | "from">;

/** What can happen to a meter after its enrolment. */
export type ChangeKind = "add" | "remove" | "replace" | "move" | "sell" | "rekey";

/** Keys that a meter is told to use: an enrolment's, from a period of it on. */
export interface ChainRef {
  readonly enrolment: EnrolmentId;
  readonly first: Period;
}

/** What a meter is told by a delivery of keys. */
export interface DeliveryNote {
  /** The age recipient of the device. */
  readonly device: string;
  /** Whether the device's present keys hold until the first chain begins. */
  readonly keep: boolean;
  /**
   * Without `keep`, for a device that had keys: the first period of which it could not send everything any more. It is
   * silent from then until the first chain begins.
   */
  readonly silentFrom?: Period | undefined;
  /** Ascending by `first`; at least one. */
  readonly chains: readonly ChainRef[];
}

/** A change of a meter, as it was decided. */
export interface MeterChange {
  readonly meter: string;
  /** Counts the meter's changes from 1; it is the serial number of the delivery, too. */
  readonly serial: number;
  readonly kind: ChangeKind;
  /** The first period that it holds for. */
  readonly from: Period;
  /** Absent where the meter has nothing to be told. */
  readonly delivery: DeliveryNote | undefined;
}

/** A change with what it makes of the register. */
export interface RegisterChange {
  readonly change: MeterChange;
  /** The supply that begins, with its key K of the month of `from` (32 bytes). */
  readonly begins: { readonly enrolment: Enrolment; readonly monthKey: Uint8Array } | undefined;
  /** The supply that ends earlier than was known. */
  readonly ends: { readonly enrolment: EnrolmentId; readonly to: Period } | undefined;
}

/**
 * What KGCBP must not lose, and must be able to forget: who is supplied where, what changed, and the month keys. A
 * customer that moves, or whose key changes, is enrolled again with a fresh key from a stated period on (PROTOCOL section
 * 4, Key generation).
 */
export interface KeyStore {
  /** All enrolments, ascending by BID and then by `from`. */
  enrolments(): Promise<readonly Enrolment[]>;
  /** All changes; those of a meter ascending by their serial number. */
  changes(): Promise<readonly MeterChange[]>;
  /**
   * Keeps an enrolment and its key K of the month of `from` (32 bytes); resolved when both survive a crash. The same
   * again changes nothing, whatever became of its end since.
   * @throws VeilgridError `already-enrolled` where the BID has another enrolment from that period.
   */
  enrol(enrolment: Enrolment, monthKey: Uint8Array): Promise<void>;
  /**
   * Keeps a change, all of it or nothing; resolved when it survives a crash. The same again changes nothing.
   * @throws VeilgridError `already-changed` where the meter has another change of that serial number;
   * `already-enrolled`, `not-enrolled` for a supply that cannot begin or end.
   */
  change(change: RegisterChange): Promise<void>;
  /**
   * K of a month, by the ratchet from the earlier ones. "A key is in the backup journal, synced, before an epoch that
   * uses it is sent": it is when this resolves.
   * @throws VeilgridError `key-missing` for a month before the enrolment's, or after its key was erased.
   */
  monthKey(enrolment: Enrolment, month: number): Promise<Uint8Array>;
  /** The last month whose keys were erased, and with it all before; undefined while none was. */
  readonly erased: number | undefined;
  /**
   * Erases the keys of a month and of all before it, here and in every backup; those of the month after are kept. The same
   * again changes nothing.
   */
  erase(month: number): Promise<void>;
}

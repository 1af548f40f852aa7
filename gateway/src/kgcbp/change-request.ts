import type { Period } from "@veilgrid/protocol";
import type { ChangeKind, Enrolment, EnrolmentId, MeterChange } from "../ports/keystore.js";

/** A customer at a meter. */
export interface Supplied {
  /** 16 bytes, never used before: "names one customer at one meter". */
  readonly bid: Uint8Array;
  /** The customer's age X25519 recipient. */
  readonly recipient: string;
}

/** What every wish names. */
interface Wished {
  readonly meter: string;
  /** The first period that it is to hold for; the first possible one if not given. */
  readonly at?: Period | undefined;
}

/** A change of a meter, as it is asked for. */
export type ChangeRequest =
  | (Wished &
      Supplied & {
        readonly kind: "add";
        readonly region: number;
        /** The device's age recipient. */
        readonly device: string;
        /** Not before this period, where that is known. */
        readonly since?: Period | undefined;
        /** When the supply ends, exclusive, where that is known. */
        readonly to?: Period | undefined;
      })
  | (Wished & { readonly kind: "remove" })
  | (Wished & {
      readonly kind: "replace";
      /** The new device's age recipient. */
      readonly device: string;
      /** Whether the new device goes on under the old one's keys, or gets fresh ones. */
      readonly key: "kept" | "fresh";
      /** Whether somebody else may have the old one's keys: then nothing may be sent under them any more. */
      readonly compromised: boolean;
    })
  | (Wished & { readonly kind: "move"; readonly region: number })
  | (Wished & Supplied & { readonly kind: "sell" })
  | (Wished & { readonly kind: "rekey"; readonly compromised: boolean });

/** An epoch that was sent, committed or not: "what it says of a period is fixed". */
export interface SentEpoch {
  readonly region: number;
  readonly first: Period;
  readonly periods: number;
}

/** What a change is decided from. */
export interface Standing {
  readonly periodSeconds: number;
  /** The first period that begins now or later. */
  readonly next: Period;
  /** The supplies at the meter, ascending by `from`. */
  readonly supplies: readonly Enrolment[];
  /** The meter's changes, ascending by serial number. */
  readonly changes: readonly MeterChange[];
  /** The device that the meter is now; undefined while nobody said. */
  readonly device: string | undefined;
  /** The sent epochs of all regions that are not over. */
  readonly sent: readonly SentEpoch[];
  /** Whether a BID was ever enrolled. */
  readonly knows: (bid: Uint8Array) => boolean;
}

/** What becomes of the meter's periods from now until the change holds. */
export type Meanwhile =
  /** They count as before. */
  | "counted"
  /** They count as missing: the meter is listed under keys that it must not use any more. */
  | "missing"
  /** Nobody is supplied yet. */
  | "unsupplied";

/** From when a change holds, and what becomes of the time until then. */
export interface ChangePreview {
  readonly kind: ChangeKind;
  readonly meter: string;
  /** The first period that it holds for: in no sent epoch of any region concerned. */
  readonly from: Period;
  /** The regions concerned, ascending. */
  readonly regions: readonly number[];
  /** Their sent epochs that are not over: these stay as they are. */
  readonly sent: readonly SentEpoch[];
  /** The periods until the change holds, [from, to). */
  readonly until: { readonly from: Period; readonly to: Period; readonly meanwhile: Meanwhile };
  /** Where the meter is eliminated: whether the change ends that. */
  readonly elimination?: "ends" | "goes-on";
}

/** A decided change: the preview, and what it makes of the register. The key of `begins` is still to be drawn. */
export interface Decision {
  readonly preview: ChangePreview;
  readonly change: MeterChange;
  readonly begins: Enrolment | undefined;
  readonly ends: { readonly enrolment: EnrolmentId; readonly to: Period } | undefined;
}

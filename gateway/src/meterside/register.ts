import type { Facts } from "@veilgrid/protocol";

/** What a load register shows at a moment. */
export interface RegisterReading {
  /** Unix milliseconds by the meter's own clock. */
  readonly at: number;
  /** Whole Wh drawn from the grid since ever, and fed into it: either only grows. */
  readonly imported: bigint;
  readonly exported: bigint;
  /** What the register calls itself, if it does: another name is another register. */
  readonly device?: string;
  /** Nobody knows what was used up to here, although the register can be read: counting begins anew. */
  readonly unread?: true;
}

/** What can be wrong with a register or with the way to it, as programs see it. */
export type FaultCode =
  | "source-lost" // the device or the connection went away; it is opened again
  | "source-quiet" // it is open and says nothing
  | "bad-telegram" // bytes that are no telegram
  | "bad-checksum" // a telegram that was garbled on its way
  | "no-register" // a telegram without the registers, or with one of them twice or in another unit
  | "register-silent" // a period's border went by without a reading near it
  | "register-gap" // the register is back: so many periods have no consumption
  | "register-fell" // it shows less than before
  | "register-jumped" // it moved by more than a period can hold
  | "register-replaced"; // it calls itself by another name

/** A fault of the register: never its figures, which are the household's own. */
export interface RegisterFault {
  readonly code: FaultCode;
  readonly facts: Facts;
}

export type OnFault = (fault: RegisterFault) => void;

/** Where readings come from. */
export interface RegisterDriver {
  /** Whether it gives the readings of borders that went by while nobody asked: no border is lost then by being late. */
  readonly remembers: boolean;
  /**
   * The readings in the order of their times, until the signal is given; it ends only with the signal.
   * @param since the last border that was counted: a register that remembers goes on from there.
   */
  readings(since: Border | undefined, signal: AbortSignal): AsyncIterable<RegisterReading>;
}

/** The register at the border of two periods, as it is kept on disk. */
export interface Border extends Omit<RegisterReading, "unread"> {
  /** The border itself, Unix milliseconds: not when the register was read. */
  readonly at: number;
}

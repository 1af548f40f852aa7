/** Milliseconds until a call is given up. */
export interface Deadlines {
  readonly evaluate: number;
  /**
   * More than an honest gateway may take (`endorseDeadline`). For a frozen chaincode of its own it would wait longer:
   * Fabric 3.1.1 then does not keep to its own time.
   */
  readonly endorse: number;
  readonly submit: number;
  /** Waiting for the commit at one gateway, before what became of the transaction is looked up elsewhere. */
  readonly commit: number;
  readonly lookUp: number;
  /** A stream of blocks: it is opened anew afterwards. */
  readonly events: number;
  /** Opening: until a gateway tells the channel's height, and for each transaction that was left behind. */
  readonly open: number;
  /** A whole submission or query, over all gateways, phases and repetitions. */
  readonly overall: number;
}

/** Milliseconds on top of what gateways wait for organisations: a busy machine's. */
const SPARE = 2000;

/**
 * Milliseconds for an endorsement through gateways that wait so long for one organisation: they ask their own peer, then
 * the others at once, and another one for each that does not answer.
 */
export function endorseDeadline(endorsementSeconds: number): number {
  return 2000 * endorsementSeconds + SPARE;
}

/** Milliseconds that those gateways wait for one organisation: an endorsement that took longer did without one. */
export function organisationPatience({ endorse }: Pick<Deadlines, "endorse">): number {
  return (endorse - SPARE) / 2;
}

export const DEADLINES: Deadlines = {
  evaluate: 10_000,
  endorse: endorseDeadline(5),
  submit: 8_000,
  commit: 12_000,
  lookUp: 5_000,
  events: 300_000,
  open: 30_000,
  overall: 120_000,
};

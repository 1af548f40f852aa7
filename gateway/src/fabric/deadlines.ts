/** Milliseconds until a call is given up. */
export interface Deadlines {
  readonly evaluate: number;
  /**
   * More than an honest gateway may take: it asks its own peer, then the others, and waits for each as long as its
   * `CORE_PEER_GATEWAY_ENDORSEMENTTIMEOUT`. A frozen chaincode of its own it waits for longer (Fabric 3.1.1 then does not
   * keep to that time).
   */
  readonly endorse: number;
  readonly submit: number;
  /** Waiting for the commit at one gateway, before what became of the transaction is looked up elsewhere. */
  readonly commit: number;
  readonly lookUp: number;
  /** A stream of blocks: it is opened anew afterwards. */
  readonly events: number;
  /** A whole submission or query, over all gateways, phases and repetitions. */
  readonly overall: number;
}

export const DEADLINES: Deadlines = {
  evaluate: 10_000,
  endorse: 12_000,
  submit: 8_000,
  commit: 12_000,
  lookUp: 5_000,
  events: 300_000,
  overall: 120_000,
};

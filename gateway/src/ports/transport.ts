/** Where a request goes: "da/" and the DA's MSP id, "cc", "kgcbp". Meters and customers only ask; nobody can ask them. */
export type Address = string;

/** What the parties ask each other. The bytes are the protocol's own encodings (see transport/envelopes.ts). */
export type Method =
  | "reading" // meter to DA: one signed reading; answered by a receipt or an Answer
  | "time" // meter to DA: the DA's clock
  | "forward" // DA to DA: 1 to 256 signed readings of one period; answered by a signed Ack
  | "propose" // leader to DA: a signed Proposal; answered by Vote, Incomplete or Answer
  | "bodies" // DA to DA: reading hashes; answered by the signed readings
  | "timeout" // DA to DA: a signed Timeout
  | "timeouts" // DA to DA: the certificate of Q timeouts that put the asked DA into its term
  | "elect" // candidate to DA: its own signed Election; answered by the voter's
  | "transaction" // KGCBP, CC to DA: a kind and a signed leaf for the ledger
  | "params" // meter to DA: a version; answered by the params blocks after it with their votes
  | "lists" // KGCBP to DA, DA to DA: PRID lists of an epoch
  | "delivery"; // meter to KGCBP: a device and its newest serial; answered by the newest delivery of keys, encrypted to it

/** Answers a request, now or later; only the first answer counts. */
export type Reply = (response: Uint8Array) => void;

/**
 * What a party does with a request. `from` is who asks, as the transport has authenticated it; a meter is anonymous, and
 * then there is none.
 */
export type Handler = (method: Method, request: Uint8Array, reply: Reply, from?: Address) => Promise<void>;

/**
 * Carries requests between parties. An answer may never come (the other side is down): whoever asks has a timer of
 * its own. `onResponse` runs as an action of its own, never inside the call.
 */
export interface Transport {
  request(
    to: Address,
    method: Method,
    request: Uint8Array,
    onResponse?: (response: Uint8Array) => Promise<void> | void,
  ): void;
}

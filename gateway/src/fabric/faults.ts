import { VeilgridError, isVeilgridError } from "@veilgrid/protocol";

/** Bytes that are no block of Fabric's, or one that contradicts itself. */
export function badBlock(why: string, cause?: unknown): VeilgridError {
  return new VeilgridError("bad-fabric-block", `a peer gave what is no block: ${why}`, {
    facts: { why },
    blame: "peer",
    cause,
  });
}

/** A peer gave another block in a place than was seen there before: not the same ledger, or not an honest peer. */
export function ledgerForked(source: string, number: bigint, why: string): VeilgridError {
  return new VeilgridError("ledger-forked", `the peer of ${source} contradicts block ${number.toString()}: ${why}`, {
    facts: { source, block: number.toString(), why },
    blame: "peer",
  });
}

/** No peer has given block `number` in time. */
export function ledgerStalled(source: string, number: bigint, milliseconds: number, cause?: unknown): VeilgridError {
  return new VeilgridError("ledger-stalled", `the peer of ${source} gives no block ${number.toString()}`, {
    facts: { source, block: number.toString(), milliseconds },
    blame: "peer",
    retry: true,
    cause,
  });
}

/** Whatever a source threw, as an error with a code. */
export function sourceFailed(source: string, cause: unknown): VeilgridError {
  if (isVeilgridError(cause)) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new VeilgridError("ledger-unavailable", `the peer of ${source} gives no blocks: ${why}`, {
    facts: { source, why },
    blame: "peer",
    retry: true,
    cause,
  });
}

/** The local copy is not what was written to it. */
export function replicaDamaged(why: string, cause?: unknown): VeilgridError {
  return new VeilgridError("replica-damaged", `the local copy of the ledger's state is damaged: ${why}`, {
    facts: { why },
    blame: "operator",
    cause,
  });
}

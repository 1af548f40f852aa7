import { VeilgridError } from "@veilgrid/protocol";

/** A fault that a run acts out. DAs are named by their index in the parameter set; periods count from the run's first, 0. */
export type Fault =
  /** The DA is down from the start of period `from` to the end of period `to`, or to the end of the run. */
  | { readonly kind: "down"; readonly da: number; readonly from: number; readonly to: number | undefined }
  /** Whoever leads is killed once, in period `period`. */
  | { readonly kind: "kill-leader"; readonly period: number }
  /** The DA leaves a reading out of every proposal that it makes. */
  | { readonly kind: "omit"; readonly da: number };

/** The run that the faults are meant for. */
export interface FaultBounds {
  /** Number of DAs, W. */
  readonly das: number;
  /** Number of periods of the run, where it is known. */
  readonly periods?: number | undefined;
}

const FORM = /^(?:down:(\d{1,4})@(\d{1,6})(?:-(\d{1,6}))?|kill-leader@(\d{1,6})|omit:(\d{1,4}))$/;

function refused(code: string, fault: string, reason: string): VeilgridError {
  return new VeilgridError(code, `--fault ${fault}: ${reason}`, { facts: { fault, reason }, blame: "caller" });
}

/**
 * Reads `down:DA@FROM[-TO]` | `kill-leader@K` | `omit:DA`.
 * @throws VeilgridError `bad-fault` (no such form, TO before FROM), `fault-da` (no such DA), `fault-period` (a period
 * after the run's last).
 */
export function parseFault(text: string, bounds: FaultBounds): Fault {
  const parts = FORM.exec(text.trim());
  if (parts === null) throw refused("bad-fault", text, "it is none of down:DA@FROM[-TO], kill-leader@K, omit:DA");
  const fault = faultOf(parts);
  if ("da" in fault && fault.da >= bounds.das) {
    throw refused("fault-da", text, `the ${bounds.das} DAs are numbered from 0 to ${bounds.das - 1}`);
  }
  const begins = beginning(fault);
  if (bounds.periods !== undefined && begins >= bounds.periods) {
    throw refused("fault-period", text, `the ${bounds.periods} periods are numbered from 0 to ${bounds.periods - 1}`);
  }
  if (fault.kind === "down" && fault.to !== undefined && fault.to < fault.from) {
    throw refused("bad-fault", text, `period ${fault.to} is before period ${fault.from}`);
  }
  return fault;
}

/** Reads a list of faults, see parseFault. */
export function parseFaults(texts: readonly string[], bounds: FaultBounds): readonly Fault[] {
  return texts.map((text) => parseFault(text, bounds));
}

function beginning(fault: Fault): number {
  switch (fault.kind) {
    case "down":
      return fault.from;
    case "kill-leader":
      return fault.period;
    case "omit":
      return 0;
  }
}

function faultOf([, down, from, to, killed, omit]: RegExpExecArray): Fault {
  if (down !== undefined) {
    return { kind: "down", da: Number(down), from: Number(from), to: to === undefined ? undefined : Number(to) };
  }
  if (killed !== undefined) return { kind: "kill-leader", period: Number(killed) };
  return { kind: "omit", da: Number(omit) };
}

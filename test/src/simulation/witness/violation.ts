/** What must hold and did not. */
export interface Violation {
  /** The invariant's short name: stable, so that a failing run stays the same failure while it is made smaller. */
  readonly invariant: string;
  readonly what: string;
  /** Milliseconds after the run's beginning. */
  readonly at: number;
}

/** Takes a violation in. */
export type Accuse = (invariant: string, what: string) => void;

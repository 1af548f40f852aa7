/** A pending action, until it has run. */
export interface Timer {
  cancel(): void;
}

/**
 * Time as a role sees it. In the simulation it is virtual and stands still while an action runs; in a service it is
 * the machine's. Roles take time from nowhere else and never sleep.
 */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** Runs `action` at `time` (Unix milliseconds; at once where that is past). `label` names it in traces. */
  at(time: number, label: string, action: () => Promise<void> | void): Timer;
}

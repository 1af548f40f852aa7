/** What a check prints: results to stdout, how far it is to stderr. */
export class Report {
  #checks = 0;
  #failures: string[] = [];
  #leftOut: string[] = [];
  #group = "";

  /** How many checks were made. */
  get checks(): number {
    return this.#checks;
  }

  /** What did not hold. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  /** The groups that this machine cannot run. */
  get leftOut(): readonly string[] {
    return this.#leftOut;
  }

  /** The checks that follow belong together. */
  begin(group: string, what: string): void {
    this.#group = group;
    process.stdout.write(`\n${group}: ${what}\n`);
  }

  /** Something must hold; `figure` says how much of it was looked at, or what was found instead. */
  check(what: string, holds: boolean, figure: string): void {
    this.#checks += 1;
    if (!holds) this.#failures.push(`${this.#group}: ${what}: ${figure}`);
    process.stdout.write(`  ${holds ? "ok  " : "FAIL"}  ${what}: ${figure}\n`);
  }

  /** The group cannot be run on this machine: it counts neither as shown nor as failed. */
  leaveOut(why: string): void {
    this.#leftOut.push(this.#group);
    process.stdout.write(`  not run: ${why}\n`);
  }

  /** A figure that nothing depends on. */
  note(what: string, figure: string): void {
    process.stdout.write(`        ${what}: ${figure}\n`);
  }

  /** How far it is. */
  progress(text: string): void {
    process.stderr.write(`        ... ${text}\n`);
  }
}

/** "1,440" */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** "12.3 s" */
export function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

/** "123 MB" */
export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

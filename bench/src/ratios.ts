/** One figure: how often `by` does `what` in a second. */
export interface Measured {
  readonly what: string;
  readonly by: string;
  readonly perSecond: number;
}

/** Prints figures as a table with each one's ratio to the reference's in the same run. */
export function printRatios(title: string, reference: string, measured: readonly Measured[]): void {
  console.log(`\n${title}; ratio to ${reference}`);
  for (const { what, by, perSecond } of measured) {
    const base = measured.find((other) => other.what === what && other.by === reference);
    const ratio = base === undefined ? "" : `${(perSecond / base.perSecond).toFixed(2)}x`;
    console.log(
      `  ${what.padEnd(28)} ${by.padEnd(28)} ${perSecond.toFixed(perSecond < 100 ? 2 : 0).padStart(10)}  ${ratio}`,
    );
  }
}

import { styleText } from "node:util";
import type { NetworkStatus, ProcessReport } from "./status.js";

/** Prints a line of a result. */
export function line(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Prints a line about how the work goes. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** How long ago something began, for people. */
export function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

function reportLine({ name, state, pid, height, healthy }: ProcessReport): string {
  const colour = state === "running" ? "green" : "red";
  const facts = [
    pid === undefined ? "" : `pid ${pid}`,
    height === undefined ? "" : `${height} blocks`,
    state === "running" && healthy === false ? "not well" : "",
  ];
  return `${name.padEnd(20)} ${styleText(colour, state.padEnd(8))} ${facts.filter((fact) => fact !== "").join(", ")}`.trimEnd();
}

/** Tells people what a network does. */
export function printStatus({
  processes,
  leader,
  deployment,
  sequence,
  frozen,
  notApproved,
  change,
}: NetworkStatus): void {
  for (const report of processes) line(reportLine(report));
  if (leader !== undefined) line(`leader     ${leader}`);
  line(`chaincode  ${deployment === undefined ? "none" : `sequence ${sequence ?? "?"}, ${deployment.packageId}`}`);
  if (change !== undefined) line(`not done   ${change.what} ${change.name}: the same command goes on`);
  for (const name of notApproved)
    line(`to approve ${name}: installs and approves at the next \`deploy\` while it is up`);
  for (const name of frozen)
    line(styleText("red", `frozen     ${name}: others wait for it; \`thaw ${name}\` lets it go on`));
}

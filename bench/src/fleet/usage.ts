import { readFileSync } from "node:fs";

/** Linux counts CPU time in hundredths of a second for user programs (`getconf CLK_TCK`). */
const TICKS_A_SECOND = 100;

/** What a process has taken so far. */
export interface Usage {
  readonly cpuSeconds: number;
  /** The most memory that it had at once. */
  readonly megabytes: number;
}

/** Reads it from the kernel's tables; undefined where the process is gone. */
export function usageOf(pid: number): Usage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command's name may have blanks, and ends with the last bracket.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]);
    const peak = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return { cpuSeconds: ticks / TICKS_A_SECOND, megabytes: Math.round(Number(peak) / 1024) };
  } catch {
    return undefined;
  }
}

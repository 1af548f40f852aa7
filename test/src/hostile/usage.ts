import { readFileSync, readdirSync } from "node:fs";
import type { ServiceProcess } from "../services/process.js";

const LOOK_MS = 250;
const TICKS_PER_SECOND = 100;

/** What a process takes of its machine. */
export interface Usage {
  /** Resident memory, bytes. */
  readonly memory: number;
  /** Open file descriptors. */
  readonly files: number;
  /** Processor time so far, seconds. */
  readonly processor: number;
}

/** Of a process that is gone. */
const NOTHING: Usage = { memory: NaN, files: NaN, processor: NaN };

/** What a process takes now, as Linux tells it. */
export function usageOf({ pid }: Pick<ServiceProcess, "pid">): Usage {
  try {
    return read(pid ?? 0);
  } catch {
    return NOTHING;
  }
}

function read(pid: number): Usage {
  const folder = `/proc/${pid}`;
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`${folder}/status`, "utf8")) ?? [];
  // After the name, which may hold anything, come 11 fields, then user and system time.
  const stat = readFileSync(`${folder}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    memory: 1_024 * Number(kilobytes),
    files: readdirSync(`${folder}/fd`).length,
    processor: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
  };
}

/** The most that processes take while something goes on. */
export class Watch {
  /** By the process's name. */
  readonly most = new Map<string, Usage>();
  readonly #timer: NodeJS.Timeout;

  constructor(processes: readonly ServiceProcess[]) {
    const look = (): void => {
      for (const one of processes) {
        const now = usageOf(one);
        const before = this.most.get(one.name) ?? now;
        this.most.set(one.name, {
          memory: Math.max(before.memory, now.memory),
          files: Math.max(before.files, now.files),
          processor: now.processor,
        });
      }
    };
    look();
    this.#timer = setInterval(look, LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

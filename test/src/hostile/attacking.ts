import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Order } from "./attack.js";

const ATTACKER = fileURLToPath(new URL("attacker.js", import.meta.url));

/** An attack that has begun. */
export interface Attacking {
  /** What was done, when it is over. */
  readonly done: Promise<Readonly<Record<string, number>>>;
}

/** Has an attack carried out by a process of its own. @throws Error where that process fails. */
export async function attacking(order: Order): Promise<Attacking> {
  const child = fork(ATTACKER, { execArgv: ["--enable-source-maps"] });
  const ended = once(child, "exit").then(([code, signal]: unknown[]) => {
    throw new Error(`the attacker ended early: ${String(code ?? signal)}`);
  });
  child.send(order);
  const said = async (): Promise<unknown> =>
    Promise.race([once(child, "message"), ended]).then(([what]) => what as unknown);
  await said();
  return { done: said() as Promise<Readonly<Record<string, number>>> };
}

import type { Handler, LedgerEvent } from "@veilgrid/gateway";
import type { Disk } from "./disk.js";
import type { Channel } from "./channel.js";
import { Life, type LifeModules } from "./life.js";
import type { Network } from "./network.js";

/** A role as its process drives it. */
export interface Role {
  start(): Promise<void>;
  readonly handle?: Handler;
  onLedgerEvent?(event: LedgerEvent): Promise<void>;
}

/** Makes the role of a new process, on what the earlier ones have left. */
export type MakeRole = (life: Life) => Promise<Role>;

/** Where a seat is. */
export interface SeatOptions {
  readonly name: string;
  /** Its organisation; a meter has none and follows no ledger. */
  readonly msp?: string;
  readonly make: MakeRole;
}

/** What a seat works with. */
export interface SeatModules extends LifeModules {
  readonly network: Network;
  readonly channel: Channel;
  readonly disks: readonly Disk[];
  /** Called when a process has died. */
  readonly onDeath: (seat: Seat) => void;
}

/**
 * A machine with one role on it. Its process is started, killed at any moment, and started anew on what is on the disk.
 * A new process is given the ledger's events, one after the other, from where the ledger stood before it began to start;
 * and nothing is asked of it before it has started.
 */
export class Seat {
  readonly name: string;
  readonly #options: SeatOptions;
  readonly #modules: SeatModules;
  #life: Life | undefined;
  #role: Role | undefined;
  #isReady = false;
  #isHearing = false;
  #heard = 0;

  constructor(options: SeatOptions, modules: SeatModules) {
    this.name = options.name;
    this.#options = options;
    this.#modules = modules;
    const { msp } = options;
    if (msp === undefined) return;
    modules.channel.follow(msp, () => {
      this.#hear();
    });
  }

  /** The present process, if there is one. */
  get life(): Life | undefined {
    return this.#life;
  }

  /** Its role, once it has started. */
  get role(): Role | undefined {
    return this.#isReady ? this.#role : undefined;
  }

  /** Starts a process. */
  async start(): Promise<void> {
    const { network, channel } = this.#modules;
    const { msp, make, name } = this.#options;
    const life = new Life(name, this.#modules);
    this.#life = life;
    this.#isReady = false;
    this.#isHearing = false;
    this.#heard = msp === undefined ? 0 : channel.replica(msp).events.length;
    await life.run(async () => {
      const role = await make(life);
      this.#role = role;
      await life.heard(role.start());
      if (this.#life !== life) return;
      this.#isReady = true;
      const { handle } = role;
      if (handle !== undefined) network.listen(name, { life, handle });
      this.#hear();
    });
  }

  /** Kills the process that has this life; nothing if it is dead already. */
  kill(life: Life | undefined = this.#life): void {
    if (life === undefined || life !== this.#life) return;
    life.end();
    this.#life = undefined;
    this.#role = undefined;
    this.#isReady = false;
    this.#modules.network.listen(this.name, undefined);
    for (const disk of this.#modules.disks) disk.cut();
    this.#modules.onDeath(this);
  }

  /** Gives the role the next event, and then the one after it. */
  #hear(): void {
    const { msp } = this.#options;
    const life = this.#life;
    const role = this.role;
    if (msp === undefined || life === undefined || role?.onLedgerEvent === undefined || this.#isHearing) return;
    const event = this.#modules.channel.replica(msp).events[this.#heard];
    if (event === undefined) return;
    this.#heard += 1;
    this.#isHearing = true;
    void life.run(async () => {
      await role.onLedgerEvent?.(event);
      if (this.#life !== life) return;
      this.#isHearing = false;
      this.#hear();
    });
  }
}

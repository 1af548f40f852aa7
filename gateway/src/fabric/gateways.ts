import { FabricCaller, PeerBlocks, readCredentials, type Credentials, type Shared } from "./caller.js";
import { Connection } from "./connection.js";
import type { Deadlines } from "./deadlines.js";
import { noClient } from "./errors.js";
import type { CallerPort } from "./port.js";
import type { Profile } from "./profile.js";
import type { NamedSource } from "./source.js";

/** The gateways of a profile, and its clients. */
export class Gateways {
  readonly #shared: Shared;
  readonly #credentials: ReadonlyMap<string, Credentials>;
  readonly #callers = new Map<string, CallerPort>();

  private constructor(shared: Shared, credentials: ReadonlyMap<string, Credentials>) {
    this.#shared = shared;
    this.#credentials = credentials;
  }

  /** Reads the clients' certificates and keys; connects to nobody. @throws VeilgridError `bad-credentials`. */
  static async open(profile: Profile, deadlines: Deadlines): Promise<Gateways> {
    const clients = await Promise.all(
      profile.clients.map(async (client) => [client.msp, await readCredentials(client)] as const),
    );
    const connections = new Map(profile.gateways.map((gateway) => [gateway, new Connection(gateway)]));
    return new Gateways({ profile, connections, deadlines }, new Map(clients));
  }

  /** The MSP of the profile's first client: what everybody may ask is asked as that one. */
  get anyone(): string {
    return [...this.#credentials.keys()][0] as string;
  }

  /** @throws VeilgridError `no-client` for an organisation whose client the profile does not have. */
  caller(msp: string): CallerPort {
    const credentials = this.#credentials.get(msp);
    if (credentials === undefined) throw noClient(msp);
    const caller = this.#callers.get(msp) ?? new FabricCaller(this.#shared, credentials);
    this.#callers.set(msp, caller);
    return caller;
  }

  /**
   * The peers whose blocks can be followed, each asked by its own organisation's client where the profile has one.
   * @param prefer the MSP whose peer comes first; else those that do not endorse do, for KGCBP has one so that it need not
   *   trust an aggregator for what it reads.
   */
  sources(prefer?: string): readonly NamedSource[] {
    const { gateways } = this.#shared.profile;
    const [any] = this.#credentials.values();
    const rank = (gateway: { readonly msp: string; readonly endorses: boolean }): number => {
      if (gateway.msp === prefer) return 0;
      return gateway.endorses ? 2 : 1;
    };
    return [...gateways]
      .sort((a, b) => rank(a) - rank(b))
      .map((at) => new PeerBlocks(this.#shared, at, this.#credentials.get(at.msp) ?? (any as Credentials)));
  }

  /** Ends every call that is under way. */
  close(): void {
    for (const connection of this.#shared.connections.values()) connection.close();
  }
}

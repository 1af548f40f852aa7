import type { EmbeddedLedger } from "../../src/ledger/embedded.js";
import { silent, type Log } from "../../src/ports/log.js";
import type { LedgerIdentity } from "../../src/remote/connection.js";
import { RemoteLedger } from "../../src/remote/ledger.js";
import { LedgerService } from "../../src/remote/service.js";
import { Folders, openLedger } from "../ledger/world.js";
import { Authority } from "../../src/grpc/authority.js";

/** A ledger with the Notes contract behind a service, which can be killed and started again. */
export class Served {
  readonly folders = new Folders();
  readonly #authorities: ReadonlyMap<string, Authority>;
  readonly #own: Authority;
  readonly #path = this.folders.make();
  readonly #open = new Set<RemoteLedger>();
  ledger!: EmbeddedLedger;
  #service: LedgerService | undefined;
  #port = 0;

  private constructor(own: Authority, authorities: ReadonlyMap<string, Authority>) {
    this.#own = own;
    this.#authorities = authorities;
  }

  static async start(): Promise<Served> {
    const msps = ["Org1", "Org2"];
    const made = await Promise.all(msps.map(async (msp) => [msp, await Authority.make(msp)] as const));
    const served = new Served(await Authority.make("service"), new Map(made));
    await served.up();
    return served;
  }

  get port(): number {
    return this.#port;
  }

  /** Starts the service where it was. */
  async up(): Promise<void> {
    this.ledger = await openLedger(this.#path);
    const callers = new Map([...this.#authorities].map(([msp, { certificate }]) => [msp, certificate]));
    const options = {
      host: "localhost",
      port: this.#port,
      tls: await this.#own.issue({ name: "someone", hosts: ["localhost"] }),
      callers,
    };
    this.#service = await LedgerService.listen(options, { ledger: this.ledger, log: silent });
    this.#port = this.#service.port;
  }

  async down(): Promise<void> {
    await this.#service?.close();
    await this.ledger.close();
  }

  /** A certificate of an organisation's authority, under whatever name its owner gives itself. */
  async identity(msp: string, named = msp): Promise<LedgerIdentity> {
    const authority = this.#authorities.get(msp) ?? (await Authority.make(msp));
    return { msp: named, ...(await authority.issue({ name: "someone", hosts: ["localhost"] })) };
  }

  /** A process of these organisations. */
  async open(
    identities: readonly [LedgerIdentity, ...LedgerIdentity[]],
    path = this.folders.make(),
    more: { readonly port?: number; readonly log?: Log } = {},
  ): Promise<RemoteLedger> {
    const { port = this.#port, log = silent } = more;
    const ledger = await RemoteLedger.open({
      endpoint: { target: `localhost:${port}`, authority: this.#own.certificate },
      identities,
      path,
      deadlines: { overall: 20_000, open: 3000, submit: 5000 },
      log,
    });
    this.#open.add(ledger);
    return ledger;
  }

  async stop(): Promise<void> {
    for (const ledger of this.#open) await ledger.close();
    await this.down();
    this.folders.remove();
  }
}

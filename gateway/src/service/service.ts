import { randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { LedgerView, VerifiedSignatures, consortiumId, type Facts } from "@veilgrid/protocol";
import type { Identity } from "../grpc/authority.js";
import type { Endpoint } from "../grpc/endpoint.js";
import type { Audience } from "../grpc/services.js";
import type { PeerLedger } from "../ports/ledger.js";
import type { Log } from "../ports/log.js";
import type { Address, Transport } from "../ports/transport.js";
import { clockOf, type SystemClock } from "../process/clock.js";
import { Door, type DoorRequests } from "../process/door.js";
import { HttpEndpoint, type Health } from "../process/http.js";
import type { ProcessLog } from "../process/log.js";
import { ProcessMetrics } from "../process/metrics.js";
import { SeededRandom } from "../random.js";
import { LevelStore, openDatabase, type Database } from "../store/level.js";
import type { Listening, LimitsEntry, ServiceConfiguration } from "./configuration.js";
import { endpointsOf, identityOf, secretsOf } from "./files.js";
import { Following } from "./following.js";
import type { Ground } from "./ground.js";
import { openLedger, setUp } from "./ledger.js";
import { LedgerWatch } from "./ledger-watch.js";
import { openServer, openTransport } from "./network.js";
import { ServiceNumbers } from "./numbers.js";
import type { Role } from "./role.js";

/** Signatures that a process remembers: the halves of 10,000 meters over six periods, some 100 bytes each. */
const REMEMBERED = 131_072;

/** A role, as a party makes it. */
export interface MadeRole {
  readonly role: Role;
  /** What /health says of it. */
  readonly facts: () => Facts;
  /** What it does for its operator; nothing if not given. */
  readonly requests?: DoorRequests;
}

/** A party: its role, and whom it listens to besides the organisations. */
export interface Party {
  /** "da", "cc" or "kgcbp". */
  readonly name: string;
  readonly others?: { readonly audience: Audience; readonly at: Listening; readonly limits: LimitsEntry };
  readonly make: (ground: Ground) => Promise<MadeRole>;
}

/** What is there before the ledger is. */
interface Base {
  readonly secrets: Ground["secrets"];
  readonly identity: Identity;
  readonly endpoints: ReadonlyMap<Address, Endpoint>;
  readonly params: Uint8Array;
  readonly clock: SystemClock;
  readonly numbers: ServiceNumbers;
  readonly log: Log;
}

/**
 * A party's process: opens what its role needs, one after the other, waits for the ledger as long as it takes, and closes
 * everything in the opposite order. What the role keeps is on disk before it is said, so that a process which is killed, or
 * which ends itself because its disk or its role failed, is simply started again.
 */
export class Service {
  /** Where it listens: "http", "organisations", and who else there is. */
  readonly ports = new Map<string, number>();
  /** Resolves when it serves, or is stopped before it does. Rejects with what waiting does not mend. */
  readonly serving: Promise<void>;
  /** Resolves with what was thrown when the process must end. */
  readonly failed: Promise<unknown>;
  readonly #configuration: ServiceConfiguration;
  readonly #party: Party;
  readonly #processLog: ProcessLog;
  readonly #stopping = new AbortController();
  readonly #closing: (() => Promise<void> | void)[] = [];
  #fail: (error: unknown) => void = () => undefined;
  #waitingFor = "ledger";
  #health: () => Facts = () => ({});
  #watch: LedgerWatch | undefined;
  #closed: Promise<void> | undefined;

  constructor(configuration: ServiceConfiguration, party: Party, modules: { readonly log: ProcessLog }) {
    this.#configuration = configuration;
    this.#party = party;
    this.#processLog = modules.log;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
    this.serving = this.#run();
  }

  /** Takes nothing new, lets answers and what has begun end, and closes everything. */
  stop(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#stopping.abort();
    await this.serving.catch(() => undefined);
    for (const close of this.#closing.splice(0).reverse()) await close();
  }

  #onClose(close: () => Promise<void> | void): void {
    this.#closing.push(close);
  }

  /** The process cannot go on: what memory has may not be what the disk has. */
  readonly #onFailure = (what: string, error: unknown, facts: Facts = {}): void => {
    // What is closed under somebody's hands while it stops is no failure.
    if (this.#stopping.signal.aborted) return;
    this.#processLog.failure("error", what, error, facts);
    this.#fail(error);
  };

  async #run(): Promise<void> {
    const { msp, data, ledger: entry } = this.#configuration;
    const base = await this.#base();
    await mkdir(data, { recursive: true, mode: 0o700 });
    const database = await openDatabase(join(data, "roles"));
    this.#onClose(() => database.close());
    // No other process has this data folder now.
    const door = await this.#openDoor(base.log);
    const waiting = { log: base.log, signal: this.#stopping.signal };
    const ledger = await openLedger({ entry, msp, path: join(data, "ledger") }, waiting);
    if (ledger === undefined) return;
    this.#onClose(() => ledger.close());
    this.#waitingFor = "set-up";
    const view = new LedgerView(ledger.state);
    if (!(await setUp(view, base.params, waiting))) return;
    this.#waitingFor = "start";
    await this.#serve(this.#ground(base, database, ledger, view), base, { ledger, door });
  }

  async #openDoor(log: Log): Promise<Door> {
    const door = await Door.open(this.#configuration.data, {
      log,
      waitingFor: () => this.#waitingFor,
      onFailure: (error) => {
        this.#onFailure("request-failed", error);
      },
    });
    this.#onClose(() => door.close());
    return door;
  }

  async #base(): Promise<Base> {
    const { organisations, peers, params, clock: scale, http } = this.#configuration;
    const clock = clockOf(scale, {
      onFailure: (label, error) => {
        this.#onFailure("timer-failed", error, { label });
      },
    });
    const metrics = new ProcessMetrics({ party: this.#party.name, msp: this.#configuration.msp });
    const numbers = new ServiceNumbers(metrics);
    numbers.gauge("time_seconds", "The service's clock, Unix seconds.", () => clock.now() / 1_000);
    const health = (): Health => this.#healthAt(clock);
    const base = {
      secrets: await secretsOf(this.#configuration),
      identity: await identityOf(organisations),
      endpoints: await endpointsOf(peers),
      params: new Uint8Array(await readFile(params)),
      clock,
      numbers,
      log: numbers.log(this.#processLog.log),
    };
    const endpoint = await HttpEndpoint.listen(http.listen, { metrics, health });
    this.ports.set("http", endpoint.port);
    this.#onClose(() => endpoint.close());
    return base;
  }

  #healthAt(clock: SystemClock): Health {
    const waitingFor = this.#waitingFor === "" && this.#watch?.isUp === false ? "ledger" : this.#waitingFor;
    const { msp } = this.#configuration;
    const facts = { role: this.#party.name, msp, waitingFor, ...this.#health(), time: clock.now() };
    return { isWell: waitingFor === "", facts };
  }

  #ground(
    { secrets, endpoints, identity, params, clock, numbers, log }: Base,
    database: Database,
    ledger: PeerLedger,
    view: LedgerView,
  ): Ground {
    const transport = openTransport({ endpoints, identity }, { log, numbers });
    this.#onClose(() => {
      transport.close();
    });
    this.#onClose(() => clock.stop());
    const { msp, limits } = this.#configuration;
    const onStoreFailure = (error: unknown): void => {
      this.#onFailure("store-failed", error);
    };
    return {
      secrets,
      clock,
      transport: this.#guarded(transport),
      database,
      store: (name) => numbers.store(new LevelStore(database, name), onStoreFailure),
      ledger: numbers.ledger(ledger.as({ msp })),
      view,
      consortium: consortiumId(params),
      random: new SeededRandom(randomBytes(32)),
      memory: new VerifiedSignatures(limits.remembered ?? REMEMBERED),
      log,
      numbers,
      onClose: (close) => {
        this.#onClose(close);
      },
    };
  }

  /** A role that fails at what a peer answered goes on: no peer is to end a process. */
  #guarded(transport: Transport): Transport {
    return {
      request: (to, method, request, onResponse) => {
        transport.request(to, method, request, async (response) => {
          if (this.#stopping.signal.aborted) return;
          try {
            await onResponse?.(response);
          } catch (error) {
            this.#processLog.failure("error", "response-failed", error, { to, method });
          }
        });
      },
    };
  }

  async #serve(
    ground: Ground,
    { identity, endpoints }: Base,
    { ledger, door }: { readonly ledger: PeerLedger; readonly door: Door },
  ): Promise<void> {
    const { numbers, log } = ground;
    // Events from here on are delivered; what was before is what the role finds when it is made and started.
    const height = await ledger.height();
    const { role, facts, requests = {} } = await this.#party.make(ground);
    await role.start();
    this.#onClose(() => {
      role.stop();
    });
    const following = this.#follow(height, { ground, role, ledger });
    this.#watch = new LedgerWatch({ client: ground.ledger, log });
    this.#onClose(() => this.#watch?.stop());
    numbers.gauge("ledger_up", "Whether the ledger answers.", () => (this.#watch?.isUp === false ? 0 : 1));
    this.#health = () => ({ ...facts(), height: following.next.toString(), lag: following.lag });
    await this.#listen(role, identity, endpoints, ground);
    door.admit(requests);
    this.#onClose(() => door.dismiss());
    this.#waitingFor = "";
    log("info", "serving", Object.fromEntries(this.ports));
  }

  #follow(
    height: bigint,
    { ground, role, ledger }: { readonly ground: Ground; readonly role: Role; readonly ledger: PeerLedger },
  ): Following {
    const { numbers, log } = ground;
    const following = new Following(height, {
      ledger,
      deliver: (event) => role.onLedgerEvent(event),
      onBlock: (header) => {
        numbers.committed(header);
      },
      log,
    });
    following.start((error) => {
      this.#onFailure("event-failed", error);
    });
    this.#onClose(() => following.stop());
    numbers.gauge("ledger_height", "Blocks of the ledger that are followed.", () => Number(following.next));
    numbers.gauge("ledger_lag_blocks", "Blocks that are here and not yet followed.", () => following.lag);
    return following;
  }

  async #listen(
    role: Role,
    identity: Identity,
    endpoints: ReadonlyMap<Address, Endpoint>,
    { numbers, log }: Ground,
  ): Promise<void> {
    const { organisations, limits } = this.#configuration;
    const modules = { handler: numbers.handler(role.handle), log, numbers };
    const authorities = new Map([...endpoints].map(([address, { authority }]) => [address, authority]));
    const open = async (name: string, server: ReturnType<typeof openServer>): Promise<void> => {
      const { port, close } = await server;
      this.ports.set(name, port);
      this.#onClose(close);
    };
    const at = { at: organisations.listen, identity, limits: limits.organisations };
    await open("organisations", openServer({ ...at, audience: "organisations", authorities }, modules));
    const { others } = this.#party;
    if (others === undefined) return;
    const own = await identityOf(others.at);
    const asked = { at: others.at.listen, identity: own, limits: others.limits, audience: others.audience };
    await open("meters", openServer(asked, modules));
  }
}

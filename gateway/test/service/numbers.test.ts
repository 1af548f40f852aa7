import { KIND, VeilgridError, answerCodec, ANSWER } from "@veilgrid/protocol";
import { expect } from "chai";
import type { LedgerClient } from "../../src/ports/ledger.js";
import { ProcessMetrics } from "../../src/process/metrics.js";
import { ServiceNumbers } from "../../src/service/numbers.js";
import { MemoryStore } from "../../src/store/memory.js";
import { encodeAccepted, encodeAnswer, encodeTime } from "../../src/transport/envelopes.js";

function answered(code: number): Uint8Array {
  const body = { params: 1, da: 0, class: 4 as const, code, readingHash: new Uint8Array(32), now: 0n, retryAfterMs: 0 };
  return encodeAnswer(answerCodec.encode(body));
}

/** The samples of a page that are not zero, without the process's own. */
async function samples(metrics: ProcessMetrics): Promise<string[]> {
  const lines = (await metrics.text()).split("\n");
  return lines.filter((line) => /^veilgrid_(?!.*(_bucket|_sum))/.test(line) && !line.endsWith(" 0"));
}

describe("what a service counts", () => {
  it("is what its role answers, by method and word", async () => {
    const metrics = new ProcessMetrics();
    const numbers = new ServiceNumbers(metrics);
    const replies: Uint8Array[] = [];
    const responses = [encodeAccepted(), answered(ANSWER["window-late"]), answered(ANSWER["window-late"])];
    const handle = numbers.handler((method, _, reply) => {
      if (method === "delivery") reply(new Uint8Array());
      else reply(method === "time" ? encodeTime(7) : (responses.shift() as Uint8Array));
      return Promise.resolve();
    });
    for (const method of ["reading", "reading", "propose", "time", "delivery"] as const) {
      await handle(method, new Uint8Array(), (response) => replies.push(response));
    }
    expect(replies).to.have.length(5);
    expect(await samples(metrics)).to.have.members([
      'veilgrid_requests_total{method="reading",answer="accepted"} 1',
      'veilgrid_requests_total{method="reading",answer="window-late"} 1',
      'veilgrid_requests_total{method="propose",answer="window-late"} 1',
      'veilgrid_requests_total{method="time",answer="accepted"} 1',
      'veilgrid_requests_total{method="delivery",answer="nothing"} 1',
      'veilgrid_readings_total{answer="accepted"} 1',
      'veilgrid_readings_total{answer="window-late"} 1',
      'veilgrid_votes_total{vote="window-late"} 1',
    ]);
  });

  it("is how the ledger's calls end, by code", async () => {
    const metrics = new ProcessMetrics();
    const error = new VeilgridError("ledger-unavailable", "away", { blame: "ledger", retry: true });
    const client: LedgerClient = {
      submit: () => Promise.reject(error),
      evaluate: () => Promise.resolve(new Uint8Array()),
    };
    const counted = new ServiceNumbers(metrics).ledger(client);
    await counted.evaluate({ name: "head", args: [] });
    expect(await counted.submit({ name: "submitBlock", args: [] }).catch((one: unknown) => one)).to.equal(error);
    expect(await samples(metrics)).to.include.members([
      'veilgrid_ledger_calls_total{call="head",outcome="ok"} 1',
      'veilgrid_ledger_calls_total{call="submitBlock",outcome="ledger-unavailable"} 1',
    ]);
  });

  it("is the store's writes, and one that fails is told of", async () => {
    const numbers = new ServiceNumbers(new ProcessMetrics());
    const failures: unknown[] = [];
    const broken = Object.assign(new MemoryStore(), { write: () => Promise.reject(new Error("disk full")) });
    const store = numbers.store(broken, (error) => failures.push(error));
    const outcome = await store.write([]).catch((error: unknown) => String(error));
    expect([outcome, failures.length]).to.deep.equal(["Error: disk full", 1]);
  });

  it("is committed blocks, and the rounds of those with readings", async () => {
    const metrics = new ProcessMetrics();
    const numbers = new ServiceNumbers(metrics);
    const bytes = new Uint8Array(32);
    const header = {
      consortium: bytes,
      region: 2,
      number: 1n,
      prev: bytes,
      root: bytes,
      count: 0,
      params: 1,
      term: 1n,
      period: { month: 24000, k: 0 },
      aggFault: false,
      leader: bytes,
      ts: 0n,
    };
    numbers.committed({ ...header, kind: KIND.readings, round: 2 });
    numbers.committed({ ...header, kind: KIND.epoch, round: 5 });
    expect(await samples(metrics)).to.have.members([
      'veilgrid_blocks_total{region="2",kind="readings"} 1',
      'veilgrid_blocks_total{region="2",kind="epoch"} 1',
      'veilgrid_rounds_total{region="2"} 3',
    ]);
  });
});

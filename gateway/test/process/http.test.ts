import { expect } from "chai";
import { HttpEndpoint, type Health } from "../../src/process/http.js";
import { ProcessMetrics } from "../../src/process/metrics.js";
import { problemIn } from "../support/scratch.js";

describe("a service's pages", () => {
  let endpoint: HttpEndpoint;
  let health: Health;
  let base: string;

  before(async () => {
    const metrics = new ProcessMetrics({ role: "da", msp: "DA0MSP" });
    metrics.counter("readings_total", "Readings by answer.", ["answer"]).inc({ answer: "window-late" }, 3);
    metrics.gauge("pool_readings", "Held.", [], (gauge) => {
      gauge.set(12);
    });
    endpoint = await HttpEndpoint.listen({ host: "127.0.0.1", port: 0 }, { metrics, health: () => health });
    base = `http://127.0.0.1:${endpoint.port}`;
  });

  after(() => endpoint.close());

  it("has the numbers in Prometheus' format, the event loop's lag among them", async () => {
    const answer = await fetch(`${base}/metrics`);
    const text = await answer.text();
    expect(answer.headers.get("content-type")).to.match(/^text\/plain; version=0\.0\.4/);
    expect(text).to.include('veilgrid_readings_total{answer="window-late",role="da",msp="DA0MSP"} 3');
    expect(text).to.include('veilgrid_pool_readings{role="da",msp="DA0MSP"} 12');
    expect(text).to.include("nodejs_eventloop_lag_seconds");
  });

  it("says how the service is, by its status too", async () => {
    health = { isWell: true, facts: { term: "4" } };
    const well = await fetch(`${base}/health`);
    expect([well.status, await well.json()]).to.deep.equal([200, { status: "ok", term: "4" }]);
    health = { isWell: false, facts: { waitingFor: "ledger" } };
    const waiting = await fetch(`${base}/health`);
    expect([waiting.status, await waiting.json()]).to.deep.equal([503, { status: "waiting", waitingFor: "ledger" }]);
  });

  it("has nothing else, and takes nothing", async () => {
    expect((await fetch(`${base}/other`)).status).to.equal(404);
    expect((await fetch(`${base}/metrics`, { method: "POST", body: "x" })).status).to.equal(405);
  });

  it("says so where its port is taken", async () => {
    const metrics = new ProcessMetrics();
    const again = HttpEndpoint.listen({ host: "127.0.0.1", port: endpoint.port }, { metrics, health: () => health });
    const error = await problemIn(again);
    expect(error.message).to.equal(`cannot listen on 127.0.0.1:${endpoint.port} (EADDRINUSE)`);
  });
});

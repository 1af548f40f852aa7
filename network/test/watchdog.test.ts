import { expect } from "chai";
import { parseMetrics } from "../src/metrics.js";
import { StuckDetector } from "../src/watchdog.js";

describe("the watchdog", () => {
  it("leaves orderers alone that have nothing to do or get on", () => {
    const detector = new StuckDetector(1000);
    for (let at = 0; at < 10_000; at += 500) expect(detector.sees({ at, height: 5, waiting: 0 })).to.equal(false);
    for (let at = 10_000; at < 20_000; at += 500) {
      expect(detector.sees({ at, height: at, waiting: 3 }), String(at)).to.equal(false);
    }
  });

  it("calls for a restart once requests wait long without a block, and again only after as long", () => {
    const detector = new StuckDetector(1000);
    const sees = (at: number): boolean => detector.sees({ at, height: 5, waiting: 1 });
    expect([0, 500, 999, 1000, 1500, 2499, 2500].map(sees)).to.deep.equal([
      false,
      false,
      false,
      true,
      false,
      false,
      true,
    ]);
  });

  it("counts anew when a block comes or nothing waits any more", () => {
    const detector = new StuckDetector(1000);
    expect(detector.sees({ at: 0, height: 5, waiting: 1 })).to.equal(false);
    expect(detector.sees({ at: 900, height: 6, waiting: 1 })).to.equal(false);
    expect(detector.sees({ at: 1800, height: 6, waiting: 0 })).to.equal(false);
    expect(detector.sees({ at: 2700, height: 6, waiting: 1 })).to.equal(false);
    expect(detector.sees({ at: 3600, height: 6, waiting: 1 })).to.equal(false);
    expect(detector.sees({ at: 3700, height: 6, waiting: 1 })).to.equal(true);
  });

  it("reads Prometheus' text format", () => {
    const text = '# HELP a b\n# TYPE a gauge\na{channel="veilgrid"} 12\nb 1.5e+06\nc{x="}"} 3\n\n';
    expect([...parseMetrics(text)]).to.deep.equal([
      ["a", 12],
      ["b", 1_500_000],
      ["c", 3],
    ]);
  });
});

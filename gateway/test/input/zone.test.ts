import { expect } from "chai";
import { parseDate, parseTime, Zone } from "../../src/input/zone.js";
import { expectRefusal } from "./files.js";

const HOUR = 3_600_000;
const wall = (text: string): number => Date.parse(`${text}Z`);

describe("times of a file", () => {
  it("are read as written", () => {
    expect(parseTime("2013-04-08T00:30")).to.deep.equal({ wall: wall("2013-04-08T00:30"), offset: undefined });
    expect(parseTime("2012-10-12 00:30:00.0000000")).to.deep.equal({
      wall: wall("2012-10-12T00:30"),
      offset: undefined,
    });
    expect(parseTime("2024-06-01T00:30+10:00")).to.deep.equal({ wall: wall("2024-06-01T00:30"), offset: 10 * HOUR });
    expect(parseTime("2024-06-01T00:30-03:30")).to.deep.equal({ wall: wall("2024-06-01T00:30"), offset: -3.5 * HOUR });
    expect(parseTime("2024-06-01T00:30:15Z")).to.deep.equal({ wall: wall("2024-06-01T00:30:15"), offset: 0 });
    expect(parseDate("2024-02-29")).to.deep.equal({ wall: wall("2024-02-29T00:00"), offset: undefined });
  });

  it("keep a fraction of a second off every grid", () => {
    expect(parseTime("2012-10-12 00:30:00.0000001")?.wall).to.equal(wall("2012-10-12T00:30") + 1);
  });

  it("are none where no calendar or clock has them", () => {
    const none = ["2013-02-29T00:00", "2013-13-01T00:00", "2013-01-00T00:00", "2013-01-01T24:00", "2013-01-01T00:60"];
    const wrong = ["2013-01-01", "1969-12-31T23:30", "01/02/2013 00:30", "2013-01-01T00:00:60", "", "T00:30"];
    for (const text of [...none, ...wrong]) expect(parseTime(text), text).to.equal(undefined);
    for (const text of ["2013-02-30", "2013-4-8", "20130408"]) expect(parseDate(text), text).to.equal(undefined);
  });
});

describe("a time zone", () => {
  const london = new Zone("Europe/London");

  it("has one instant for a time, as a rule", () => {
    expect(new Zone("UTC").instants(wall("2013-07-01T12:00"))).to.deep.equal([wall("2013-07-01T12:00")]);
    expect(london.instants(wall("2013-01-01T12:00"))).to.deep.equal([wall("2013-01-01T12:00")]);
    expect(london.instants(wall("2013-07-01T12:00"))).to.deep.equal([wall("2013-07-01T11:00")]);
    expect(new Zone("Asia/Kathmandu").instants(wall("2013-07-01T12:00"))).to.deep.equal([wall("2013-07-01T06:15")]);
  });

  it("has none in the hour that is skipped", () => {
    expect(london.instants(wall("2013-03-31T00:30"))).to.deep.equal([wall("2013-03-31T00:30")]);
    expect(london.instants(wall("2013-03-31T01:00"))).to.deep.equal([]);
    expect(london.instants(wall("2013-03-31T01:59"))).to.deep.equal([]);
    expect(london.instants(wall("2013-03-31T02:00"))).to.deep.equal([wall("2013-03-31T01:00")]);
  });

  it("has two in the hour that is had twice", () => {
    const twice = [wall("2013-10-27T00:30"), wall("2013-10-27T01:30")];
    expect(london.instants(wall("2013-10-27T01:30"))).to.deep.equal(twice);
    expect(london.instants(wall("2013-10-27T00:59"))).to.have.length(1);
    expect(london.instants(wall("2013-10-27T02:00"))).to.deep.equal([wall("2013-10-27T02:00")]);
  });

  it("knows a change of half an hour in the southern autumn", () => {
    const howe = new Zone("Australia/Lord_Howe");
    expect(howe.instants(wall("2013-04-07T01:30"))).to.deep.equal([wall("2013-04-06T14:30"), wall("2013-04-06T15:00")]);
  });

  it("has to be one", () =>
    expectRefusal(() => new Zone("Mars/Olympus"), "unknown-timezone", { timezone: "Mars/Olympus" }));
});

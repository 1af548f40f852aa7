import { expect } from "chai";
import { requireLinux } from "../src/platform.js";
import { failure } from "./failure.js";

describe("the platform", () => {
  it("is Linux; elsewhere the embedded ledger is named", async () => {
    requireLinux("linux");
    for (const platform of ["darwin", "win32", "freebsd"]) {
      const error = await failure(() => {
        requireLinux(platform);
      });
      expect(error.code, platform).to.equal("unsupported-platform");
      expect(error.message).to.match(/runs on Linux .* embedded ledger, on which `npm run demo` runs$/);
    }
  });
});

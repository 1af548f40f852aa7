// A program of its own for supervisor.test: supervises a sleeper until it is killed.
import { Supervisor } from "../../src/local/supervisor.js";

const [, , program = "", file = ""] = process.argv;
const supervisor = new Supervisor({
  program,
  environment: {},
  onEvent: (event) => {
    if (event.kind === "started") process.send?.(event.pid);
  },
});
supervisor.start({ name: "sleeper", args: [file], log: `${file}.log`, isEndless: true });

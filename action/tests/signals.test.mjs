import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { machine, makeList, makeRelease, script, serve, until } from "./harness.mjs";

/** Returns a binary that records signals in $RECORD.signals, and exits with `code`, `delay` ms after the signal `last`. */
const recorder = (last, { code = 130, delay = 0 } = {}) =>
  script(`
  const file = process.env.RECORD + ".signals";
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      fs.appendFileSync(file, signal + "\\n");
      if (signal === ${JSON.stringify(last)}) setTimeout(() => { fs.appendFileSync(file, "end\\n"); process.exit(${code}); }, ${delay});
    });
  }
  fs.writeFileSync(file, "ready\\n");
  // Exits when the launcher does, so that a failed test leaves no process behind.
  const launcher = process.ppid;
  setInterval(() => process.ppid === launcher || process.exit(1), 100);
`);

/** Starts a launcher with a binary, and returns once the binary handles signals. */
async function started(t, binary, entry = "main.mjs") {
  const host = machine(t, "not a list");
  const own = host.write("own", binary);
  const launcher = host.start(entry === "main.mjs" ? { INPUT_BINARY: own } : { STATE_binary: own }, { entry });
  const seen = () =>
    existsSync(host.at("record.signals")) ? readFileSync(host.at("record.signals"), "utf8").trim().split("\n") : [];
  await until("the binary is ready", () => seen().length > 0);
  return { ...launcher, seen, host };
}

for (const entry of ["main.mjs", "post.mjs"]) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    test(`${entry}: ${signal} to the launcher alone reaches the binary once, and its exit code is kept`, async (t) => {
      const { child, ended, seen } = await started(t, recorder(signal, { delay: 300 }), entry);
      child.kill(signal);
      const { code, stdout } = await ended;
      assert.equal(code, 130);
      assert.deepEqual(seen(), ["ready", signal, "end"]);
      assert.ok(!stdout.includes("::"), stdout);
    });
  }
}

test("the launcher waits for a binary that takes seconds to end", async (t) => {
  const { child, ended, seen } = await started(t, recorder("SIGINT", { delay: 3000, code: 3 }));
  child.kill("SIGINT");
  const { code } = await ended;
  assert.equal(code, 3);
  assert.deepEqual(seen(), ["ready", "SIGINT", "end"]);
});

test("what a runner sends, SIGINT and later SIGTERM, is forwarded each time, as is a repetition", async (t) => {
  const { child, ended, seen } = await started(t, recorder("SIGHUP"));
  const expected = ["ready"];
  for (const signal of ["SIGINT", "SIGTERM", "SIGTERM", "SIGINT", "SIGHUP"]) {
    child.kill(signal);
    expected.push(signal);
    await until(`${signal} arrives`, () => seen().length >= expected.length);
  }
  await ended;
  assert.deepEqual(seen(), [...expected, "end"]);
});

test("a binary that a signal ends gives 128 and its number", async (t) => {
  const host = machine(t, "not a list");
  for (const [signal, code] of [
    ["SIGKILL", 137],
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ]) {
    const own = host.write("own", script(`process.kill(process.pid, "${signal}"); setInterval(() => {}, 1000);`));
    assert.equal((await host.run({ INPUT_BINARY: own })).code, code);
  }
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  for (const [moment, begin] of Object.entries({
    "before the answer": () => {},
    "within the body": (response) => {
      response.writeHead(200, { "content-length": 1000 });
      response.write("x");
    },
    "between two attempts": (response) => response.writeHead(503, { "retry-after": "25" }).end(),
  })) {
    test(`${signal} during the download, ${moment}: nothing was changed, and nothing is started`, async (t) => {
      const release = makeRelease();
      const server = await serve(t, (_, response) => begin(response));
      const host = machine(t, makeList(server.base, release.checksums));
      const launcher = host.start();
      await until("the download begins", () =>
        moment === "between two attempts" ? launcher.output().includes("retrying") : server.requests.length > 0,
      );
      launcher.child.kill(signal);
      const { code, stdout } = await launcher.ended;
      assert.equal(code, 130);
      assert.match(
        stdout,
        new RegExp(`cutover was interrupted by ${signal} before it started: nothing was changed\\n$`),
      );
      assert.deepEqual(host.records(), []);
      assert.equal(host.state(), "", "the post step has nothing to do");
    });
  }
}

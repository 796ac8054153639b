import assert from "node:assert/strict";
import { test } from "node:test";

import { sha256 } from "../checksums.mjs";
import { machine, makeList, makeRelease, onlyError, script } from "./harness.mjs";

const post = { entry: "post.mjs" };

for (const [what, state, runs] of [
  ["the main step never got as far as a binary", {}, false],
  ["the path is empty", { STATE_binary: "" }, false],
  ["an outcome without a binary", { STATE_binary: "", STATE_outcome: "interrupted" }, false],
  ["the binary never wrote an outcome", { STATE_binary: true }, true],
  ["an empty outcome", { STATE_binary: true, STATE_outcome: "" }, true],
  ["interrupted", { STATE_binary: true, STATE_outcome: "interrupted" }, true],
  ...["succeeded", "failed", "refused", "rolled_back", "stuck", "superseded"].map((outcome) => [
    outcome,
    { STATE_binary: true, STATE_outcome: outcome },
    false,
  ]),
]) {
  test(`post, ${what}: ${runs ? "runs" : "does nothing and prints nothing"}`, async (t) => {
    const host = machine(t, "not a list");
    const own = host.write("a binary", script("process.exitCode = 4;"));
    const result = await host.run(
      { ...state, ...(state.STATE_binary === true ? { STATE_binary: own } : {}), "INPUT_ON-CANCEL": "roll-back" },
      post,
    );
    assert.deepEqual(result, { code: runs ? 4 : 0, signal: null, stdout: "", stderr: "" });
    assert.deepEqual(
      host.records().map(({ args }) => args),
      runs ? [["action", "--post"]] : [],
    );
    if (runs) assert.equal(host.records()[0].env["INPUT_ON-CANCEL"], "roll-back");
    assert.equal(host.state(), "");
  });
}

test("post hashes a released binary again, and does not run another", async (t) => {
  const release = makeRelease(script("process.exitCode = 130;"));
  const host = machine(t, makeList("https://unreachable.invalid", release.checksums));
  host.cache(release.binary);
  assert.equal((await host.run()).code, 130);
  const saved = Object.fromEntries(
    [...host.state().matchAll(/(\w+)<<(\S+)\n(.*)\n\2\n/g)].map(([, name, , value]) => [`STATE_${name}`, value]),
  );
  assert.equal(saved.STATE_sha256, sha256(Buffer.from(release.binary)));
  assert.equal((await host.run(saved, post)).code, 130);
  host.cache(script("console.log('another')"));
  assert.match(onlyError(await host.run(saved, post)), /is not the binary that the main step ran/);
  assert.equal(host.records().length, 2);
});

test("post, the binary is gone: one error that names it", async (t) => {
  const host = machine(t, "not a list");
  assert.match(onlyError(await host.run({ STATE_binary: host.at("gone") }, post)), /^Cannot start .*gone: .*ENOENT/);
});

test("main saves the path before the binary starts, so that post has it after a kill", async (t) => {
  const host = machine(t, "not a list");
  const own = host.write(
    "own",
    script('console.log(fs.readFileSync(process.env.GITHUB_STATE, "utf8")); process.kill(process.pid, "SIGKILL");'),
  );
  const result = await host.run({ INPUT_BINARY: own });
  assert.equal(result.code, 128 + 9);
  const [, path] = /binary<<(?<delimiter>\S+)\n(.*)\n\k<delimiter>\n/.exec(result.stdout).slice(1);
  assert.equal(path, own);
});

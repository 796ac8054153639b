import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";

import { sha256 } from "../checksums.mjs";
import {
  commands,
  machine,
  makeList,
  makeRelease,
  onlyError,
  script,
  serve,
  serveArchive,
  target,
} from "./harness.mjs";

const release = makeRelease();
const poison = script('fs.writeFileSync(process.env.RECORD + ".poisoned", "");');

for (const [what, bytes] of Object.entries({
  poisoned: poison,
  "half written": release.binary.slice(0, 40),
  empty: "",
})) {
  test(`a ${what} entry is replaced by a download, with a warning, and never run`, async (t) => {
    const server = await serveArchive(t, release);
    const host = machine(t, makeList(server.base, release.checksums));
    host.cache(bytes);
    const result = await host.run();
    assert.equal(result.code, 0, result.stdout);
    const [warning, ...others] = commands(result);
    assert.match(
      warning,
      /^::warning title=cutover::The tool cache has a damaged or modified binary, which was not run/,
    );
    assert.ok(warning.includes(sha256(Buffer.from(bytes))) && warning.includes(release.checksums.binary), warning);
    assert.deepEqual(others, []);
    assert.equal(existsSync(host.at("record.poisoned")), false);
    assert.equal(host.records().length, 1);
    assert.equal(readFileSync(host.cached, "utf8"), release.binary);

    // From now on it is an ordinary hit.
    assert.match((await host.run()).stdout, /^cutover 0\.1\.0 .*, from the tool cache\n$/);
    assert.equal(server.requests.length, 1);
  });
}

test("a poisoned entry without network fails, and is never run", async (t) => {
  const host = machine(t, makeList("http://127.0.0.1:1", release.checksums));
  host.cache(poison);
  for (let time = 0; time < 2; time += 1) {
    const result = await host.run();
    assert.match(onlyError(result), /in 4 attempts: connect ECONNREFUSED/);
    assert.equal(commands(result).filter((line) => line.startsWith("::warning")).length, 1);
  }
  assert.deepEqual(host.records(), []);
  assert.equal(existsSync(host.at("record.poisoned")), false);
});

test("a link or a folder in place of the binary is replaced", async (t) => {
  const server = await serveArchive(t, release);
  const replaced = {
    // The target has the right checksum, and could be changed after it was hashed.
    link: (host) => symlinkSync(host.write("elsewhere", release.binary), host.cached),
    folder: (host) => mkdirSync(`${host.cached}/with/more`, { recursive: true }),
  };
  for (const [what, make] of Object.entries(replaced)) {
    const host = machine(t, makeList(server.base, release.checksums));
    mkdirSync(dirname(host.cached), { recursive: true });
    make(host);
    const result = await host.run();
    assert.equal(result.code, 0, `${what}: ${result.stdout}`);
    assert.match(commands(result)[0], /is not a regular file/, what);
    assert.equal(host.records()[0].path, host.cached);
    assert.deepEqual(readdirSync(dirname(host.cached)), ["cutover"], what);
    assert.match((await host.run()).stdout, /from the tool cache/, what);
  }
});

test("an entry that lost its permission to execute is replaced", async (t) => {
  const server = await serveArchive(t, release);
  const host = machine(t, makeList(server.base, release.checksums));
  host.cache(release.binary);
  chmodSync(host.cached, 0o644);
  const result = await host.run();
  assert.equal(result.code, 0, result.stdout);
  assert.match(commands(result)[0], /is not executable/);
  assert.equal(host.records().length, 1);
});

test("a tool cache that cannot be written to is an error with a remedy", async (t) => {
  const server = await serveArchive(t, release);
  const host = machine(t, makeList(server.base, release.checksums));
  // Not by permissions, which do not apply to root.
  const file = host.write("file", "");
  const message = onlyError(await host.run({ RUNNER_TOOL_CACHE: file }));
  assert.match(message, /^Cannot write cutover to .*ENOTDIR.*RUNNER_TOOL_CACHE.*`binary`/);
});

test("the tool cache of another version or target is left alone", async (t) => {
  const server = await serveArchive(t, release);
  const list = makeList(server.base, release.checksums);
  list.versions["0.2.0"] = list.versions["0.1.0"];
  const host = machine(t, list);
  host.cache(poison);
  const result = await host.run({ INPUT_VERSION: "0.2.0" });
  assert.equal(result.code, 0);
  assert.deepEqual(commands(result), []);
  assert.equal(readFileSync(host.cached, "utf8"), poison);
  assert.equal(host.records()[0].path, host.at("tools", "cutover", "0.2.0", target, "cutover"));
});

test("launchers at the same time on one tool cache all run the right binary", async (t) => {
  for (const before of [undefined, poison]) {
    const waiting = [];
    // Nobody gets a response before all have sent a request, so all of them write to the cache.
    const server = await serve(t, (_, response) => {
      waiting.push(response);
      if (waiting.length === 4) for (const each of waiting) each.end(release.archive);
    });
    const host = machine(t, makeList(server.base, release.checksums));
    if (before) host.cache(before);
    const results = await Promise.all(Array.from({ length: 4 }, () => host.run()));
    assert.deepEqual(
      results.map(({ code }) => code),
      [0, 0, 0, 0],
      JSON.stringify(results),
    );
    assert.equal(host.records().length, 4);
    assert.equal(existsSync(host.at("record.poisoned")), false);
    assert.equal(readFileSync(host.cached, "utf8"), release.binary);
    assert.deepEqual(readdirSync(dirname(host.cached)), ["cutover"]);
  }
});

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";

import { sha256 } from "../checksums.mjs";
import {
  action,
  commands,
  machine,
  makeList,
  makeRelease,
  onlyError,
  pack,
  script,
  serve,
  serveArchive,
  target,
} from "./harness.mjs";

test("a release is downloaded, verified, started and found in the tool cache afterwards", async (t) => {
  const release = makeRelease(script("process.exitCode = 3;"));
  const server = await serveArchive(t, release);
  const host = machine(t, makeList(server.base, release.checksums));

  const first = await host.run();
  assert.equal(first.code, 3, "the exit code of the binary");
  assert.equal(first.stdout, `cutover 0.1.0 (${target}), downloaded from 127.0.0.1:${server.port}\n`);
  assert.equal(server.requests[0].url, `/v0.1.0/cutover-${target}-v0.1.0.tgz`);

  const second = await host.run();
  assert.equal(second.code, 3);
  assert.equal(second.stdout, `cutover 0.1.0 (${target}), from the tool cache\n`);

  assert.equal(server.requests.length, 1);
  assert.deepEqual(
    host.records().map(({ args }) => args),
    [["action"], ["action"]],
  );
  assert.equal(statSync(host.cached).mode & 0o777, 0o755 & ~process.umask());
  assert.deepEqual(readdirSync(dirname(host.cached)), ["cutover"], "no temporary files");
});

test("a version is accepted with and without a leading v", async (t) => {
  const release = makeRelease();
  const server = await serveArchive(t, release);
  const list = makeList(server.base, release.checksums, "0.2.0-rc.1");
  const host = machine(t, { ...list, default: null });
  for (const version of ["0.2.0-rc.1", "v0.2.0-rc.1", "  v0.2.0-rc.1 "]) {
    const result = await host.run({ INPUT_VERSION: version });
    assert.equal(result.code, 0, result.stdout);
  }
  assert.equal(server.requests[0].url, `/v0.2.0-rc.1/cutover-${target}-v0.2.0-rc.1.tgz`);
});

test("an archive with the wrong checksum is final: nothing is run, kept or asked for again", async (t) => {
  const release = makeRelease();
  const server = await serveArchive(t, release);
  // The binary in it is right, so only the archive's checksum can refuse it.
  const host = machine(t, makeList(server.base, { ...release.checksums, archive: sha256("another") }));
  const message = onlyError(await host.run());
  assert.match(message, /archive .* wrong SHA-256/);
  for (const part of [sha256("another"), release.checksums.archive, `${server.base}/v0.1.0/`])
    assert.ok(message.includes(part), message);
  assert.equal(server.requests.length, 1);
  assert.deepEqual(host.records(), []);
  assert.deepEqual(readdirSync(host.at("tools")), []);
});

test("a binary with the wrong checksum in an archive with the right one is refused, too", async (t) => {
  const release = makeRelease();
  const server = await serveArchive(t, release);
  const host = machine(t, makeList(server.base, { ...release.checksums, binary: sha256("another") }));
  const message = onlyError(await host.run());
  assert.match(message, /binary in the archive .* wrong SHA-256/);
  assert.ok(message.includes(sha256("another")) && message.includes(release.checksums.binary));
  assert.deepEqual(host.records(), []);
  assert.deepEqual(readdirSync(host.at("tools")), []);
});

test("archives that are right by checksum but cannot be unpacked fail with the URL", async (t) => {
  const whole = makeRelease();
  const damaged = {
    "no gzip": Buffer.from("hello"),
    "half a gzip": whole.archive.subarray(0, whole.archive.length / 2),
    "no cutover in it": pack("x", "a/deeper"),
  };
  for (const [what, archive] of Object.entries(damaged)) {
    const server = await serveArchive(t, { archive });
    const host = machine(t, makeList(server.base, { ...whole.checksums, archive: sha256(archive) }));
    const message = onlyError(await host.run());
    assert.match(message, /^Cannot unpack http/, what);
    assert.deepEqual(host.records(), []);
  }
});

test("an archive that unpacks to more than the bound is refused", async (t) => {
  const binary = script() + "#".repeat(4_000_000);
  const release = makeRelease(binary);
  const server = await serveArchive(t, release);
  const host = machine(t, makeList(server.base, release.checksums), { limits: { unpacked: 2_000_000 } });
  assert.match(onlyError(await host.run()), /^Cannot unpack/);
});

test("an unknown version fails before any request, and names the known ones", async (t) => {
  const release = makeRelease();
  const server = await serveArchive(t, release);
  const list = makeList(server.base, release.checksums);
  list.versions["0.0.9"] = list.versions["0.1.0"];
  const host = machine(t, list);
  const message = onlyError(await host.run({ INPUT_VERSION: "9.9.9" }));
  assert.match(message, /does not know cutover 9\.9\.9.*0\.1\.0, 0\.0\.9.*`version`.*`binary`/);
  assert.equal(server.requests.length, 0);
});

test("what is not a version never reaches a path or a URL", async (t) => {
  const release = makeRelease();
  const server = await serveArchive(t, release);
  const host = machine(t, makeList(server.base, release.checksums));
  for (const version of [
    "latest",
    "../../etc",
    "0.1",
    "0.1.0/..",
    "0.1.0\n::set-output name=a::b",
    "vv0.1.0",
    "__proto__",
    "0.1.0-",
    "$(id)",
    "0.1.0%2f",
  ]) {
    const result = await host.run({ INPUT_VERSION: version });
    assert.match(onlyError(result), /The input `version` is ".*", which is not a version such as 0\.1\.0/, version);
    assert.equal(result.stdout.trim().split("\n").length, 1, "no line of its own for foreign text");
  }
  assert.equal(server.requests.length, 0);
  assert.deepEqual(readdirSync(host.at("tools")), []);
});

test("the list as it ships: without a release it says so, with one it works by its own form", async (t) => {
  const list = JSON.parse(readFileSync(`${action}/checksums.json`, "utf8"));
  for (const [version, targets] of Object.entries(list.versions)) {
    assert.match(version, /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/);
    for (const sums of Object.values(targets))
      assert.match(`${sums.archive} ${sums.binary}`, /^[0-9a-f]{64} [0-9a-f]{64}$/);
  }
  if (list.default !== null) assert.ok(Object.hasOwn(list.versions, list.default));
  assert.match(list.url, /^https:\/\/github\.com\/[^/]+\/cutover\/releases\/download$/);

  const host = machine(t, { ...list, default: null, versions: {} });
  for (const version of ["", "0.1.0"]) {
    assert.match(onlyError(await host.run({ INPUT_VERSION: version })), /lists no release of cutover\. .*`binary`/);
  }
});

test("a release without a binary for this target says which there are", async (t) => {
  const { checksums } = makeRelease();
  const list = {
    default: "0.1.0",
    url: "http://127.0.0.1:9",
    versions: { "0.1.0": { "riscv64-unknown-linux-gnu": checksums } },
  };
  const message = onlyError(await machine(t, list).run());
  assert.match(message, new RegExp(`no binary for ${target}, only for riscv64-unknown-linux-gnu.*\`binary\``));
});

test("a list without valid checksums fails closed", async (t) => {
  const release = makeRelease();
  const server = await serveArchive(t, release);
  for (const checksums of [
    {},
    { archive: "", binary: "" },
    { ...release.checksums, archive: release.checksums.archive.toUpperCase() },
    { ...release.checksums, binary: release.checksums.binary.slice(1) },
  ]) {
    const host = machine(t, makeList(server.base, checksums));
    assert.match(onlyError(await host.run()), /no valid SHA-256/);
  }
  assert.equal(server.requests.length, 0);
});

test("without a runner's folders the binary runs from a private temporary folder", async (t) => {
  const release = makeRelease();
  const server = await serveArchive(t, release);
  const host = machine(t, makeList(server.base, release.checksums));
  const temp = mkdtempSync(host.at("tmp-"));
  const result = await host.run({ RUNNER_TOOL_CACHE: "", RUNNER_TEMP: "", GITHUB_STATE: "", TMPDIR: temp });
  assert.equal(result.code, 0, result.stdout + result.stderr);
  const [{ path }] = host.records();
  assert.ok(path.startsWith(temp), path);
  assert.equal(statSync(`${temp}/${readdirSync(temp)[0]}`).mode & 0o077, 0, "nobody else can write there");
  assert.equal(existsSync(host.at("state")), false);
  rmSync(temp, { recursive: true });
});

test("a proxy that answers in place of the release is found out by the checksum", async (t) => {
  const server = await serve(t, (_, response) => response.end("<html>Please log in</html>"));
  const host = machine(t, makeList(server.base, makeRelease().checksums));
  const result = await host.run();
  assert.match(onlyError(result), /wrong SHA-256/);
  assert.equal(commands(result).length, 1);
});

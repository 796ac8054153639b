import assert from "node:assert/strict";
import { test } from "node:test";

import { machine, makeList, makeRelease, onlyError, serveArchive } from "./harness.mjs";

const release = makeRelease();

/** Returns Node options that make a process believe that it runs on another platform. */
function elsewhere(platform, arch, glibc) {
  const code = `
    Object.defineProperty(process, "platform", { value: ${JSON.stringify(platform)} });
    Object.defineProperty(process, "arch", { value: ${JSON.stringify(arch)} });
    process.report.getReport = () => ({ header: ${JSON.stringify(glibc ? { glibcVersionRuntime: glibc } : {})} });`;
  return { args: ["--import", `data:text/javascript,${encodeURIComponent(code)}`] };
}

for (const [platform, arch, glibc, target] of [
  ["linux", "x64", "2.17", "x86_64-unknown-linux-gnu"],
  ["linux", "arm64", "2.41", "aarch64-unknown-linux-gnu"],
  ["linux", "x64", undefined, "x86_64-unknown-linux-musl"],
  ["linux", "arm64", undefined, "aarch64-unknown-linux-musl"],
  ["darwin", "x64", undefined, "x86_64-apple-darwin"],
  ["darwin", "arm64", undefined, "aarch64-apple-darwin"],
]) {
  test(`${platform} on ${arch} with ${glibc ? `glibc ${glibc}` : "no glibc"} is ${target}`, async (t) => {
    const server = await serveArchive(t, release);
    const list = makeList(server.base, release.checksums);
    list.versions["0.1.0"] = { [target]: release.checksums };
    const result = await machine(t, list).run({}, elsewhere(platform, arch, glibc));
    assert.equal(result.code, 0, result.stdout + result.stderr);
    assert.match(result.stdout, new RegExp(`^cutover 0\\.1\\.0 \\(${target}\\), downloaded`));
    assert.equal(server.requests[0].url, `/v0.1.0/cutover-${target}-v0.1.0.tgz`);
  });
}

test("an unknown platform is named, with what is supported and the remedy", async (t) => {
  const server = await serveArchive(t, release);
  const host = machine(t, makeList(server.base, release.checksums));
  for (const [platform, arch] of [
    ["win32", "x64"],
    ["linux", "s390x"],
    ["freebsd", "arm64"],
    ["linux", "constructor"],
  ]) {
    const message = onlyError(await host.run({}, elsewhere(platform, arch, "2.41")));
    assert.match(
      message,
      new RegExp(`not released for ${platform} on ${arch}\\. .*Linux and macOS on x64 and arm64.*\`binary\``),
    );
  }
  assert.equal(server.requests.length, 0);
});

test("an unknown platform with a binary of one's own works", async (t) => {
  const host = machine(t, makeList("http://127.0.0.1:1", release.checksums));
  const result = await host.run(
    { INPUT_BINARY: host.write("own", release.binary) },
    elsewhere("linux", "riscv64", "2.41"),
  );
  assert.equal(result.code, 0, result.stdout);
  assert.equal(host.records().length, 1);
});

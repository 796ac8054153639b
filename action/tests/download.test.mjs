import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { createServer as createTcpServer } from "node:net";
import { once } from "node:events";
import { test } from "node:test";

import { commands, machine, makeList, makeRelease, onlyError, serve, serveArchive } from "./harness.mjs";

const release = makeRelease();
const { archive } = release;

/** Returns a machine, and a server that gives each of `answers` once, and the last one forever. */
async function scene(t, answers, options) {
  const server = await serve(t, (request, response, count) =>
    answers[Math.min(count, answers.length) - 1](response, request),
  );
  return { server, host: machine(t, makeList(server.base, release.checksums), options) };
}

const whole = (response) => response.end(archive);
const status =
  (code, headers = {}) =>
  (response) =>
    response.writeHead(code, headers).end("::error::from the server\n");
const truncated = (response) => {
  response.writeHead(200, { "content-length": archive.length });
  response.write(archive.subarray(0, 100), () => response.destroy());
};
const truncatedChunked = (response) => response.write(archive.subarray(0, 100), () => response.destroy());
const reset = (response) => response.socket.resetAndDestroy();

for (const [what, answer] of Object.entries({
  truncated,
  truncatedChunked,
  reset,
  503: status(503),
  429: status(429),
  408: status(408),
})) {
  test(`${what}, then whole: the second attempt succeeds`, async (t) => {
    const { server, host } = await scene(t, [answer, whole]);
    const result = await host.run();
    assert.equal(result.code, 0, result.stdout);
    assert.equal(server.requests.length, 2);
    assert.match(result.stdout, /^cutover: download attempt 1 of 4 failed: .*; retrying in .* s\ncutover 0\.1\.0 /);
    assert.equal(host.records().length, 1);
  });
}

test("truncated every time: four attempts, then one error, and nothing is kept", async (t) => {
  const { server, host } = await scene(t, [truncated]);
  const result = await host.run();
  assert.match(
    onlyError(result),
    new RegExp(`in 4 attempts: the connection ended after 100 of ${archive.length} bytes.*\`binary\``),
  );
  assert.equal(commands(result).length, 1);
  assert.equal(server.requests.length, 4);
  assert.deepEqual(readdirSync(host.at("tools")), []);
  assert.deepEqual(host.records(), []);
});

for (const [code, words] of [
  [404, /there is no such file.*`version`/],
  [410, /there is no such file/],
  [401, /access is denied/],
  [403, /access is denied/],
  [204, /not with a file/],
  [418, /not with a file/],
]) {
  test(`status ${code} is final`, async (t) => {
    const { server, host } = await scene(t, [status(code)]);
    const message = onlyError(await host.run());
    assert.match(message, words);
    assert.ok(message.includes(`${server.base}/v0.1.0/`) && message.includes(`status ${code}`), message);
    assert.equal(server.requests.length, 1);
  });
}

test("Retry-After is honored, in seconds and as a date, up to its bound", async (t) => {
  const times = [];
  const record = (answer) => (response, request) => {
    times.push(Date.now());
    answer(response, request);
  };
  const { host } = await scene(t, [record(status(503, { "retry-after": "1" })), record(whole)]);
  assert.equal((await host.run()).code, 0);
  // The wait without the header is 20 to 25 ms.
  assert.ok(times[1] - times[0] >= 990, `${times[1] - times[0]}`);

  const later = new Date(Date.now() + 3_600_000).toUTCString();
  for (const header of ["3600", later, "soon", "-1", "1e999"]) {
    const bounded = await scene(t, [status(429, { "retry-after": header }), whole], { limits: { retryAfter: 50 } });
    assert.equal((await bounded.host.run()).code, 0, header);
  }
});

test("nobody listens: retried, then an error that names the address", async (t) => {
  const host = machine(t, makeList("http://127.0.0.1:1", release.checksums));
  const result = await host.run();
  assert.match(onlyError(result), /in 4 attempts: connect ECONNREFUSED 127\.0\.0\.1:1/);
  assert.equal(result.stdout.match(/retrying/g).length, 3);
});

test("a server that falls silent, before or within the body, is left and tried again", async (t) => {
  const silent = () => {};
  const half = (response) => {
    response.writeHead(200, { "content-length": archive.length });
    response.write(archive.subarray(0, 100));
  };
  const { server, host } = await scene(t, [silent, half, whole], { limits: { idle: 3000 } });
  const result = await host.run();
  assert.equal(result.code, 0, result.stdout);
  assert.equal(server.requests.length, 3);
  assert.match(result.stdout, /1 of 4 failed: no data for 3 s/);
  assert.match(result.stdout, /2 of 4 failed: the connection ended after 100 of \d+ bytes: no data for 3 s/);
});

test("a server that accepts and never speaks TLS ends by the connect timeout", async (t) => {
  const sockets = [];
  const server = createTcpServer((socket) => sockets.push(socket.on("error", () => {})));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const host = machine(t, makeList(`https://127.0.0.1:${server.address().port}`, release.checksums), {
    limits: { connect: 300 },
  });
  assert.match(onlyError(await host.run()), /in 4 attempts: the server did not answer within 0\.3 s/);
  assert.equal(sockets.length, 4);
});

test("a server that drips is ended by the total bound", async (t) => {
  const drip = (response) => {
    response.writeHead(200, { "content-length": archive.length });
    const timer = setInterval(() => response.write("x"), 50);
    response.on("close", () => clearInterval(timer));
  };
  const { host } = await scene(t, [drip], { limits: { total: 1500 } });
  assert.match(onlyError(await host.run()), /Cannot download .* within 0\.025 minutes/);
});

test("a body beyond the bound is refused, announced or not", async (t) => {
  const announced = (response) => response.writeHead(200, { "content-length": archive.length }).end(archive);
  const chunked = (response) => {
    response.write(archive.subarray(0, 10));
    response.end(archive.subarray(10));
  };
  for (const answer of [announced, chunked]) {
    const { server, host } = await scene(t, [answer], { limits: { archive: 100 } });
    assert.match(onlyError(await host.run()), /larger than 100 bytes/);
    assert.equal(server.requests.length, 1);
  }
});

test("redirects are followed, relative ones and to another host, without the mirror's credentials", async (t) => {
  const storage = await serveArchive(t, release);
  const server = await serve(t, (request, response) => {
    const location = request.url === "/second" ? `${storage.base}/file?signature=secret` : "/second";
    response.writeHead(302, { location }).end();
  });
  const host = machine(t, makeList("https://unused.invalid", release.checksums));
  const result = await host.run({ INPUT_MIRROR: `http://user:p%40ss@127.0.0.1:${server.port}/` });
  assert.equal(result.code, 0, result.stdout);
  const basic = `Basic ${Buffer.from("user:p@ss").toString("base64")}`;
  assert.deepEqual(
    server.requests.map(({ headers }) => headers.authorization),
    [basic, basic],
  );
  assert.equal(storage.requests[0].url, "/file?signature=secret");
  assert.equal(storage.requests[0].headers.authorization, undefined);
});

test("redirects are bounded", async (t) => {
  const { server, host } = await scene(t, [status(302, { location: "/again" })]);
  assert.match(onlyError(await host.run()), /redirects more than 5 times/);
  assert.equal(server.requests.length, 6);
});

test("redirects to something else than http are not followed", async (t) => {
  for (const location of ["file:///etc/passwd", "ftp://127.0.0.1/", "http://[", undefined]) {
    const { server, host } = await scene(t, [status(302, location ? { location } : {})]);
    assert.match(onlyError(await host.run()), /which is not followed|not a URL/, location);
    assert.equal(server.requests.length, 1);
  }
});

test("plain http is for mirrors and loopback only", async (t) => {
  const host = machine(t, makeList("http://releases.invalid", release.checksums));
  assert.match(onlyError(await host.run()), /is not https/);
});

test("a mirror has GitHub's layout below its base, and what is not a base URL is refused", async (t) => {
  const server = await serveArchive(t, release);
  const host = machine(t, makeList("https://unused.invalid", release.checksums));
  assert.equal((await host.run({ INPUT_MIRROR: `${server.base}/a/b//` })).code, 0);
  assert.match(server.requests[0].url, /^\/a\/b\/v0\.1\.0\/cutover-[a-z0-9_-]+-v0\.1\.0\.tgz$/);
  const empty = machine(t, makeList("https://unused.invalid", release.checksums));
  for (const mirror of [
    "mirror.example",
    "file:///tmp",
    "https://a.example/?x=1",
    "https://a.example/#x",
    "ftp://a.example",
  ]) {
    assert.match(onlyError(await empty.run({ INPUT_MIRROR: mirror })), /The input `mirror` is not a base URL/, mirror);
  }
});

test("a signature in a URL and credentials of a mirror are never printed", async (t) => {
  const storage = await serve(t, (_, response) => response.writeHead(403).end());
  const server = await serve(t, (_, response) =>
    response.writeHead(302, { location: `${storage.base}/file?signature=s3cr3t` }).end(),
  );
  const host = machine(t, makeList("https://unused.invalid", release.checksums));
  const result = await host.run({ INPUT_MIRROR: `http://user:passw0rd@127.0.0.1:${server.port}` });
  onlyError(result);
  assert.ok(!/s3cr3t|passw0rd/.test(result.stdout), result.stdout);
});

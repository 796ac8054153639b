import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer, request } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { connect } from "node:net";
import { test } from "node:test";

import { proxyFor } from "../proxy.mjs";
import { machine, makeList, makeRelease, onlyError, serve } from "./harness.mjs";

const release = makeRelease();
const whole = (_, response) => response.end(release.archive);

/** Creates a certificate for release.example, which does not exist in DNS, and for localhost. */
function certificate(host) {
  const names = "subjectAltName=DNS:release.example,DNS:localhost,IP:127.0.0.1";
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "2",
      "-subj",
      "/CN=test",
      "-addext",
      names,
      "-keyout",
      host.at("key"),
      "-out",
      host.at("cert"),
    ],
    { stdio: "pipe" },
  );
  return { key: readFileSync(host.at("key")), cert: readFileSync(host.at("cert")) };
}

/** Starts a proxy that resolves every name to this machine. With `answer`, it refuses tunnels with that status line. */
async function proxy(t, { user, answer, tls } = {}) {
  const tunnels = [];
  const refusal = ({ headers }) => {
    if (user && headers["proxy-authorization"] !== `Basic ${Buffer.from(user).toString("base64")}`)
      return "407 Proxy Authentication Required";
    return answer;
  };
  const forwarded = (incoming, response) => {
    const status = refusal(incoming);
    if (status) return response.writeHead(Number(status.slice(0, 3))).end();
    const { port, pathname } = new URL(incoming.url);
    const { "proxy-authorization": _, ...headers } = incoming.headers;
    return request({ host: "127.0.0.1", port, path: pathname, headers }, (from) => {
      response.writeHead(from.statusCode, from.headers);
      from.pipe(response);
    }).end();
  };
  const made = await serve(t, forwarded, {
    make: (listener) => (tls ? createHttpsServer(tls, listener) : createHttpServer(listener)),
  });
  const sockets = new Set();
  made.server.on("connect", (incoming, client) => {
    tunnels.push({ authority: incoming.url, headers: incoming.headers });
    client.on("error", () => {});
    sockets.add(client);
    const status = refusal(incoming);
    if (status) return client.end(`HTTP/1.1 ${status}\r\n\r\n`);
    const upstream = connect(Number(incoming.url.split(":").at(-1)), "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      client.pipe(upstream).pipe(client);
    });
    sockets.add(upstream);
    upstream.on("error", () => client.destroy());
    return undefined;
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { ...made, tunnels };
}

/** Starts a release server with a self-signed certificate, and returns a machine that downloads from it. */
async function tlsScene(t, options) {
  const host = machine(t, makeList("https://unused.invalid", release.checksums), options);
  const tls = certificate(host);
  const server = await serve(t, whole, { make: (listener) => createHttpsServer(tls, listener) });
  const env = { INPUT_MIRROR: `https://release.example:${server.port}`, NODE_EXTRA_CA_CERTS: host.at("cert") };
  return { host, server, env, tls };
}

for (const [variable, more] of [
  ["HTTPS_PROXY", {}],
  ["https_proxy", { HTTPS_PROXY: "http://127.0.0.1:1" }],
  ["HTTPS_PROXY", { https_proxy: "", NODE_USE_ENV_PROXY: "1" }],
]) {
  test(`https goes through a tunnel of ${variable} ${JSON.stringify(more)}`, async (t) => {
    const { host, server, env } = await tlsScene(t);
    const via = await proxy(t);
    const result = await host.run({ ...env, [variable]: via.base, ...more });
    assert.equal(result.code, 0, result.stdout + result.stderr);
    assert.deepEqual(
      via.tunnels.map(({ authority }) => authority),
      [`release.example:${server.port}`],
    );
    assert.equal(via.tunnels[0].headers["proxy-authorization"], undefined);
    assert.equal(server.requests[0].headers.host, `release.example:${server.port}`);
    assert.equal(host.records().length, 1);
  });
}

test("credentials of a proxy are decoded and sent to the proxy only", async (t) => {
  const { host, server, env } = await tlsScene(t);
  const via = await proxy(t, { user: "me@corp:p:ss%w ord" });
  const url = `http://me%40corp:p%3Ass%25w%20ord@127.0.0.1:${via.port}`;
  const result = await host.run({ ...env, HTTPS_PROXY: url });
  assert.equal(result.code, 0, result.stdout);
  assert.equal(server.requests[0].headers["proxy-authorization"], undefined);

  const wrong = await tlsScene(t);
  const refused = await wrong.host.run({ ...wrong.env, HTTPS_PROXY: `http://me:s3cr3t@127.0.0.1:${via.port}` });
  assert.match(onlyError(refused), /The proxy in HTTPS_PROXY refuses the credentials: status 407\./);
  assert.ok(!refused.stdout.includes("s3cr3t"));
  assert.equal(via.tunnels.length, 2, "407 is final");
});

test("a proxy that is reached over TLS works, too, and a host without a scheme is http", async (t) => {
  const { host, server, env, tls } = await tlsScene(t);
  const via = await proxy(t, { tls });
  const result = await host.run({ ...env, HTTPS_PROXY: `https://localhost:${via.port}` });
  assert.equal(result.code, 0, result.stdout);
  assert.equal(via.tunnels.length, 1);

  const other = machine(t, makeList("https://unused.invalid", release.checksums));
  const bare = await proxy(t);
  const again = await other.run({
    ...env,
    HTTPS_PROXY: `127.0.0.1:${bare.port}`,
    NODE_EXTRA_CA_CERTS: host.at("cert"),
  });
  assert.equal(again.code, 0, again.stdout);
  assert.equal(bare.tunnels.length, 1);
  assert.equal(server.requests.length, 2);
});

test("plain http goes through HTTP_PROXY as a whole URL, and past it with NO_PROXY", async (t) => {
  const list = makeList("https://unused.invalid", release.checksums);
  const server = await serve(t, whole, { host: "0.0.0.0" });
  const via = await proxy(t, { user: "u:p" });
  // An address of this machine that does not look like a loopback address.
  const env = { INPUT_MIRROR: `http://0.0.0.0:${server.port}`, HTTP_PROXY: `http://u:p@127.0.0.1:${via.port}` };
  const through = await machine(t, list).run(env);
  assert.equal(through.code, 0, through.stdout);
  assert.match(via.requests[0].url, new RegExp(`^http://0\\.0\\.0\\.0:${server.port}/v0\\.1\\.0/`));
  assert.equal(server.requests.length, 1);
  assert.equal(server.requests[0].headers["proxy-authorization"], undefined);

  const refused = await machine(t, list).run({ ...env, HTTP_PROXY: via.base });
  assert.match(onlyError(refused), /The proxy in HTTP_PROXY refuses the credentials/);

  const count = via.requests.length;
  for (const variable of ["NO_PROXY", "no_proxy"]) {
    const past = await machine(t, list).run({ ...env, [variable]: `other.example, 0.0.0.0:${server.port}` });
    assert.equal(past.code, 0, past.stdout);
  }
  assert.equal(via.requests.length, count);
  assert.equal(server.requests.length, 3);
});

test("a host in NO_PROXY is asked directly", async (t) => {
  const { host, env } = await tlsScene(t);
  const via = await proxy(t);
  const message = onlyError(await host.run({ ...env, HTTPS_PROXY: via.base, NO_PROXY: ".example" }));
  // Only the proxy knows the name.
  assert.match(message, /in 4 attempts: getaddrinfo \w+ release\.example\. /);
  assert.equal(via.tunnels.length, 0);
});

test("a loopback mirror is not asked through a proxy", async (t) => {
  const server = await serve(t, whole);
  const host = machine(t, makeList(server.base, release.checksums));
  const result = await host.run({ HTTP_PROXY: "http://127.0.0.1:1", HTTPS_PROXY: "http://127.0.0.1:1" });
  assert.equal(result.code, 0, result.stdout);
});

test("a proxy that refuses is final; one that is overloaded or gone is tried again", async (t) => {
  const { host, env } = await tlsScene(t);
  const refusing = await proxy(t, { answer: "403 Forbidden" });
  assert.match(
    onlyError(await host.run({ ...env, HTTPS_PROXY: refusing.base })),
    /the proxy in HTTPS_PROXY does not open a tunnel to release\.example:\d+: status 403\. .*NO_PROXY/,
  );
  assert.equal(refusing.tunnels.length, 1);

  const busy = await proxy(t, { answer: "503 Service Unavailable" });
  assert.match(
    onlyError(await host.run({ ...env, HTTPS_PROXY: busy.base })),
    /in 4 attempts: the proxy in HTTPS_PROXY .* status 503/,
  );
  assert.equal(busy.tunnels.length, 4);

  assert.match(
    onlyError(await host.run({ ...env, HTTPS_PROXY: "http://127.0.0.1:1" })),
    /in 4 attempts: connect ECONNREFUSED 127\.0\.0\.1:1 \(through the proxy in HTTPS_PROXY\)/,
  );
});

test("a certificate that is not trusted is final and names NODE_EXTRA_CA_CERTS", async (t) => {
  const { host, server, env } = await tlsScene(t);
  const result = await host.run({ INPUT_MIRROR: `https://localhost:${server.port}` });
  assert.match(onlyError(result), /The certificate of localhost is not trusted: .*NODE_EXTRA_CA_CERTS/);
  // Trusted, but for other names.
  const via = await proxy(t);
  const other = { ...env, INPUT_MIRROR: `https://elsewhere.example:${server.port}`, HTTPS_PROXY: via.base };
  assert.match(onlyError(await host.run(other)), /The certificate of elsewhere\.example is not trusted/);
  assert.equal(server.requests.length, 0);

  const trusted = await host.run({ ...env, INPUT_MIRROR: `https://127.0.0.1:${server.port}` });
  assert.equal(trusted.code, 0, trusted.stdout);
});

test("https does not become http by a redirect", async (t) => {
  const { host, tls } = await tlsScene(t);
  const plain = await serve(t, whole);
  const server = await serve(t, (_, response) => response.writeHead(302, { location: plain.base }).end(), {
    make: (listener) => createHttpsServer(tls, listener),
  });
  const env = { INPUT_MIRROR: `https://localhost:${server.port}`, NODE_EXTRA_CA_CERTS: host.at("cert") };
  assert.match(onlyError(await host.run(env)), /redirects from https: to http:, which is not followed/);
  assert.equal(plain.requests.length, 0);
});

test("a malformed proxy variable is named, and its value is not printed", async (t) => {
  const { host, env } = await tlsScene(t);
  for (const value of [
    "http://user:s3cr3t@",
    "http://user:s3cr3t@host:port",
    "socks5://user:s3cr3t@host:1080",
    "http://user:s3cr3t%zz@host",
    "http://s3cr3t host",
  ]) {
    const result = await host.run({ ...env, https_proxy: value });
    assert.match(onlyError(result), /The environment variable https_proxy is not the URL of an HTTP proxy\./, value);
    assert.ok(!result.stdout.includes("s3cr3t"), result.stdout);
  }
});

test("NO_PROXY: hosts, suffixes, ports, addresses and networks", () => {
  for (const [entries, url, isDirect] of [
    ["*", "https://a.example", true],
    ["a.example", "https://a.example", true],
    ["a.example", "https://b.a.example", true],
    ["a.example", "https://ba.example", false],
    [".a.example", "https://b.a.example", true],
    [".a.example", "https://a.example", true],
    ["*.a.example", "https://b.a.example", true],
    ["A.Example", "https://a.example", true],
    ["a.example", "https://a.example./", true],
    ["a.example:443", "https://a.example", true],
    ["a.example:8443", "https://a.example", false],
    ["a.example:8443", "https://a.example:8443", true],
    ["x.example,a.example", "https://a.example", true],
    ["x.example , a.example ,", "https://a.example", true],
    ["x.example a.example", "https://a.example", true],
    ["", "https://a.example", false],
    [",", "https://a.example", false],
    ["10.1.2.3", "https://10.1.2.3", true],
    ["10.1.2.3:443", "https://10.1.2.3", true],
    ["10.0.0.0/8", "https://10.1.2.3", true],
    ["10.0.0.0/16", "https://10.1.2.3", false],
    ["10.0.0.0/99", "https://10.1.2.3", false],
    ["10.0.0.0/8", "https://a.example", false],
    ["fd00::/8", "https://[fd00::1]", true],
    ["fd00:0::1", "https://[fd00::1]", true],
    ["[fd00::1]:443", "https://[fd00::1]", true],
    ["[fd00::1]:8443", "https://[fd00::1]", false],
    ["fd00::/8", "https://10.1.2.3", false],
  ]) {
    const found = proxyFor(new URL(url), { HTTPS_PROXY: "http://proxy.example:3128", NO_PROXY: entries });
    assert.equal(found === undefined, isDirect, `${entries} for ${url}`);
  }
  assert.equal(
    proxyFor(new URL("http://a.example"), { HTTPS_PROXY: "http://proxy.example" }),
    undefined,
    "each scheme has its own",
  );
});

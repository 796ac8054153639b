// One connection to the host of a URL, through a proxy if there is one, ready for an HTTP request.

import { once } from "node:events";
import { request } from "node:http";
import { connect as tcp, isIP } from "node:net";
import { connect as tls } from "node:tls";

import { Failure } from "./failure.mjs";
import { limits } from "./limits.mjs";
import { hostOf, portOf } from "./proxy.mjs";
import { reason } from "./text.mjs";

/** Returns a connected socket. `signal` aborts the attempt; the caller destroys the socket. */
export async function dial(url, proxy, signal) {
  const socket = await open(proxy ? proxy.url : url, signal);
  try {
    if (!proxy) return socket;
    // A proxy forwards requests for plain http; only https needs a tunnel.
    if (url.protocol === "http:") return socket;
    return await secure(url, await tunnel(url, proxy, socket));
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function open(url, signal) {
  const socket = await ready(tcp({ host: hostOf(url), port: portOf(url), signal }), "connect");
  return url.protocol === "https:" ? secure(url, socket) : socket;
}

async function secure(url, socket) {
  const host = hostOf(url);
  // An IP address is not allowed as a server name. The certificate is checked against `host` in either case.
  const servername = isIP(host) ? "" : host;
  try {
    return await ready(tls({ socket, host, servername, ALPNProtocols: ["http/1.1"] }), "secureConnect");
  } catch (error) {
    socket.destroy();
    if (!/^(CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|ERR_TLS_CERT_)/.test(error.code)) throw error;
    throw new Failure(
      `The certificate of ${host} is not trusted: ${reason(error)}. If a proxy or mirror uses a private certificate ` +
        "authority, set the environment variable NODE_EXTRA_CA_CERTS to its PEM file.",
    );
  }
}

/** Asks a proxy for a tunnel to the host of `url`, and returns the socket, which is that tunnel from then on. */
async function tunnel(url, proxy, socket) {
  const authority = `${url.hostname}:${portOf(url)}`;
  const headers = { host: authority };
  if (proxy.authorization) headers["proxy-authorization"] = proxy.authorization;
  const connect = request({ method: "CONNECT", path: authority, headers, createConnection: () => socket });
  connect.setTimeout(limits.connect, () => connect.destroy(silence("the proxy")));
  connect.end();
  const [response] = await once(connect, "connect");
  socket.setTimeout(0);
  const status = response.statusCode;
  if (status === 200) return socket;
  if (status === 407) throw unauthorized(proxy);
  const refused = `the proxy in ${proxy.variable} does not open a tunnel to ${authority}: status ${status}`;
  if (isTransient(status)) throw Object.assign(new Error(refused), { code: "PROXY" });
  throw new Failure(`Cannot download cutover: ${refused}. Allow the host there, or add it to NO_PROXY.`);
}

export function unauthorized({ variable }) {
  return new Failure(
    `The proxy in ${variable} refuses the credentials: status 407. Set ${variable} to ` +
      "http://USER:PASSWORD@HOST:PORT with special characters percent-encoded.",
  );
}

/** Returns whether a retry may succeed after this status. */
export function isTransient(status) {
  return status === 408 || status === 429 || status >= 500;
}

/** Waits until a socket has connected. */
async function ready(socket, event) {
  // Errors after the last byte, which nobody waits for, must not end the process.
  socket.on("error", () => {});
  socket.setTimeout(limits.connect, () => socket.destroy(silence("the server")));
  await new Promise((resolve, reject) => {
    socket.once(event, resolve);
    socket.once("error", reject);
    socket.once("close", () => reject(Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" })));
  });
  socket.setTimeout(0);
  socket.removeAllListeners("timeout");
  return socket;
}

function silence(who) {
  return Object.assign(new Error(`${who} did not answer within ${limits.connect / 1000} s`), { code: "ETIMEDOUT" });
}

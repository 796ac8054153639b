// Downloads a file into memory. The caller verifies its SHA-256.

import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { dial, isTransient, unauthorized } from "./connect.mjs";
import { Failure } from "./failure.mjs";
import { limits } from "./limits.mjs";
import { basic, isLoopback, proxyFor } from "./proxy.mjs";
import { say } from "./runner.mjs";
import { reason, shown } from "./text.mjs";

const REMEDY =
  "If this machine has no direct access, set HTTPS_PROXY or the input `mirror`, or set the input `binary` to the path of " +
  "a cutover binary";

/** An error after which a retry may succeed. `retryAfter` is the wait that the server requests, in milliseconds. */
class Transient extends Error {
  constructor(message, retryAfter = 0) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

/** Returns the bytes at `url`, after several attempts if necessary. */
export async function download(url, { httpAllowed }) {
  // A mirror in a private network may use plain http: its files are verified against a SHA-256 that it does not supply.
  if (url.protocol !== "https:" && !httpAllowed && !isLoopback(url)) {
    throw new Failure(`${shown(url)} is not https. Correct the URL in checksums.json, or set the input \`mirror\`.`);
  }
  const deadline = AbortSignal.timeout(limits.total);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await fetchOnce(url, deadline);
    } catch (error) {
      // An error without a code is a defect of the launcher, which a retry would only hide.
      if (error instanceof Failure || !(error instanceof Transient || error.code)) throw error;
      if (deadline.aborted) {
        throw new Failure(`Cannot download ${shown(url)} within ${limits.total / 60_000} minutes. ${REMEDY}.`);
      }
      if (attempt === limits.attempts) {
        throw new Failure(`Cannot download ${shown(url)} in ${attempt} attempts: ${problem(error, url)}. ${REMEDY}.`);
      }
      const wait = Math.max(limits.backoff[attempt - 1] * (1 + Math.random() / 4), error.retryAfter ?? 0);
      const seconds = (wait / 1000).toFixed(1);
      say(
        `cutover: download attempt ${attempt} of ${limits.attempts} failed: ${problem(error, url)}; retrying in ${seconds} s`,
      );
      // If the deadline ends the wait, the next attempt notices.
      await sleep(wait, undefined, { signal: deadline }).catch(() => {});
    }
  }
}

function problem(error, url) {
  const proxy = proxyFor(url);
  return reason(error) + (proxy ? ` (through the proxy in ${proxy.variable})` : "");
}

/** Makes one attempt, following redirects. GitHub redirects to a storage host. */
async function fetchOnce(first, signal) {
  let url = first;
  for (let hop = 0; hop <= limits.redirects; hop += 1) {
    const proxy = proxyFor(url);
    const socket = await dial(url, proxy, signal);
    try {
      // Credentials of a mirror go to that mirror only.
      const authorization = url.origin === first.origin ? credentials(first) : undefined;
      const response = await get(url, { proxy, socket, signal, authorization });
      const { statusCode: status, headers } = response;
      if ([301, 302, 303, 307, 308].includes(status)) {
        url = redirect(url, headers.location);
        continue;
      }
      if (status !== 200) throw refusal(status, headers, url, proxy);
      return await body(response, url, socket);
    } finally {
      socket.destroy();
    }
  }
  throw new Failure(`${shown(first)} redirects more than ${limits.redirects} times. ${REMEDY}.`);
}

function credentials(url) {
  try {
    return basic(url);
  } catch {
    throw new Failure(
      "The credentials in the input `mirror` are not percent-encoded correctly. Encode special characters as %XX.",
    );
  }
}

/** Sends the request over a connected socket and returns the response once its headers have arrived. */
function get(url, { proxy, socket, signal, authorization }) {
  const isForwarded = proxy && url.protocol === "http:";
  const headers = { host: url.host, "user-agent": "cutover-action", accept: "*/*", "accept-encoding": "identity" };
  if (authorization) headers.authorization = authorization;
  if (isForwarded && proxy.authorization) headers["proxy-authorization"] = proxy.authorization;
  const path = (isForwarded ? url.origin : "") + url.pathname + url.search;
  return new Promise((resolve, reject) => {
    // For https the socket already speaks TLS, so `http` is right in either case.
    const sent = request({ path, headers, signal, createConnection: () => socket });
    sent.setTimeout(limits.idle, () => socket.destroy(new Transient(`no data for ${limits.idle / 1000} s`)));
    sent.on("error", reject);
    sent.on("response", resolve);
    sent.end();
  });
}

function redirect(from, location) {
  let to;
  try {
    to = new URL(location || "http://", from);
  } catch {
    throw new Failure(`${shown(from)} redirects to an address that is not a URL. ${REMEDY}.`);
  }
  // A download over https never falls back to http.
  if (to.protocol !== "https:" && !(to.protocol === "http:" && from.protocol === "http:")) {
    throw new Failure(
      `${shown(from)} redirects from ${from.protocol} to ${to.protocol}, which is not followed. ${REMEDY}.`,
    );
  }
  return to;
}

/** Returns the error for a status other than 200. */
function refusal(status, headers, url, proxy) {
  const answer = `${shown(url)} answers with status ${status}`;
  if (isTransient(status)) return new Transient(answer, retryAfter(headers["retry-after"]));
  if (status === 407 && proxy) return unauthorized(proxy);
  if (status === 404 || status === 410) {
    return new Failure(
      `${answer}: there is no such file. If the input \`mirror\` is set, copy the release's archive there; ` +
        "otherwise set the input `version` to another version.",
    );
  }
  if (status === 401 || status === 403) {
    return new Failure(
      `${answer}: access is denied. Allow this URL in the proxy or mirror that refuses it. ${REMEDY}.`,
    );
  }
  return new Failure(`${answer}, not with a file. ${REMEDY}.`);
}

/** Parses a Retry-After header (seconds or a date) and returns a bounded wait in milliseconds. */
function retryAfter(header = "") {
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(wait) ? 0 : Math.min(Math.max(wait, 0), limits.retryAfter);
}

async function body(response, url, socket) {
  const announced = Number(response.headers["content-length"]);
  const chunks = [];
  let size = 0;
  const bound = () => {
    throw new Failure(
      `${shown(url)} is larger than ${limits.archive} bytes, which no release of cutover is. ${REMEDY}.`,
    );
  };
  if (announced > limits.archive) bound();
  try {
    for await (const chunk of response) {
      size += chunk.length;
      if (size > limits.archive) bound();
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Transient(
      `the connection ended after ${size} ${announced ? `of ${announced} ` : ""}bytes: ${reason(socket.errored ?? error)}`,
    );
  }
  return Buffer.concat(chunks);
}

// HTTPS_PROXY, HTTP_PROXY and NO_PROXY, as curl reads them. Node's own support depends on its version and flags.

import { BlockList, isIP } from "node:net";

import { Failure } from "./failure.mjs";

/** Returns the proxy for a URL as { url, variable, authorization }, or undefined for a direct connection. */
export function proxyFor(url, env = process.env) {
  const upper = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const variable = [upper.toLowerCase(), upper].find((name) => env[name]?.trim());
  // Loopback would be the proxy's own machine.
  if (!variable || isLoopback(url) || bypasses(env.no_proxy || env.NO_PROXY || "", url)) return undefined;
  return { variable, ...parse(variable, env[variable].trim()) };
}

/** Returns a URL's host without the brackets of an IPv6 address. */
export function hostOf(url) {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

/** Returns a URL's port, written or implied. */
export function portOf(url) {
  return Number(url.port || (url.protocol === "https:" ? 443 : 80));
}

export function isLoopback(url) {
  const host = hostOf(url);
  return host === "localhost" || within("127.0.0.0/8", host) || within("::1/128", host);
}

/** Returns the value of an Authorization header for the credentials in a URL, if there are any. */
export function basic(url) {
  if (!url.username && !url.password) return undefined;
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

function parse(variable, value) {
  try {
    const url = new URL(value.includes("://") ? value : `http://${value}`);
    if (!["http:", "https:"].includes(url.protocol) || !url.hostname) throw new Error();
    return { url, authorization: basic(url) };
  } catch {
    // The value is not printed: it may hold a password.
    throw new Failure(
      `The environment variable ${variable} is not the URL of an HTTP proxy. Set it to http://HOST:PORT or ` +
        "http://USER:PASSWORD@HOST:PORT with special characters percent-encoded, or unset it.",
    );
  }
}

function bypasses(list, url) {
  const host = hostOf(url).replace(/\.$/, "");
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry !== "" && matches(entry, host, portOf(url)));
}

/** Returns whether a NO_PROXY entry matches: `*`, a network, or an address or domain with an optional port. */
function matches(entry, host, port) {
  if (entry === "*") return true;
  if (entry.includes("/")) return within(entry, host);
  if (isIP(entry)) return within(entry, host);
  const [, name, only] = /^(.+?)(?::(\d+))?$/.exec(entry);
  if (only && Number(only) !== port) return false;
  const address = name.replace(/^\[(.*)\]$/, "$1");
  if (isIP(address)) return within(address, host);
  const domain = name.replace(/^\*?\./, "");
  return host === domain || host.endsWith(`.${domain}`);
}

/** Returns whether a host is an address in a network, written as ADDRESS or ADDRESS/BITS. */
function within(network, host) {
  const [address, bits] = network.split("/");
  const family = isIP(address);
  if (!family || isIP(host) !== family) return false;
  const width = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? width : Number(bits);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > width) return false;
  const list = new BlockList();
  list.addSubnet(address, prefix, `ipv${family}`);
  return list.check(host, `ipv${family}`);
}

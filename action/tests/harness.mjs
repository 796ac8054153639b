// A machine for the launcher: a copy of it with the test's own list of checksums, the runner's folders, a release
// server, and binaries that record how they were started. The end of a test removes the files and kills the processes.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { sha256 } from "../checksums.mjs";

export const action = dirname(dirname(fileURLToPath(import.meta.url)));
export const target = {
  "linux x64": "x86_64-unknown-linux-gnu",
  "linux arm64": "aarch64-unknown-linux-gnu",
  "darwin x64": "x86_64-apple-darwin",
  "darwin arm64": "aarch64-apple-darwin",
}[`${process.platform} ${process.arch}`].replace(
  "gnu",
  process.platform === "linux" && !process.report.getReport().header.glibcVersionRuntime ? "musl" : "gnu",
);

/** Returns a binary that records its arguments and environment in $RECORD, then runs `body`. */
export function script(body = "") {
  return `#!${process.execPath}
const fs = require("node:fs");
fs.appendFileSync(process.env.RECORD, JSON.stringify({ args: process.argv.slice(2), env: process.env, path: process.argv[1] }) + "\\n");
${body}
`;
}

/** Packs a binary as a release does, and returns the archive's bytes. */
export function pack(binary, stem = "cutover-x-v0.1.0") {
  const folder = mkdtempSync(join(tmpdir(), "cutover-pack-"));
  try {
    mkdirSync(join(folder, stem, "completions"), { recursive: true });
    writeFileSync(join(folder, stem, "LICENSE-MIT"), "license\n");
    writeFileSync(join(folder, stem, "completions", "cutover"), "not the binary\n");
    writeFileSync(join(folder, stem, "cutover"), binary, { mode: 0o755 });
    execFileSync("tar", ["-czf", "out.tgz", `${stem}/LICENSE-MIT`, `${stem}/completions`, `${stem}/cutover`], {
      cwd: folder,
    });
    return readFileSync(join(folder, "out.tgz"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Returns a release of `binary`: its archive, and its entry in a list of checksums. */
export function makeRelease(binary = script()) {
  const archive = pack(binary);
  return { archive, binary, checksums: { archive: sha256(archive), binary: sha256(Buffer.from(binary)) } };
}

/** Returns a list of checksums with one release. */
export function makeList(url, checksums, version = "0.1.0") {
  return { default: version, url, versions: { [version]: { [target]: checksums } } };
}

/** Short waits between attempts, and long time limits: a busy machine must not look like a slow server. */
const PATIENT = { backoff: [20, 20, 20], connect: 120_000, idle: 120_000 };

/** Returns a machine with the launcher as released, except for its limits. */
export function machine(t, list, { limits = {} } = {}) {
  const root = mkdtempSync(join(tmpdir(), "cutover-test-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const at = (...names) => join(root, ...names);
  for (const folder of ["action", "tools", "temp", "workspace"]) mkdirSync(at(folder));
  for (const file of readdirSync(action).filter((name) => name.endsWith(".mjs")))
    cpSync(join(action, file), at("action", file));
  writeFileSync(
    at("action", "limits.mjs"),
    `${readFileSync(join(action, "limits.mjs"), "utf8")}
Object.assign(limits, ${JSON.stringify({ ...PATIENT, ...limits })});\n`,
  );
  writeFileSync(at("action", "checksums.json"), JSON.stringify(list));

  const cached = at("tools", "cutover", "0.1.0", target, "cutover");
  const env = {
    PATH: process.env.PATH,
    HOME: root,
    RUNNER_TOOL_CACHE: at("tools"),
    RUNNER_TEMP: at("temp"),
    GITHUB_WORKSPACE: at("workspace"),
    GITHUB_STATE: at("state"),
    RECORD: at("record"),
  };

  /** Starts main.mjs or post.mjs; `ended` resolves when it exits. The end of the test kills it. */
  function start(extra = {}, { entry = "main.mjs", args = [] } = {}) {
    const child = spawn(process.execPath, [...args, at("action", entry)], {
      env: { ...env, ...extra },
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    t.after(() => child.kill("SIGKILL"));
    // A launcher that hangs fails its test instead of hanging it.
    const bound = setTimeout(() => child.kill("SIGKILL"), 300_000);
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (data) => (stdout += data));
    child.stderr.on("data", (data) => (stderr += data));
    const ended = once(child, "close").then(([code, signal]) => {
      clearTimeout(bound);
      return { code, signal, stdout, stderr };
    });
    return { child, ended, output: () => stdout };
  }

  return {
    at,
    cached,
    start,
    run: (extra, options) => start(extra, options).ended,
    /** Returns how the binary was started, each time. */
    records: () =>
      existsSync(at("record"))
        ? readFileSync(at("record"), "utf8")
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line))
        : [],
    state: () => (existsSync(at("state")) ? readFileSync(at("state"), "utf8") : ""),
    cache(bytes) {
      mkdirSync(dirname(cached), { recursive: true });
      writeFileSync(cached, bytes, { mode: 0o755 });
    },
    write(name, bytes, mode = 0o755) {
      writeFileSync(at(name), bytes);
      chmodSync(at(name), mode);
      return at(name);
    },
  };
}

/** Starts a server that answers with `answer(request, response, count)`. Returns its base URL and the requests. */
export async function serve(t, answer, { make = (listener) => createServer(listener), host = "127.0.0.1" } = {}) {
  const requests = [];
  const server = make((request, response) => {
    requests.push({ method: request.method, url: request.url, headers: request.headers });
    answer(request, response, requests.length);
  });
  server.listen(0, host);
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections?.();
  });
  const { port } = server.address();
  return { base: `http://127.0.0.1:${port}`, port, requests, server };
}

/** Starts a server that has the archive at every path. */
export function serveArchive(t, { archive }, options) {
  return serve(t, (_, response) => response.end(archive), options);
}

/** Returns the lines of a log that are workflow commands. */
export function commands({ stdout }) {
  return stdout.split("\n").filter((line) => line.startsWith("::"));
}

/** Returns the only error annotation of a failed run. */
export function onlyError(result) {
  const errors = commands(result).filter((line) => line.startsWith("::error"));
  if (result.code !== 1 || errors.length !== 1 || result.stderr !== "") {
    throw new Error(`expected one error and exit code 1, got ${JSON.stringify(result, null, 2)}`);
  }
  if (!errors[0].startsWith("::error title=cutover::")) throw new Error(errors[0]);
  return errors[0].slice("::error title=cutover::".length);
}

/** Waits for a condition, with a generous time limit. */
export async function until(what, condition) {
  const end = Date.now() + 180_000;
  while (Date.now() < end) {
    const value = await condition();
    if (value) return value;
    await sleep(20);
  }
  throw new Error(`never happened: ${what}`);
}

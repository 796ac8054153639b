// The runner's tool cache: ROOT/cutover/VERSION/TARGET/cutover. Several jobs, on a self-hosted machine several runners,
// use it at the same time, and any of them can damage it.

import { randomUUID } from "node:crypto";
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sha256 } from "./checksums.mjs";
import { Failure } from "./failure.mjs";
import { clean, reason } from "./text.mjs";

/** Returns the path of a release's binary in the tool cache, whether it is there or not. */
export function entry({ version, target }) {
  const root = process.env.RUNNER_TOOL_CACHE || process.env.RUNNER_TEMP || privateFolder();
  return join(root, "cutover", version, target, "cutover");
}

/** Without a runner there is no folder of our own, and another user could prepare a guessable one in /tmp. */
function privateFolder() {
  return mkdtempSync(join(tmpdir(), "cutover-"));
}

/** Returns the SHA-256 of a cached binary, undefined if there is none, or a description of what is there instead. */
export function fingerprint(path) {
  try {
    // A symbolic link can point to another file once its target has been hashed.
    const found = lstatSync(path);
    if (!found.isFile()) return "not a regular file";
    if ((found.mode & 0o111) === 0) return "not executable";
    return sha256(readFileSync(path));
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    return `unreadable: ${error.code}`;
  }
}

/**
 * Puts a verified binary into the cache, in place of whatever is there.
 *
 * A damaged file is replaced, not deleted first: another job may have replaced it by a good one since it was hashed, and be
 * about to start that. The file appears by a rename, so nobody sees half of it. All of it is synchronous: a signal is
 * handled before or after, and leaves no temporary file.
 */
export function store(path, bytes) {
  const folder = join(path, "..");
  const temporary = join(folder, `.cutover-${randomUUID()}`);
  try {
    mkdirSync(folder, { recursive: true });
    try {
      // With wx, a link that somebody has put there is not followed.
      writeFileSync(temporary, bytes, { flag: "wx", mode: 0o755 });
      replace(temporary, path);
    } finally {
      rmSync(temporary, { force: true });
    }
  } catch (error) {
    throw new Failure(
      `Cannot write cutover to ${clean(path)}: ${reason(error)}. Make the runner's tool cache (RUNNER_TOOL_CACHE) ` +
        "writable for this job, or give the path of a cutover binary as the input `binary`.",
    );
  }
}

function replace(temporary, path) {
  try {
    renameSync(temporary, path);
  } catch (error) {
    // Only a folder in place of the binary prevents the rename.
    if (error.code !== "EISDIR" && error.code !== "ENOTDIR" && error.code !== "EEXIST") throw error;
    rmSync(path, { recursive: true, force: true });
    renameSync(temporary, path);
  }
}

// The runner's tool cache: ROOT/cutover/VERSION/TARGET/cutover. Several jobs use it at the same time (on a self-hosted
// machine, several runners do), and any of them can damage it.

import { randomUUID } from "node:crypto";
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sha256 } from "./checksums.mjs";
import { Failure } from "./failure.mjs";
import { clean, reason } from "./text.mjs";

/** Returns the path of a release's binary in the tool cache, whether it exists or not. */
export function entry({ version, target }) {
  const root = process.env.RUNNER_TOOL_CACHE || process.env.RUNNER_TEMP || privateFolder();
  return join(root, "cutover", version, target, "cutover");
}

/** Creates a private folder. Another user could prepare one with a predictable name in /tmp. */
function privateFolder() {
  return mkdtempSync(join(tmpdir(), "cutover-"));
}

/** Returns the SHA-256 of a cached binary, undefined if there is none, or a description of what is wrong with it. */
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
 * A damaged file is replaced without deleting it first: since it was hashed, another job may have put a good one there
 * and be about to start it. The file appears by a rename, so nobody sees half of it. All of this is synchronous: a
 * signal is handled before or after it, and leaves no temporary file.
 */
export function store(path, bytes) {
  const folder = join(path, "..");
  const temporary = join(folder, `.cutover-${randomUUID()}`);
  try {
    mkdirSync(folder, { recursive: true });
    try {
      // With wx, a symbolic link that was planted there is not followed.
      writeFileSync(temporary, bytes, { flag: "wx", mode: 0o755 });
      replace(temporary, path);
    } finally {
      rmSync(temporary, { force: true });
    }
  } catch (error) {
    throw new Failure(
      `Cannot write cutover to ${clean(path)}: ${reason(error)}. Make the runner's tool cache (RUNNER_TOOL_CACHE) ` +
        "writable for this job, or set the input `binary` to the path of a cutover binary.",
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

// The list of releases in this commit of the action. It makes downloads trustworthy: pinning the action by commit pins
// every byte that it can run. Checksums published next to a release do not, because they can be replaced along with it.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import { Failure } from "./failure.mjs";
import { clean } from "./text.mjs";

const VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;
const SHA256 = /^[0-9a-f]{64}$/;
const PATH_REMEDY = "or set the input `binary` to the path of a cutover binary";

/** Returns the list of this commit. */
export function list() {
  return JSON.parse(readFileSync(new URL("checksums.json", import.meta.url), "utf8"));
}

/** Returns the requested release for a target: its version, asset name, and the SHA-256 of archive and binary. */
export function release(list, wanted, target) {
  const versions = Object.keys(list.versions);
  const version = pick(wanted, list.default, versions);
  const checksums = list.versions[version][target];
  if (!checksums) {
    const targets = Object.keys(list.versions[version]).join(", ");
    throw new Failure(
      `cutover ${version} has no binary for ${target}, only for ${targets}. ` +
        `Set the input \`version\` to another version (known: ${versions.join(", ")}), ${PATH_REMEDY}.`,
    );
  }
  if (!SHA256.test(checksums.archive) || !SHA256.test(checksums.binary)) {
    throw new Failure(
      `checksums.json has no valid SHA-256 for cutover ${version} on ${target}. Pin the action to another commit.`,
    );
  }
  return { version, target, stem: `cutover-${target}-v${version}`, ...checksums };
}

/** Returns the version to run. It becomes part of paths and URLs, so only valid version numbers pass. */
function pick(wanted, fallback, versions) {
  if (versions.length === 0) {
    throw new Failure(
      `This commit of the action lists no release of cutover. Pin the action to the commit of a release, ${PATH_REMEDY}.`,
    );
  }
  const known = `It knows ${versions.join(", ")}`;
  const version = wanted ? wanted.replace(/^v/, "") : fallback;
  if (!version) {
    throw new Failure(
      `This commit of the action has no default version. ${known}. Set the input \`version\` to one of them.`,
    );
  }
  if (!VERSION.test(version)) {
    throw new Failure(
      `The input \`version\` is "${clean(version, 80)}", which is not a version such as 0.1.0. ` +
        `${known}. Set it to one of them, or leave it empty for the default.`,
    );
  }
  if (!versions.includes(version)) {
    throw new Failure(
      `This commit of the action does not know cutover ${version}, so it cannot verify it. ${known}. ` +
        `Set the input \`version\` to one of them, pin the action to a commit that lists ${version}, ${PATH_REMEDY}.`,
    );
  }
  return version;
}

export function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

// Which binary to run: the one that the input `binary` names, the one in the tool cache, or a download.

import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";

import { entry, fingerprint, store } from "./cache.mjs";
import { release, sha256 } from "./checksums.mjs";
import { obstacle } from "./executable.mjs";
import { Failure } from "./failure.mjs";
import { target } from "./platform.mjs";
import { input, warning } from "./runner.mjs";
import { clean, reason, shown } from "./text.mjs";

/**
 * Returns the path of the binary to run, its description for the log, and the SHA-256 of a released one. `list` returns
 * the list of releases.
 */
export async function prepare(list) {
  const given = input("binary");
  if (given) return local(given);
  return released(list());
}

/** Checks the binary that the user supplied. It has no checksum, and nothing is downloaded. */
function local(given) {
  const path = resolve(process.env.GITHUB_WORKSPACE || process.cwd(), given);
  const wrong = (what, remedy) => new Failure(`The input \`binary\` names ${clean(path)}, ${what}. ${remedy}.`);
  let problem;
  try {
    if (!statSync(path).isFile()) throw wrong("which is not a file", "Give the path of the binary itself");
    if (!isExecutable(path))
      throw wrong("which is not executable", "Run `chmod +x` on it first: artifacts lose that permission");
    problem = obstacle(path);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const remedy =
      "Check the path: a relative one starts at the workspace, and a step before this one must create the file";
    throw wrong(error.code === "ENOENT" ? "which does not exist" : `which cannot be read (${error.code})`, remedy);
  }
  if (problem) throw wrong(problem, "Give the path of a cutover binary that was built for this system");
  return { path, description: `cutover at ${clean(path)}, from the input binary` };
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function released(list) {
  const wanted = release(list, input("version"), target());
  const name = `cutover ${wanted.version} (${wanted.target})`;
  const path = entry(wanted);

  // A hit is hashed again: on a self-hosted runner, every earlier job could write to the cache.
  const cached = fingerprint(path);
  if (cached === wanted.binary) return { path, sha256: wanted.binary, description: `${name}, from the tool cache` };
  if (cached !== undefined) {
    warning(
      `The tool cache has a damaged or modified binary, which was not run: ${clean(path)} is ${cached}, expected ` +
        `SHA-256 ${wanted.binary}. It is replaced by a new download. If this happens again, find out which job writes there.`,
    );
  }

  // Loaded only here: Node's HTTP and TLS modules take a third of the startup time, and most runs download nothing.
  const [{ download }, { unpack }] = await Promise.all([import("./download.mjs"), import("./archive.mjs")]);
  const url = location(list, wanted);
  const archive = await download(url, { httpAllowed: Boolean(input("mirror")) });
  verify("archive", archive, wanted.archive, url);
  const binary = await unpack(archive).catch((error) => {
    throw new Failure(
      `Cannot unpack ${shown(url)}: ${reason(error)}. Report this release, and set the input \`version\` to another version.`,
    );
  });
  verify("binary in the archive", binary, wanted.binary, url);
  store(path, binary);
  return { path, sha256: wanted.binary, description: `${name}, downloaded from ${clean(url.host)}` };
}

/** Returns the URL of a release's archive. A mirror has the layout of GitHub's download URLs below its base. */
function location(list, { version, stem }) {
  const mirror = input("mirror");
  const base = parse(mirror || list.url);
  if (!base || !["https:", "http:"].includes(base.protocol) || base.search || base.hash) {
    throw new Failure(
      "The input `mirror` is not a base URL. Set it to https://HOST/PATH, without a query; the archive is expected at " +
        `${clean(`PATH/v${version}/${stem}.tgz`)}.`,
    );
  }
  base.pathname = `${base.pathname.replace(/\/+$/, "")}/v${version}/${stem}.tgz`;
  return base;
}

function parse(url) {
  try {
    return new URL(url);
  } catch {
    return null;
  }
}

function verify(what, bytes, expected, url) {
  const actual = sha256(bytes);
  if (actual === expected) return;
  throw new Failure(
    `The ${what} from ${shown(url)} has the wrong SHA-256: expected ${expected}, actual ${actual}. It was neither run nor ` +
      "kept. The file at this URL is not the one that was released: if the input `mirror` is set, repair the mirror; " +
      "otherwise do not use this version, and report it.",
  );
}

// Selects the released binary for this machine.

import { Failure } from "./failure.mjs";
import { clean } from "./text.mjs";

const CPU = { x64: "x86_64", arm64: "aarch64" };
const SYSTEM = {
  linux: () => (usesGlibc() ? "unknown-linux-gnu" : "unknown-linux-musl"),
  darwin: () => "apple-darwin",
};

/** Returns the Rust target triple of the machine. */
export function target() {
  const { platform, arch } = process;
  if (!Object.hasOwn(SYSTEM, platform) || !Object.hasOwn(CPU, arch)) {
    throw new Failure(
      `cutover is not released for ${clean(platform)} on ${clean(arch)}. It is released for Linux and macOS on x64 ` +
        "and arm64. Run the job on such a runner, or build cutover for this one and set the input `binary` to its path.",
    );
  }
  return `${CPU[arch]}-${SYSTEM[platform]()}`;
}

/** Returns whether this Node, and so the container that it runs in, is linked against glibc rather than musl. */
function usesGlibc() {
  // Without this, older releases of Node resolve the addresses of open sockets for the report.
  process.report.excludeNetwork = true;
  return Boolean(process.report.getReport().header.glibcVersionRuntime);
}

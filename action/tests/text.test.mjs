import assert from "node:assert/strict";
import { test } from "node:test";

import { data, property } from "../runner.mjs";
import { clean, shown } from "../text.mjs";

test("workflow commands are escaped as the runner decodes them", () => {
  assert.equal(data("100%\r\n::x, y"), "100%25%0D%0A::x, y");
  assert.equal(property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
  // The percent sign first: text that looks escaped must not be decoded.
  assert.equal(data("%0A"), "%250A");
});

test("foreign text loses control characters, text direction and the runner's old prefix", () => {
  assert.equal(clean("a\u001b[31mb\u0000c\u0085d\u2028e\u202ef\r\n::error::g"), "a [31mb c d e f ::error::g");
  assert.equal(clean("x##[error]y"), "x## [error]y");
  assert.equal(clean("배포 🚢"), "배포 🚢");
  assert.equal(clean("x".repeat(500)).length, 301);
});

test("a URL is shown without credentials and query", () => {
  assert.equal(
    shown(new URL("https://user:secret@host.example:8443/path?token=secret#secret")),
    "https://host.example:8443/path",
  );
});

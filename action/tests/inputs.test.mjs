import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { action, machine, makeList, makeRelease, onlyError, script, serve, serveArchive } from "./harness.mjs";

const release = makeRelease();
const inputs = [
  ...readFileSync(`${action}/action.yml`, "utf8")
    .split("\noutputs:")[0]
    .matchAll(/^ {2}([a-z-]+):$/gm),
].map(([, name]) => name);
const variable = (name) => `INPUT_${name.toUpperCase()}`;

/** Each of these would leave a file in the working folder if anything interpreted it. */
const odd = [
  "'",
  '"',
  "''\"\"\\",
  "a b\tc",
  "line\nbreak\r\nand another\n",
  "${{ github.token }}",
  "$(touch pwned)",
  "`touch pwned`",
  "; touch pwned",
  "&& touch pwned",
  "| touch pwned",
  "\n::set-output name=outcome::succeeded\n",
  "::error::x",
  "##[error]x",
  "%0A::error::x",
  "${IFS}",
  "$HOME",
  "--post",
  "-x",
  "*",
  "~",
  "🚢 배포 ünïcödé",
  " leading and trailing ",
  "\u001b[31mred",
  "x".repeat(70_000),
];

test("odd characters in every input reach the binary byte for byte, and nothing runs them", async (t) => {
  assert.ok(inputs.length >= 17, inputs.join());
  const server = await serveArchive(t, release);
  const host = machine(t, makeList(server.base, release.checksums));
  for (const text of odd) {
    // The launcher's own three inputs decide what is run, and are tested below.
    const env = Object.fromEntries(inputs.map((name) => [variable(name), text]));
    Object.assign(env, { INPUT_VERSION: "", INPUT_MIRROR: "", INPUT_BINARY: "" });
    // The kernel limits the size of the environment, so the long text is for one input only.
    if (text.length > 1000) for (const name of inputs.slice(1)) env[variable(name)] = "";
    const result = await host.run(env);
    assert.equal(result.code, 0, result.stdout + result.stderr);
    const { args, env: seen } = host.records().at(-1);
    assert.deepEqual(args, ["action"]);
    for (const [name, value] of Object.entries(env)) assert.equal(seen[name], value, name);
    assert.ok(!result.stdout.includes("::"), result.stdout);
  }
  assert.deepEqual(
    readdirSync(host.at()).filter((name) => name.includes("pwned")),
    [],
  );
});

test("odd characters in the launcher's own inputs are refused on one line, and nothing runs them", async (t) => {
  const host = machine(t, makeList("http://127.0.0.1:1", release.checksums));
  for (const text of odd.filter((text) => text.trim() && !text.includes("\u0000"))) {
    for (const name of ["version", "mirror", "binary"]) {
      const result = await host.run({ [variable(name)]: text });
      assert.match(onlyError(result), new RegExp(`\`${name}\``), text.slice(0, 100));
      assert.equal(result.stdout.split("\n").length, 2, result.stdout);
      assert.ok(!/[\u0000-\u0009\u000b-\u001f]|##\[/.test(result.stdout), JSON.stringify(result.stdout));
      assert.ok(result.stdout.length < 4096);
    }
  }
  assert.deepEqual(
    readdirSync(host.at()).filter((name) => name.includes("pwned")),
    [],
  );
  assert.deepEqual(host.records(), []);
});

test("a binary given by a path with odd characters is run, and passed to the post step whole", async (t) => {
  const host = machine(t, makeList("http://127.0.0.1:1", release.checksums));
  for (const name of [
    "a b",
    "$(touch pwned)",
    'it\'s "quoted"',
    "line\nbreak\noutcome=succeeded",
    "배포🚢",
    "-x",
    "::error::x",
  ]) {
    const path = host.write(name, release.binary);
    const result = await host.run({ INPUT_BINARY: path, INPUT_VERSION: "9.9.9" });
    assert.equal(result.code, 0, result.stdout);
    assert.equal(result.stdout.trim().split("\n").length, 1);
    assert.match(result.stdout, /^cutover at .*, from the input binary\n$/);
    assert.equal(host.records().at(-1).path, path);
    const [, delimiter] = /(?:^|\n)binary<<(cutover_[0-9a-f-]{36})\n[^]*$/.exec(
      host.state().slice(host.state().lastIndexOf("binary<<")),
    );
    assert.ok(host.state().endsWith(`binary<<${delimiter}\n${path}\n${delimiter}\n`));
  }
  const delimiters = [...host.state().matchAll(/^binary<<(.*)$/gm)].map(([, delimiter]) => delimiter);
  assert.equal(new Set(delimiters).size, 7, "a delimiter is used once");
  assert.equal(existsSync(host.at("pwned")), false);
});

test("a binary given by a path needs no network, no list and no tool cache", async (t) => {
  const server = await serve(t, (_, response) => response.end(release.archive));
  const host = machine(t, "not a list");
  host.write("workspace/own", release.binary);
  const proxies = { HTTPS_PROXY: server.base, HTTP_PROXY: server.base, INPUT_MIRROR: server.base };
  // Any connection, name resolution included, would end this process.
  const code = `
    import net from "node:net"; import dns from "node:dns";
    const refuse = () => { throw new Error("network"); };
    net.Socket.prototype.connect = refuse; dns.lookup = refuse;`;
  const result = await host.run(
    { INPUT_BINARY: "own", ...proxies },
    { args: ["--import", `data:text/javascript,${encodeURIComponent(code)}`] },
  );
  assert.equal(result.code, 0, result.stdout + result.stderr);
  assert.equal(host.records()[0].path, host.at("workspace", "own"), "relative to the workspace");
  assert.equal(server.requests.length, 0);
  assert.deepEqual(readdirSync(host.at("tools")), []);

  // Without a workspace, relative to the working folder.
  host.write("own", release.binary);
  assert.equal((await host.run({ INPUT_BINARY: "own", GITHUB_WORKSPACE: "" })).code, 0);
  assert.equal(host.records()[1].path, host.at("own"));
});

test("a wrong path says what is wrong with it, and nothing else is tried", async (t) => {
  const server = await serveArchive(t, release);
  const host = machine(t, makeList(server.base, release.checksums));
  mkdirSync(host.at("folder"));
  for (const [path, words] of [
    ["missing", /`binary` names .*missing, which does not exist\./],
    [host.at("folder"), /which is not a file\./],
    [host.write("plain", release.binary, 0o644), /which is not executable\. Run `chmod \+x`/],
    [`${host.at("plain")}/below`, /which cannot be read \(ENOTDIR\)\./],
  ]) {
    assert.match(onlyError(await host.run({ INPUT_BINARY: path })), words);
  }
  // This passes every check and fails at the start.
  assert.match(
    onlyError(await host.run({ INPUT_BINARY: host.write("broken", "#!/nonexistent/interpreter\n") })),
    /^Cannot start .*`binary`/,
  );
  assert.equal(server.requests.length, 0);
});

test("what the kernel cannot start is not given to a shell", async (t) => {
  const host = machine(t, "not a list");
  const other = readFileSync(process.execPath).subarray(0, 64);
  // An ELF header for another CPU; not a case on macOS, where only the format is checked.
  if (process.platform === "linux") other.writeUInt16LE(0x2a, 18);
  else other.fill(0);
  for (const [bytes, words] of [
    ["", /which is not a program for/],
    ["touch pwned\n", /which is not a program for/],
    [Buffer.alloc(64), /which is not a program for/],
    [other, /which is (not )?a program for/],
  ]) {
    assert.match(onlyError(await host.run({ INPUT_BINARY: host.write("own", bytes) })), words);
  }
  assert.equal(existsSync(host.at("pwned")), false);
  // A real program is started: Node, which takes the argument as a script.
  const real = await host.run({ INPUT_BINARY: process.execPath });
  assert.match(real.stdout, /^cutover at /);
  assert.match(real.stderr, /Cannot find module .*action/);
});

test("what the binary prints reaches the log as it is", async (t) => {
  const host = machine(t, "not a list");
  const own = host.write(
    "own",
    script('console.log("::notice::from the binary"); console.error("to stderr"); process.exitCode = 2;'),
  );
  const result = await host.run({ INPUT_BINARY: own });
  assert.equal(result.code, 2);
  assert.match(result.stdout, /\n::notice::from the binary\n$/);
  assert.equal(result.stderr, "to stderr\n");
});

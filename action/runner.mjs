// The runner's interface: inputs, state files and workflow commands.
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands

import { appendFileSync } from "node:fs";
import { randomUUID } from "node:crypto";

import { clean } from "./text.mjs";

const TITLE = "cutover";

/** Returns an input without surrounding blanks; empty if it is not set. */
export function input(name) {
  return (process.env[`INPUT_${name.replaceAll(" ", "_").toUpperCase()}`] ?? "").trim();
}

/** Writes a line to the log. `line` must not begin with foreign text, which could be a workflow command. */
export function say(line) {
  process.stdout.write(`${clean(line, 1000)}\n`);
}

export function error(message) {
  annotate("error", message);
}

export function warning(message) {
  annotate("warning", message);
}

function annotate(kind, message) {
  // The runner keeps 4,096 characters of an annotation.
  process.stdout.write(`::${kind} title=${property(TITLE)}::${data(clean(message, 4000))}\n`);
}

/** Escapes the message of a workflow command, as the runner decodes it. */
export function data(text) {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

/** Escapes a property of a workflow command, which would end at a colon or a comma. */
export function property(text) {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

/** Passes a value to the post step. Does nothing outside of a runner. */
export function saveState(name, value) {
  const file = process.env.GITHUB_STATE;
  if (!file) return;
  // The delimiter is random, so that a value with line breaks cannot end it and set another name.
  const delimiter = `cutover_${randomUUID()}`;
  appendFileSync(file, `${name}<<${delimiter}\n${value}\n${delimiter}\n`);
}

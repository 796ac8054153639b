// Runs the binary. The runner signals only its entry process, which is the launcher. The launcher forwards every signal
// and waits for the binary, which stops its rollout safely.

import { spawn } from "node:child_process";
import { constants } from "node:os";

import { Failure } from "./failure.mjs";
import { error, say } from "./runner.mjs";
import { clean, reason } from "./text.mjs";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
const INTERRUPTED = 130;

let child;

/** Runs a step and exits with the code that it returns. A failure becomes one error annotation and exit code 1. */
export async function guarded(step) {
  // Installed first: a signal must find a handler whether or not the binary is running yet.
  for (const signal of SIGNALS) process.on(signal, forward);
  try {
    process.exit(await step());
  } catch (failure) {
    const isExpected = failure instanceof Failure;
    error(isExpected ? failure.message : `The action's launcher has a defect; report it: ${reason(failure)}`);
    process.exit(1);
  }
}

function forward(signal) {
  if (child) {
    child.kill(signal);
    return;
  }
  say(`cutover was interrupted by ${signal} before it started: nothing was changed`);
  process.exit(INTERRUPTED);
}

/** Runs the binary and returns its exit code, or 128 plus the number of the signal that ended it, as a shell does. */
export function run(path, args) {
  return new Promise((resolve, reject) => {
    // No shell: inputs reach the binary as environment variables, and nothing interprets them on the way.
    child = spawn(path, args, { stdio: "inherit" });
    child.on("error", (problem) => {
      // A signal that could not be delivered is reported here, too, and the binary still runs.
      if (child.pid !== undefined) return;
      reject(
        new Failure(
          `Cannot start ${clean(path)}: ${reason(problem)}. Check that it exists and was built for this system; ` +
            "if the input `binary` is set, correct it.",
        ),
      );
    });
    child.on("exit", (code, signal) => resolve(signal ? 128 + constants.signals[signal] : code));
  });
}

// The post step: runs `BINARY action --post` if the main step started a rollout that it did not finish.

import { fingerprint } from "./cache.mjs";
import { Failure } from "./failure.mjs";
import { guarded, run } from "./run.mjs";
import { clean } from "./text.mjs";

await guarded(async () => {
  // The main step saves `binary` before it starts the binary, and the binary saves `outcome` at its end.
  const { STATE_binary: binary, STATE_sha256: sha256, STATE_outcome: outcome } = process.env;
  if (!binary) return 0;
  if (outcome && outcome !== "interrupted") return 0;
  // Hashed again, because the job's other steps could write to the tool cache in the meantime.
  if (sha256 && fingerprint(binary) !== sha256) {
    throw new Failure(
      `${clean(binary)} is not the binary that the main step ran, so it was not run again. The rollout is unfinished: ` +
        "re-run the job to resume it, or roll back with `command: rollback`.",
    );
  }
  return run(binary, ["action", "--post"]);
});

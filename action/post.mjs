// The post step: runs `BINARY action --post` if the main step started a rollout that it did not finish.

import { guarded, run } from "./run.mjs";

await guarded(async () => {
  // The main step saves `binary` before it starts the binary, and the binary saves `outcome` at its end.
  const { STATE_binary: binary, STATE_outcome: outcome } = process.env;
  if (!binary) return 0;
  if (outcome && outcome !== "interrupted") return 0;
  return run(binary, ["action", "--post"]);
});

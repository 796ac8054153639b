// The main step: finds a cutover binary, verifies it, and runs `BINARY action`.

import { prepare } from "./binary.mjs";
import { list } from "./checksums.mjs";
import { guarded, run } from "./run.mjs";
import { say, saveState } from "./runner.mjs";

await guarded(async () => {
  const { path, sha256, description } = await prepare(list);
  say(description);
  // Saved before the binary starts: the post step needs it when the binary cannot finish.
  saveState("binary", path);
  if (sha256) saveState("sha256", sha256);
  return run(path, ["action"]);
});

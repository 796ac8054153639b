// Foreign text (inputs, paths, answers of servers) made safe for one line of a log.

// C0, DEL and C1 controls; line and paragraph separators; characters that reorder the text around them.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g;

/** Returns `text` without control characters, cut to `limit` characters. */
export function clean(text, limit = 300) {
  // The runner still looks for its old command prefix `##[` anywhere in a line.
  const line = String(text).replace(CONTROL, " ").replaceAll("##[", "## [").trim();
  return line.length > limit ? `${line.slice(0, limit)}…` : line;
}

/** Returns a URL for a message: without credentials, and without a query, which can hold a signature. */
export function shown(url) {
  return clean(url.origin + url.pathname);
}

/** Returns a description of an error: its message, or its code if it has none. */
export function reason(error) {
  // Node tries all addresses of a host and reports one AggregateError, whose message is empty.
  const message = error?.message || error?.errors?.[0]?.message || error?.code || error;
  return clean(message);
}

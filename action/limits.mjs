// Bounds on what a slow, broken or hostile server can cost. Times are in milliseconds, sizes in bytes.

export const limits = {
  attempts: 4,
  // The wait before the second, third and fourth attempt.
  backoff: [1_000, 2_000, 4_000],
  // The longest wait that a Retry-After header can ask for.
  retryAfter: 30_000,
  // Name resolution, TCP and, apart from it, TLS or a proxy's answer.
  connect: 15_000,
  // Silence on an open connection.
  idle: 30_000,
  // All attempts together, waits included.
  total: 600_000,
  redirects: 5,
  archive: 200 * 1024 * 1024,
  unpacked: 400 * 1024 * 1024,
};

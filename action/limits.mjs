// Limits against slow, broken or hostile servers. Times are in milliseconds, sizes in bytes.

export const limits = {
  attempts: 4,
  // The waits before the second, third and fourth attempt.
  backoff: [1_000, 2_000, 4_000],
  // The longest wait that a Retry-After header can request.
  retryAfter: 30_000,
  // Name resolution and TCP; the same again for TLS, and for a proxy's response.
  connect: 15_000,
  // Silence on an open connection.
  idle: 30_000,
  // All attempts together, waits included.
  total: 600_000,
  redirects: 5,
  archive: 200 * 1024 * 1024,
  unpacked: 400 * 1024 * 1024,
};

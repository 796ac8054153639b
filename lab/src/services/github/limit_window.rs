//! The rate limit window of a token, as data.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response};
use jiff::Timestamp;

/// The current rate limit window of a token.
#[derive(Debug, Clone)]
pub(super) struct Window {
    pub(super) limit: u64,
    pub(super) used: u64,
    pub(super) ends: Timestamp,
}

impl Window {
    pub(super) fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }

    /// Adds the rate limit headers to a response.
    pub(super) fn show(&self, response: &mut Response<Bytes>) {
        for (name, value) in [
            ("x-ratelimit-limit", self.limit.to_string()),
            ("x-ratelimit-remaining", self.remaining().to_string()),
            ("x-ratelimit-reset", self.ends.as_second().to_string()),
            ("x-ratelimit-used", self.used.min(self.limit).to_string()),
            ("x-ratelimit-resource", "core".to_owned()),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
    }

    /// Formats the response to `GET /rate_limit`, which itself doesn't count.
    pub(super) fn describe(&self) -> serde_json::Value {
        let core = serde_json::json!({
            "limit": self.limit,
            "used": self.used.min(self.limit),
            "remaining": self.remaining(),
            "reset": self.ends.as_second(),
        });
        serde_json::json!({ "resources": { "core": core }, "rate": core })
    }
}

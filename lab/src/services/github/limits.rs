//! The hourly rate limits of the REST API and their headers (GitHub docs, "Rate limits for the REST API").

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};

use super::AccessToken;
use super::response::{ErrorResponse, refuse};
use crate::world::World;

/// The current rate limit window of a token.
#[derive(Debug, Clone)]
pub(super) struct Window {
    limit: u64,
    used: u64,
    ends: Timestamp,
}

impl Window {
    fn remaining(&self) -> u64 {
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

/// Counts a request of a token's holder, or an anonymous one. Returns the updated window, and an error if it
/// is exhausted.
pub(super) fn count(
    world: &mut World,
    token: Option<(&str, &AccessToken)>,
    cost: u64,
) -> (Window, Option<ErrorResponse>) {
    // Per hour: 1,000 for a job's token and repository, 5,000 for a user's, 60 for anonymous requests
    // (ibid.).
    let limit = match token {
        Some((_, token)) if token.is_job => 1000,
        Some(_) => 5000,
        None => 60,
    };
    let (name, now) = (token.map_or("", |(text, _)| text), world.now);
    let ends = now.saturating_add(SignedDuration::from_hours(1)).unwrap_or(now);
    let window =
        world.github.limits.entry(name.to_owned()).or_insert(Window { limit, used: 0, ends });
    if window.ends <= now {
        *window = Window { limit, used: 0, ends };
    }
    let refused = (window.remaining() < cost).then(|| {
        let whose = match token {
            Some((_, token)) if token.is_job => "installation ID 1".to_owned(),
            Some((_, token)) => format!("user {}", token.login),
            None => "127.0.0.1".to_owned(),
        };
        refuse(StatusCode::FORBIDDEN, &format!("API rate limit exceeded for {whose}."))
    });
    window.used += cost;
    (window.clone(), refused)
}

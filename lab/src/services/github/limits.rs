//! The hourly rate limits of the REST API and their headers (GitHub docs, "Rate limits for the REST API").

use http::StatusCode;
use jiff::SignedDuration;

use super::limit_window::Window;
use super::response::{ErrorResponse, refuse};
use super::tokens::AccessToken;
use crate::world::World;

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

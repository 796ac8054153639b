//! Paging of listings, as the services with the query protocol do it.

use crate::wire::{ApiError, ApiResult};

/// Returns at most `size` of the `items`, starting where `token` points, and the token of the next page, if
/// there is one. A token is the number of items already returned.
pub(super) fn page<T>(
    items: Vec<T>,
    token: Option<&str>,
    size: usize,
    bad_token: &str,
) -> ApiResult<(Vec<T>, Option<String>)> {
    let start = match token {
        None | Some("") => 0,
        Some(token) => token
            .parse::<usize>()
            .ok()
            .filter(|start| *start <= items.len())
            .ok_or_else(|| ApiError::sender(bad_token, "The token is not valid."))?,
    };
    let rest = items.len() - start;
    let next = (rest > size).then(|| (start + size).to_string());
    Ok((items.into_iter().skip(start).take(size).collect(), next))
}

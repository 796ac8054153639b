//! Pages of a listing, as the query services cut them.

use crate::wire::{ApiError, ApiResult};

/// The part of `items` that `token` continues at, at most `size` of them, and the token of the next
/// part. A token is the number of items already given.
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

//! Pages of a listing that is in order of its keys. The token is the last key given, so what is added
//! or removed between two pages disturbs nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A token that no page gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadToken;

/// The first `size` entries after the page that gave `token` (`None` or empty for the first page), and
/// the token of the next page if there is one.
pub(crate) fn page<K: AsRef<str>, V>(
    entries: impl Iterator<Item = (K, V)>,
    size: usize,
    token: Option<&str>,
) -> Result<(Vec<(K, V)>, Option<String>), BadToken> {
    let after = match token {
        None | Some("") => None,
        Some(token) => {
            let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| BadToken)?;
            Some(String::from_utf8(bytes).map_err(|_| BadToken)?)
        }
    };
    let mut rest =
        entries.filter(|(key, _)| after.as_ref().is_none_or(|after| key.as_ref() > after.as_str()));
    let page: Vec<(K, V)> = rest.by_ref().take(size).collect();
    let next = match (rest.next(), page.last()) {
        (Some(_), Some((key, _))) => Some(URL_SAFE_NO_PAD.encode(key.as_ref())),
        _ => None,
    };
    Ok((page, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_comes_once_though_some_go_meanwhile() {
        let keys: Vec<String> = (0..7).map(|n| format!("k{n}")).collect();
        let entries = || keys.iter().map(|key| (key.as_str(), ()));
        let (first, next) = page(entries(), 3, None).unwrap();
        let without_last = entries().filter(|(key, _)| *key != "k2");
        let (second, next) = page(without_last, 4, next.as_deref()).unwrap();
        assert_eq!((first[2].0, second[0].0, second[3].0), ("k2", "k3", "k6"));
        assert_eq!(next, None);
        assert_eq!(page(entries(), 3, Some("\u{fc}")), Err(BadToken));
    }
}

//! Patterns in which `*` matches any text and nothing else is special: ECR's exclusion filters, lifecycle rules
//! and scanning filters, all anchored at both ends.

/// Returns whether `pattern` matches the whole of `text`.
pub(crate) fn matches_wildcard(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches_wildcard;

    #[test]
    fn a_star_matches_any_text() {
        for (pattern, text, expected) in [
            ("v*", "v1", true),
            ("v*", "rv1", false),
            ("*-rc*", "v1-rc2", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*b*b", "b", false),
            ("prod", "prod1", false),
            ("*", "", true),
        ] {
            assert_eq!(matches_wildcard(pattern, text), expected, "{pattern} {text}");
        }
    }
}

//! Repository names.

/// Returns whether a repository name is valid (ECR API model, and the distribution specification): 2 to 256
/// characters; components of lowercase letters and digits, separated by `/`; within a component, `.`, `_`, `__`
/// or hyphens may separate letters and digits.
pub(crate) fn is_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separates =
        |text: &str| matches!(text, "" | "." | "_" | "__") || text.bytes().all(|byte| byte == b'-');
    (2..=256).contains(&name.len())
        && name.split('/').all(|word| {
            word.starts_with(letter) && word.ends_with(letter) && word.split(letter).all(separates)
        })
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names() {
        for good in ["web", "a1", "team/news", "a.b/c__d/e---f"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "w", "Web", "a..b", "a___b", "/a", "a/", "a//b", "-a", "a_-b", "ä1"] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}

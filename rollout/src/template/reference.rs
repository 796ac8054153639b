//! Finds and replaces references to one repository in arbitrary text.

use std::ops::Range;

use crate::model::{ImageReference, Repository};

use super::PinError;

/// Replaces every reference to the image's repository with the pinned image. Keeps all other bytes.
pub(super) fn replace(text: &[u8], image: &ImageReference) -> Result<Vec<u8>, PinError> {
    let found = find(text, &image.repository)?;
    if found.is_empty() {
        return Err(PinError::NotMentioned {
            repository: image.repository.clone(),
            bytes: text.len(),
            lines: String::from_utf8_lossy(text).lines().count(),
        });
    }
    let pinned = image.to_string();
    let mut replaced = Vec::with_capacity(text.len() + found.len() * pinned.len());
    let mut copied = 0;
    for range in found {
        replaced.extend_from_slice(&text[copied..range.start]);
        replaced.extend_from_slice(pinned.as_bytes());
        copied = range.end;
    }
    replaced.extend_from_slice(&text[copied..]);
    Ok(replaced)
}

/// Returns true if `text` contains the repository's name, whether or not the reference can be parsed.
pub(super) fn mentions(text: &[u8], repository: &Repository) -> bool {
    !names(text, repository).is_empty()
}

/// Returns the ranges of the references, including tag and digest.
fn find(text: &[u8], repository: &Repository) -> Result<Vec<Range<usize>>, PinError> {
    let read = |name: Range<usize>| {
        let end = suffix_end(text, &name).map_err(|why| {
            let (line, content) = line_at(text, name.start);
            PinError::UnparsableReference {
                repository: repository.clone(),
                line,
                text: content,
                why,
            }
        })?;
        Ok(name.start..end)
    };
    names(text, repository).into_iter().map(read).collect()
}

/// Returns the ranges of the bare name at word boundaries.
fn names(text: &[u8], repository: &Repository) -> Vec<Range<usize>> {
    let needle = repository.to_string().into_bytes();
    text.windows(needle.len())
        .enumerate()
        .filter(|(_, window)| *window == needle)
        .map(|(start, _)| start..start + needle.len())
        .filter(|name| begins(&text[..name.start]) && ends(&text[name.end..]))
        .collect()
}

/// Returns true if a name may begin after `before`. `docker://` (skopeo, podman) introduces a reference;
/// after any other slash the name is the end of something longer, such as an `https://` URL.
fn begins(before: &[u8]) -> bool {
    match before.last() {
        None => true,
        Some(b'/') => before.ends_with(b"docker://"),
        Some(b) => !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@')),
    }
}

/// Returns true if the name ends before `after`, and is not the start of a longer one.
fn ends(after: &[u8]) -> bool {
    match after {
        [b'/' | b'_' | b'-', ..] => false,
        [b'.', next, ..] => !next.is_ascii_alphanumeric(),
        [b, ..] => !b.is_ascii_alphanumeric(),
        [] => true,
    }
}

/// Returns the end of the reference that begins with `name`.
fn suffix_end(text: &[u8], name: &Range<usize>) -> Result<usize, &'static str> {
    const COMPUTED: &str = "its tag or digest is computed when the instance boots";
    const MALFORMED: &str = "the text after `@` is not a digest";
    let mut end = name.end;
    if let Some(tag) = text[end..].strip_prefix(b":") {
        let length = tag.iter().take_while(|b| is_tag(**b)).count();
        if length > 0 {
            end += 1 + length;
        }
    }
    if let Some(digest) = text[end..].strip_prefix(b"@") {
        let length = digest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b':').count();
        let digest = &digest[..length];
        if length > 0 {
            let hex = digest.strip_prefix(b"sha256:").unwrap_or_default();
            if hex.len() != 64 || !hex.iter().all(u8::is_ascii_hexdigit) {
                return Err(MALFORMED);
            }
            end += 1 + length;
        }
    }
    if computed(&text[end..]) {
        return Err(COMPUTED);
    }
    let bare = end == name.end;
    if bare && variable(&text[..name.start]).is_some_and(|v| is_extended(text, v)) {
        return Err("it is assigned to a variable, and a tag or digest is appended elsewhere");
    }
    Ok(end)
}

fn is_tag(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')
}

/// Returns true if `after` begins with a shell or template expansion: `:$TAG`, `:"$TAG"`, `:{{ tag }}`,
/// `${SUFFIX}`.
fn computed(after: &[u8]) -> bool {
    let after = match after {
        [b':' | b'@', rest @ ..] => rest,
        rest => rest,
    };
    let unquoted = match after {
        [b'"' | b'\'', rest @ ..] => rest,
        rest => rest,
    };
    matches!(unquoted, [b'$' | b'`', ..] | [b'{', b'{', ..])
}

/// Returns the shell variable that the text after `before` is assigned to.
fn variable(before: &[u8]) -> Option<&[u8]> {
    let before = match before {
        [rest @ .., b'"' | b'\''] => rest,
        rest => rest,
    };
    let before = before.strip_suffix(b"=")?;
    let length = before.iter().rev().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_');
    let name = &before[before.len() - length.count()..];
    (!name.is_empty()).then_some(name)
}

/// Returns true if `text` appends a tag or digest to `$variable` or `${variable}`.
fn is_extended(text: &[u8], variable: &[u8]) -> bool {
    [[b"$", variable, b""].concat(), [b"${", variable, b"}"].concat()].iter().any(|use_of| {
        text.windows(use_of.len()).enumerate().any(|(at, window)| {
            let after = &text[at + use_of.len()..];
            let after = after.strip_prefix(b"\"").unwrap_or(after);
            window == use_of.as_slice() && matches!(after, [b':' | b'@', _, ..])
        })
    })
}

/// Returns the number, from 1, and the truncated content of the line at offset `at`.
fn line_at(text: &[u8], at: usize) -> (usize, String) {
    let start = text[..at].iter().rposition(|b| *b == b'\n').map_or(0, |newline| newline + 1);
    let number = 1 + text[..start].iter().filter(|b| **b == b'\n').count();
    let line = text[start..].split(|b| *b == b'\n').next().unwrap_or_default();
    let line: String = String::from_utf8_lossy(line).trim().chars().take(160).collect();
    (number, line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REPOSITORY: &str = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/web";

    fn image() -> ImageReference {
        format!("{REPOSITORY}@sha256:{}", "b".repeat(64)).parse().unwrap()
    }

    fn old() -> String {
        format!("sha256:{}", "a".repeat(64))
    }

    #[test]
    fn replaces_every_form_of_reference() {
        for reference in [
            REPOSITORY.to_owned(),
            format!("{REPOSITORY}:v1.2-rc"),
            format!("{REPOSITORY}@{}", old()),
            format!("{REPOSITORY}:v1@{}", old()),
        ] {
            for (before, after) in [
                ("", ""),
                ("docker run ", "\n"),
                ("image: \"", "\" # 한국어"),
                ("IMAGE='", "'\ndocker run $IMAGE -p 80:80"),
                ("docker://", " x"),
                ("(", ")"),
            ] {
                let text = format!("{before}{reference}{after}");
                let replaced = replace(text.as_bytes(), &image()).unwrap();
                assert_eq!(replaced, format!("{before}{}{after}", image()).as_bytes());
            }
        }
    }

    #[test]
    fn leaves_other_repositories_alone() {
        for other in [
            format!("{REPOSITORY}-api:v1"),
            format!("{REPOSITORY}/sub:v1"),
            format!("{REPOSITORY}2"),
            format!("{REPOSITORY}.old"),
            format!("mirror/{REPOSITORY}"),
            format!("9{REPOSITORY}"),
            format!("https://{REPOSITORY}"),
        ] {
            let refused = replace(other.as_bytes(), &image()).unwrap_err();
            assert!(matches!(refused, PinError::NotMentioned { .. }), "{other}: {refused}");
        }
    }

    #[test]
    fn refuses_references_that_are_computed_at_boot() {
        for text in [
            format!("docker run {REPOSITORY}:$TAG"),
            format!("docker run {REPOSITORY}:\"${{TAG}}\""),
            format!("docker run {REPOSITORY}:v1-$BUILD"),
            format!("docker run {REPOSITORY}$SUFFIX"),
            format!("docker run {REPOSITORY}@$DIGEST"),
            format!("docker run {REPOSITORY}@sha256:abc"),
            format!("REPO={REPOSITORY}\nTAG=v1\ndocker run \"$REPO\":$TAG"),
            format!("REPO=\"{REPOSITORY}\"\ndocker run ${{REPO}}:v1"),
        ] {
            let refused = replace(format!("#!/bin/sh\n{text}\n").as_bytes(), &image());
            match refused {
                Err(PinError::UnparsableReference { line: 2, .. }) => {}
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    fn reference() -> impl Strategy<Value = String> {
        ("(:[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,20})?", "(@sha256:[0-9a-f]{64})?")
            .prop_map(|(tag, digest)| format!("{REPOSITORY}{tag}{digest}"))
    }

    /// Arbitrary bytes that neither extend a reference nor contain an expansion.
    fn between() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(any::<u8>().prop_filter("no expansion", |b| *b != b'$'), 0..40)
            .prop_map(|bytes| [b" ", bytes.as_slice(), b"\n"].concat())
    }

    proptest! {
        #[test]
        fn changes_nothing_else_and_is_idempotent(
            parts in proptest::collection::vec((between(), reference()), 1..5),
            tail in between(),
        ) {
            let join = |pinned: bool| {
                let mut text = Vec::new();
                for (before, reference) in &parts {
                    text.extend_from_slice(before);
                    let image = image().to_string();
                    text.extend_from_slice(if pinned { image.as_bytes() } else { reference.as_bytes() });
                }
                [text, tail.clone()].concat()
            };
            let once = replace(&join(false), &image()).unwrap();
            prop_assert_eq!(&once, &join(true));
            prop_assert_eq!(replace(&once, &image()).unwrap(), once);
        }
    }

    /// Punctuation after a reference is not a part of it.
    #[test]
    fn a_reference_ends_before_punctuation() {
        for after in [": next", "@ next", ". Next", ".", ")", ",x", "+x", ":"] {
            let text = format!("pull {REPOSITORY}{after}");
            let replaced = replace(text.as_bytes(), &image()).unwrap();
            assert_eq!(String::from_utf8(replaced).unwrap(), format!("pull {}{after}", image()));
        }
    }

    #[test]
    fn a_digest_that_is_none_is_refused() {
        let hex = "a".repeat(64);
        for digest in [
            format!("sha256:{}g", &hex[1..]),
            format!("sha256:{hex}a"),
            format!("sha512:{hex}"),
            hex,
        ] {
            let text = format!("docker run {REPOSITORY}@{digest}");
            let refused = replace(text.as_bytes(), &image()).unwrap_err().to_string();
            assert!(refused.contains("the text after `@` is not a digest"), "{refused}");
        }
    }

    /// A variable whose reference is complete may be used in any way, such as in a message.
    #[test]
    fn only_a_variable_without_tag_or_digest_may_not_be_extended() {
        let replaced = |text: String| replace(text.as_bytes(), &image()).is_ok();
        assert!(replaced(format!("IMAGE={REPOSITORY}:v1\necho \"$IMAGE: starting\"")));
        assert!(replaced(format!("IMAGE={REPOSITORY}\ndocker run $IMAGE")));
        assert!(replaced(format!("IMAGE={REPOSITORY}\necho $IMAGES:v1 $OTHER:v1")));
        assert!(replaced(format!("IMAGE={REPOSITORY}\ndocker run $IMAGE\ndocker run nginx:1")));
        assert!(replaced(format!("={REPOSITORY}\necho $:v1")));
        for name in ["IMAGE", "my_image2", "_"] {
            assert!(!replaced(format!("{name}={REPOSITORY}\ndocker run ${name}:v1")), "{name}");
            assert!(
                !replaced(format!("export {name}='{REPOSITORY}'\ndocker run ${{{name}}}@$DIGEST")),
                "{name}"
            );
        }
    }

    #[test]
    fn an_error_shows_the_line_with_the_reference() {
        let refused = |text: String| match replace(text.as_bytes(), &image()) {
            Err(PinError::UnparsableReference { line, text, .. }) => (line, text),
            other => panic!("{other:?}"),
        };
        let command = format!("docker run {REPOSITORY}:$TAG");
        assert_eq!(refused(command.clone()), (1, command.clone()));
        assert_eq!(refused(format!("#!/bin/sh\n\n  {command} \nexit\n")), (3, command.clone()));
        let (line, text) = refused(format!("\n{command}{}", "x".repeat(200)));
        assert_eq!((line, text.len()), (2, 160));
    }

    #[test]
    fn user_data_without_the_repository_is_described_by_its_size() {
        let refused = replace(b"#!/bin/sh\ndocker run nginx\n", &image()).unwrap_err();
        let repository = image().repository;
        assert_eq!(refused, PinError::NotMentioned { repository, bytes: 27, lines: 2 });
    }
}

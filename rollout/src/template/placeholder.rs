//! User data from a file: `{{ image }}` and its parts.

use crate::model::ImageReference;

use super::PinError;

/// Fills in the placeholders of `text`.
///
/// Only `{{ name }}` is a placeholder. Braces around anything else (`{{.State.Running}}` for
/// `docker inspect`, `{{ v1.region }}` for cloud-init's Jinja) are left unchanged.
pub(super) fn fill(path: &str, text: &str, image: &ImageReference) -> Result<String, PinError> {
    let mut filled = String::with_capacity(text.len() + 128);
    let mut rest = text;
    let mut names_digest = false;
    while let Some(start) = rest.find("{{") {
        let (before, braces) = rest.split_at(start);
        filled.push_str(before);
        let Some((name, after)) = placeholder(braces) else {
            filled.push_str("{{");
            rest = &braces[2..];
            continue;
        };
        match name {
            "image" => filled.push_str(&image.to_string()),
            "repository" => filled.push_str(&image.repository.to_string()),
            "digest" => filled.push_str(image.digest.as_str()),
            unknown => {
                let line = 1 + text[..text.len() - braces.len()].matches('\n').count();
                let (path, name) = (path.to_owned(), unknown.to_owned());
                return Err(PinError::UnknownPlaceholder { path, line, name });
            }
        }
        names_digest |= name != "repository";
        rest = after;
    }
    filled.push_str(rest);
    if names_digest { Ok(filled) } else { Err(PinError::NoPlaceholder { path: path.to_owned() }) }
}

/// Parses `{{ name }}` at the start of `braces`; returns the name and the text after it.
fn placeholder(braces: &str) -> Option<(&str, &str)> {
    let (inner, after) = braces.strip_prefix("{{")?.split_once("}}")?;
    let name = inner.trim_matches([' ', '\t']);
    let word = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic());
    word.then_some((name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> ImageReference {
        format!("ghcr.io/acme/web@sha256:{}", "a".repeat(64)).parse().unwrap()
    }

    #[test]
    fn fills_its_own_and_leaves_other_braces() {
        let text = "docker run {{ image }}\ndocker inspect -f '{{.State}}' {{repository}}@{{digest}} {{ v1.region }} {{";
        let filled = fill("user-data.sh", text, &image()).unwrap();
        let expected = format!(
            "docker run {0}\ndocker inspect -f '{{{{.State}}}}' {0} {{{{ v1.region }}}} {{{{",
            image()
        );
        assert_eq!(filled, expected);
    }

    #[test]
    fn refuses_unknown_names_and_files_without_the_digest() {
        let unknown = fill("deploy/user-data.sh", "a\n{{ image }}\n{{ tag }}", &image());
        assert!(unknown.unwrap_err().to_string().starts_with("deploy/user-data.sh:3: unknown"));
        let none = fill("user-data.sh", "docker run {{ repository }}:v1", &image());
        assert!(matches!(none, Err(PinError::NoPlaceholder { .. })));
    }

    #[test]
    fn only_a_word_in_braces_is_a_placeholder() {
        for other in
            ["{{}}", "{{ 1image }}", "{{ image-id }}", "{{ _image }}", "{{\nimage\n}}", "{ image }"]
        {
            let text = format!("{other} {{{{\timage }}}}");
            let filled = fill("user-data.sh", &text, &image()).unwrap();
            assert_eq!(filled, format!("{other} {}", image()));
        }
        let unknown = fill("user-data.sh", "{{ image_id2 }}", &image()).unwrap_err().to_string();
        assert!(
            unknown.starts_with("user-data.sh:1: unknown placeholder `{{ image_id2 }}`"),
            "{unknown}"
        );
    }

    /// The digest decides what is launched; where it stands does not matter.
    #[test]
    fn a_file_must_name_the_digest_once_at_least() {
        for text in [
            "{{ repository }}@{{ digest }}",
            "{{ digest }} {{ repository }}",
            "{{ image }} {{ repository }}",
        ] {
            assert!(fill("user-data.sh", text, &image()).is_ok(), "{text}");
        }
        for text in ["{{ repository }}", "{{ repository }} {{ repository }}", "docker run web"] {
            let refused = PinError::NoPlaceholder { path: "user-data.sh".to_owned() };
            assert_eq!(fill("user-data.sh", text, &image()), Err(refused), "{text}");
        }
    }
}

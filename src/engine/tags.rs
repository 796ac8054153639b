//! Tags to push besides the digest: their placeholders filled in, and none that a live template
//! launches by.

use super::session::Caller;
use crate::model::Repository;

/// Fills in `{commit}` and `{run}`; each tag comes once.
///
/// # Errors
/// A message for the person, where there is nothing to fill in.
pub fn expand(tags: &[String], caller: &Caller) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    for tag in tags {
        let tag = fill(tag, caller)?;
        if !all.contains(&tag) {
            all.push(tag);
        }
    }
    Ok(all)
}

fn fill(tag: &str, caller: &Caller) -> Result<String, String> {
    let run = caller.workflow.as_ref().map(|run| run.id.as_str());
    let known = [
        ("{commit}", caller.commit.as_deref(), "GITHUB_SHA"),
        ("{run}", run, "GITHUB_RUN_ID and GITHUB_RUN_NUMBER"),
    ];
    known.into_iter().try_fold(tag.to_owned(), |text, (placeholder, value, variables)| {
        match (text.contains(placeholder), value) {
            (false, _) => Ok(text),
            (true, Some(value)) => Ok(text.replace(placeholder, value)),
            (true, None) => Err(format!(
                "the tag `{tag}` needs {placeholder}, which only a workflow run has: set {variables}, \
                 or leave the tag out"
            )),
        }
    })
}

/// The first of `tags` that the live user data launches by. Pushing it would change what a
/// scale-out launches before the rollout has begun.
pub(super) fn live<'t>(
    tags: &'t [String],
    repository: &Repository,
    user_data: &[u8],
) -> Option<&'t String> {
    let text = String::from_utf8_lossy(user_data);
    tags.iter().find(|tag| {
        let name = format!("{repository}:{tag}");
        text.match_indices(&name).any(|(at, _)| {
            let after = text[at + name.len()..].chars().next();
            !after.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(commit: Option<&str>) -> Caller {
        Caller {
            holder: "me".to_owned(),
            workflow: None,
            commit: commit.map(str::to_owned),
            force: false,
            logins: crate::publish::Logins::default(),
        }
    }

    #[test]
    fn placeholders_are_filled_or_missed() {
        let tags = ["v-{commit}".to_owned(), "stable".to_owned(), "v-abc".to_owned()];
        assert_eq!(expand(&tags, &caller(Some("abc"))).unwrap(), ["v-abc", "stable"]);
        assert!(expand(&tags, &caller(None)).unwrap_err().contains("{commit}"));
    }

    #[test]
    fn a_tag_that_is_launched_by_is_found() {
        let repository: Repository = "registry.example/web".parse().unwrap();
        let tags = ["v1".to_owned(), "v2".to_owned()];
        assert_eq!(
            live(&tags, &repository, b"docker run registry.example/web:v2\n"),
            Some(&tags[1])
        );
        assert_eq!(live(&tags, &repository, b"docker run registry.example/web:v2.1\n"), None);
    }
}

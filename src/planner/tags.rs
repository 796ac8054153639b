//! Tags to push besides the digest: fills in their placeholders, and finds those by which the live template launches.

use super::session::Caller;
use cutover_rollout::model::Repository;

/// Fills in `{commit}` and `{run}`, and removes duplicates.
///
/// # Errors
/// Returns a message for the user if there is nothing to fill in.
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

/// Returns the first of `tags` by which the live user data launches. Pushing it would change what a scale-out launches,
/// before the rollout has begun.
pub(super) fn launched_tag<'t>(
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
    fn placeholders_are_filled_in_or_reported() {
        let tags = ["v-{commit}".to_owned(), "stable".to_owned(), "v-abc".to_owned()];
        assert_eq!(expand(&tags, &caller(Some("abc"))).unwrap(), ["v-abc", "stable"]);
        assert!(expand(&tags, &caller(None)).unwrap_err().contains("{commit}"));
    }

    #[test]
    fn a_tag_that_the_live_user_data_launches_is_found() {
        let repository: Repository = "registry.example/web".parse().unwrap();
        let tags = ["v1".to_owned(), "v2".to_owned()];
        assert_eq!(
            launched_tag(&tags, &repository, b"docker run registry.example/web:v2\n"),
            Some(&tags[1])
        );
        assert_eq!(
            launched_tag(&tags, &repository, b"docker run registry.example/web:v2.1\n"),
            None
        );
    }
}

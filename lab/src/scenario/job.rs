//! The workflow job that GitHub issues tokens to, as a scenario describes it.

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};

use crate::services::github::Subject;
use crate::services::github::state::State;

/// A job, and what GitHub knows about it. Its `sub` claim follows from that: it names the environment if
/// there is one, else the event if that is a pull request, else the ref (GitHub docs, "OpenID Connect
/// reference").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JobSpec {
    /// The environment that the job names, if any.
    #[serde(deserialize_with = "environment")]
    pub environment: Option<String>,
    /// The event that triggered the workflow.
    pub event: TriggerEvent,
    /// The full ref. If absent, `refs/heads/main`, or the merge ref of the pull request.
    #[serde(rename = "ref")]
    pub git_ref: Option<String>,
    /// The commit, which is also the head of the pull request.
    #[serde(deserialize_with = "commit")]
    pub commit: String,
    /// The ID of the workflow run.
    #[serde(deserialize_with = "number")]
    pub run_id: u64,
    /// The attempt of that run.
    #[serde(deserialize_with = "number")]
    pub run_attempt: u32,
    /// Whether the `sub` has the IDs of owner and repository besides their names.
    pub immutable_subject: bool,
    /// The ID of the repository's owner.
    #[serde(deserialize_with = "number")]
    pub owner_id: u64,
    /// The ID of the repository.
    #[serde(deserialize_with = "number")]
    pub repository_id: u64,
}

/// An event that triggers a workflow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerEvent {
    /// Commits were pushed.
    #[default]
    Push,
    /// A pull request was opened or updated.
    PullRequest,
    /// The workflow was started manually.
    WorkflowDispatch,
}

impl Default for JobSpec {
    fn default() -> JobSpec {
        let github = State::default();
        JobSpec {
            environment: None,
            event: TriggerEvent::Push,
            git_ref: None,
            commit: github.commit,
            run_id: github.run_id,
            run_attempt: github.run_attempt,
            immutable_subject: false,
            owner_id: github.owner_id,
            repository_id: github.repository_id,
        }
    }
}

impl TriggerEvent {
    fn name(self) -> &'static str {
        match self {
            TriggerEvent::Push => "push",
            TriggerEvent::PullRequest => "pull_request",
            TriggerEvent::WorkflowDispatch => "workflow_dispatch",
        }
    }
}

impl JobSpec {
    /// Checks that the ref is one that the event can have (GitHub docs, "Events that trigger
    /// workflows").
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        let Some(git_ref) = &self.git_ref else { return Ok(()) };
        let kinds: &[&str] = match self.event {
            TriggerEvent::PullRequest => &["refs/pull/"],
            TriggerEvent::Push | TriggerEvent::WorkflowDispatch => &["refs/heads/", "refs/tags/"],
        };
        match kinds.iter().any(|kind| git_ref.len() > kind.len() && git_ref.starts_with(kind)) {
            true => Ok(()),
            false => Err((
                format!(
                    "`job.ref` is `{git_ref}`, which the event `{}` cannot have",
                    self.event.name()
                ),
                format!("use a full ref below {}", kinds.join(" or ")),
            )),
        }
    }

    /// Makes this the current job of the repository on GitHub.
    pub(super) fn apply(&self, github: &mut State) {
        github.owner_id = self.owner_id;
        github.repository_id = self.repository_id;
        github.commit.clone_from(&self.commit);
        github.run_id = self.run_id;
        github.run_attempt = self.run_attempt;
        for pull in &mut github.pulls {
            pull.head.clone_from(&self.commit);
        }
        github.git_ref = match (&self.git_ref, self.event, github.pulls.first()) {
            (Some(git_ref), ..) => git_ref.clone(),
            (None, TriggerEvent::PullRequest, Some(pull)) => {
                format!("refs/pull/{}/merge", pull.number)
            }
            (None, ..) => "refs/heads/main".to_owned(),
        };
        let subject = match (&self.environment, self.event) {
            (Some(name), _) => Subject::Environment(name.clone()),
            (None, TriggerEvent::PullRequest) => Subject::PullRequest,
            (None, TriggerEvent::Push | TriggerEvent::WorkflowDispatch) => Subject::Ref,
        };
        github.set_subject(subject, self.immutable_subject);
        self.event.name().clone_into(&mut github.event);
    }
}

/// Deserializes an environment's name: up to 255 characters (GitHub docs, "Managing environments").
fn environment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let name = Option::<String>::deserialize(deserializer)?;
    match name {
        Some(name) if name.is_empty() || name.chars().count() > 255 => {
            Err(D::Error::invalid_value(
                Unexpected::Str(&name),
                &"an environment name of 1 to 255 characters",
            ))
        }
        name => Ok(name),
    }
}

/// Deserializes a full commit SHA.
fn commit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    match name.len() == 40 && name.bytes().all(is_digit) {
        true => Ok(name),
        false => Err(D::Error::invalid_value(
            Unexpected::Str(&name),
            &"a commit SHA of 40 hexadecimal digits, in quotes",
        )),
    }
}

/// Deserializes a number of at least 1.
fn number<'de, D, N>(deserializer: D) -> Result<N, D::Error>
where
    D: Deserializer<'de>,
    N: Deserialize<'de> + Default + PartialEq,
{
    let number = N::deserialize(deserializer)?;
    match number == N::default() {
        true => Err(D::Error::invalid_value(Unexpected::Unsigned(0), &"a number of at least 1")),
        false => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::super::Scenario;
    use crate::services::{github, iam};
    use crate::world::World;

    /// Returns the world of a scenario, and the claims of a token for its job.
    fn begun(yaml: &str) -> (World, Json) {
        let scenario = Scenario::parse(yaml, "my.yaml").unwrap();
        let start = "2026-01-05T09:00:00Z".parse().unwrap();
        let mut world = World::from_scenario(&scenario, 1, start).unwrap();
        let token = github::issue_token(&mut world, "sts.amazonaws.com");
        let claims = github::verify(&token, world.now).unwrap();
        (world, claims)
    }

    #[test]
    fn a_token_says_what_the_job_is() {
        let (_, claims) = begun("history_minutes: 0");
        assert_eq!(claims["sub"], "repo:acme/news:ref:refs/heads/main");
        assert_eq!((&claims["event_name"], &claims["environment"]), (&"push".into(), &Json::Null));
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let (world, claims) = begun(&format!(
            "github: acme/shop\nhistory_minutes: 0\njob:\n  environment: 'production:eu'\n  event: workflow_dispatch\n  \
             ref: refs/tags/v2\n  commit: {commit}\n  run_id: 77\n  run_attempt: 3\n  \
             immutable_subject: true\n  owner_id: 12\n  repository_id: 34\n"
        ));
        for (claim, value) in [
            ("sub", "repo:acme@12/shop@34:environment:production%3Aeu"),
            ("environment", "production:eu"),
            ("event_name", "workflow_dispatch"),
            ("ref", "refs/tags/v2"),
            ("ref_type", "tag"),
            ("sha", commit),
            ("run_id", "77"),
            ("run_attempt", "3"),
            ("repository_owner_id", "12"),
            ("repository_id", "34"),
        ] {
            assert_eq!(claims[claim], value, "{claim}");
        }
        assert_eq!(world.github.pulls[0].head, commit);
        let (_, claims) = begun("history_minutes: 0\njob: { event: pull_request }");
        assert_eq!(claims["sub"], "repo:acme/news:pull_request");
        assert_eq!(claims["ref"], "refs/pull/7/merge");
        assert_eq!(
            (&claims["head_ref"], &claims["base_ref"]),
            (&"front-page".into(), &"main".into())
        );
    }

    #[test]
    fn the_role_trusts_names_by_default() {
        let trust = |yaml: &str| begun(yaml).0.iam.roles["deploy-news"].trust.clone();
        let named = trust("history_minutes: 0\njob: { immutable_subject: true }");
        assert_eq!(named, iam::github_trust("123456789012", "repo:acme/news:*"));
        let given = trust("history_minutes: 0\ndeploy_trust: \"repo:acme@9919/news@1296269:*\"");
        assert_eq!(given, iam::github_trust("123456789012", "repo:acme@9919/news@1296269:*"));
    }

    #[test]
    fn an_invalid_job_is_an_error_with_a_location() {
        let error = |yaml: &str| Scenario::parse(yaml, "my.yaml").unwrap_err().to_string();
        for (yaml, place, why) in [
            ("job:\n  environmet: x\n", "my.yaml:2:3", "unknown key `environmet`"),
            (
                "job:\n  event: pushed\n",
                "my.yaml:2:",
                "`push`, `pull_request`, `workflow_dispatch`",
            ),
            ("job:\n  commit: main\n", "my.yaml:2:", "40 hexadecimal digits"),
            ("job:\n  run_id: 0\n", "my.yaml:2:", "expected a number of at least 1"),
            ("job:\n  run_attempt: -1\n", "my.yaml:2:", ""),
            ("job:\n  environment: \"\"\n", "my.yaml:2:", "of 1 to 255 characters"),
            ("job:\n  immutable_subject: maybe\n", "my.yaml:2:", ""),
            ("job:\n  ref: main\n", "my.yaml: `job.ref`", "refs/heads/ or refs/tags/"),
            ("job: { ref: refs/heads/x, event: pull_request }", "my.yaml: `job.ref`", "refs/pull/"),
        ] {
            let error = error(yaml);
            assert!(error.starts_with(place) && error.contains(why), "{yaml}: {error}");
        }
    }
}

//! The trust policy: which tokens may assume the deploy role.

use super::{Condition, Policy, Statement};

/// The issuer of GitHub's tokens, without scheme, as in the name of the IAM provider.
pub const GITHUB: &str = "token.actions.githubusercontent.com";

/// The audience of the tokens that cutover requests.
pub const AUDIENCE: &str = "sts.amazonaws.com";

/// The jobs that may assume a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The ARN of the account's OIDC provider; see [`Trust::provider`].
    pub provider: String,
    /// The repository.
    pub repository: Repository,
    /// Which of its jobs may assume the role.
    pub job: Job,
}

/// A GitHub repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The organization or user.
    pub owner: String,
    /// Its name.
    pub name: String,
    /// The owner's id, if known.
    pub owner_id: Option<u64>,
    /// The repository's id, if known.
    pub id: Option<u64>,
}

/// Jobs of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Jobs with this environment.
    Environment(String),
    /// Jobs that run on this ref, `refs/heads/main`.
    Ref(String),
}

impl Trust {
    /// Returns the ARN of GitHub's OIDC provider in an account.
    pub fn provider(partition: &str, account: &str) -> String {
        format!("arn:{partition}:iam::{account}:oidc-provider/{GITHUB}")
    }
}

impl Repository {
    /// Parses `owner/name`.
    pub fn parse(text: &str) -> Option<Repository> {
        let (owner, name) = text.split_once('/')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_word = |word: &str| !word.is_empty() && word.chars().all(plain);
        (is_word(owner) && is_word(name)).then(|| Repository {
            owner: owner.to_owned(),
            name: name.to_owned(),
            owner_id: None,
            id: None,
        })
    }

    /// Returns every `sub` that a job's token may have. For repositories that were created, renamed or
    /// transferred after 2026-07-15 it contains ids, and others may opt in (GitHub's documentation, "OpenID
    /// Connect reference"). It is not known which form a repository uses, so both are included if the ids are
    /// known.
    pub fn subjects(&self, job: &Job) -> Vec<String> {
        let Repository { owner, name, .. } = self;
        // A colon in a value is escaped, because colons separate the parts of the claim.
        let context = match job {
            Job::Environment(name) => format!("environment:{}", name.replace(':', "%3A")),
            Job::Ref(name) => format!("ref:{name}"),
        };
        let mut subjects = vec![format!("repo:{owner}/{name}:{context}")];
        if let (Some(owner_id), Some(id)) = (self.owner_id, self.id) {
            subjects.push(format!("repo:{owner}@{owner_id}/{name}@{id}:{context}"));
        }
        subjects
    }
}

/// Makes the trust policy, with exact matches only. `repository_id` is one of the claims that STS validates for
/// GitHub since January 2026 (IAM user guide, "Available keys for AWS OIDC federation"); with it, another
/// repository that takes over the name is not trusted.
pub fn trust(trust: &Trust) -> Policy {
    let equals = |claim: &str, values: Vec<String>| Condition {
        operator: "StringEquals",
        key: format!("{GITHUB}:{claim}"),
        values,
    };
    let mut conditions = vec![
        equals("aud", vec![AUDIENCE.to_owned()]),
        equals("sub", trust.repository.subjects(&trust.job)),
    ];
    if let Some(id) = trust.repository.id {
        conditions.push(equals("repository_id", vec![id.to_string()]));
    }
    Policy {
        statements: vec![Statement {
            sid: "GitHubActions".to_owned(),
            federated: Some(trust.provider.clone()),
            actions: vec!["sts:AssumeRoleWithWebIdentity".to_owned()],
            resources: Vec::new(),
            conditions,
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(owner_id: Option<u64>, id: Option<u64>, job: Job) -> Trust {
        let repository = Repository { owner_id, id, ..Repository::parse("acme/web").unwrap() };
        Trust { provider: Trust::provider("aws", "123456789012"), repository, job }
    }

    #[test]
    fn both_forms_of_the_subject_are_trusted_where_ids_are_known() {
        let policy = trust(&of(Some(1), Some(2), Job::Environment("production".to_owned())));
        insta::assert_snapshot!(policy.pretty());
    }

    #[test]
    fn without_ids_only_the_name_is_trusted() {
        let policy = trust(&of(None, None, Job::Ref("refs/heads/main".to_owned()))).compact();
        assert!(policy.contains(r#":sub":"repo:acme/web:ref:refs/heads/main"}"#), "{policy}");
        assert!(!policy.contains("repository_id"), "{policy}");
    }

    #[test]
    fn an_environments_colon_is_escaped() {
        let repository = Repository::parse("acme/web").unwrap();
        let subjects = repository.subjects(&Job::Environment("eu:prod".to_owned()));
        assert_eq!(subjects, ["repo:acme/web:environment:eu%3Aprod"]);
    }

    #[test]
    fn invalid_repositories_are_refused() {
        for text in ["acme", "acme/", "/web", "acme/web/x", "acme/w*b", ""] {
            assert_eq!(Repository::parse(text), None, "{text}");
        }
    }
}

//! The trust policy: whose tokens may become the deploy role.

use super::{Condition, Policy, Statement};

/// GitHub's issuer of tokens, as IAM names the provider: without its scheme.
pub const GITHUB: &str = "token.actions.githubusercontent.com";

/// The audience that cutover asks tokens for.
pub const AUDIENCE: &str = "sts.amazonaws.com";

/// Whom a role trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The ARN of the account's OIDC provider; see [`Trust::provider`].
    pub provider: String,
    /// The repository.
    pub repository: Repository,
    /// Which of its jobs.
    pub job: Job,
}

/// A repository on GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The organization or person.
    pub owner: String,
    /// Its name.
    pub name: String,
    /// The owner's id, if known.
    pub owner_id: Option<u64>,
    /// The repository's id, if known.
    pub id: Option<u64>,
}

/// Which jobs of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Those of an environment.
    Environment(String),
    /// Those that run on a ref, `refs/heads/main`.
    Ref(String),
}

impl Trust {
    /// The ARN of the provider for GitHub in an account.
    pub fn provider(partition: &str, account: &str) -> String {
        format!("arn:{partition}:iam::{account}:oidc-provider/{GITHUB}")
    }
}

impl Repository {
    /// The repository `owner/name`, if it is one.
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

    /// Every `sub` that a job's token may have. Repositories that were created, renamed or transferred after 2026-07-15 carry
    /// ids in it, and others may opt in (GitHub's documentation, "OpenID Connect reference"). Ids alone do not tell which form
    /// a repository uses, so that both are there where they are known.
    pub fn subjects(&self, job: &Job) -> Vec<String> {
        let Repository { owner, name, .. } = self;
        // A colon in a value is escaped, since colons divide the claim.
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

/// The trust policy. Everything is compared whole. `repository_id` is one of the claims that STS validates for GitHub since
/// January 2026 (IAM user guide, "Available keys for AWS OIDC federation"); with it, a repository that takes over the name is
/// not trusted.
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
    fn what_is_no_repository_is_not_taken_for_one() {
        for text in ["acme", "acme/", "/web", "acme/web/x", "acme/w*b", ""] {
            assert_eq!(Repository::parse(text), None, "{text}");
        }
    }
}

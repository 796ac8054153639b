//! The subject claim of a job's token (GitHub docs, "OpenID Connect reference").

use super::state::State;

/// The context in the subject of a job's token. The first that applies to a job is used: an environment, a
/// pull request, a branch or tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The job has an environment.
    Environment(String),
    /// The workflow was triggered by a pull request.
    PullRequest,
    /// The branch or tag of [`State::git_ref`].
    Ref,
}

impl State {
    /// Makes the current job run for `subject`. With `immutable` the subject contains the ids of owner and
    /// repository, as for repositories created, renamed or transferred after 2026-07-15.
    pub fn set_subject(&mut self, subject: Subject, immutable: bool) {
        let repository = match (immutable, self.repository.split_once('/')) {
            (true, Some((owner, name))) => {
                format!("{owner}@{}/{name}@{}", self.owner_id, self.repository_id)
            }
            _ => self.repository.clone(),
        };
        let context = match &subject {
            // Colons in names are escaped, since they separate the parts (GitHub docs, on environments).
            Subject::Environment(name) => format!("environment:{}", name.replace(':', "%3A")),
            Subject::PullRequest => "pull_request".to_owned(),
            Subject::Ref => format!("ref:{}", self.git_ref),
        };
        self.subject = format!("repo:{repository}:{context}");
        self.event = match subject {
            Subject::PullRequest => "pull_request",
            Subject::Environment(_) | Subject::Ref => "push",
        }
        .to_owned();
        self.environment = match subject {
            Subject::Environment(name) => Some(name),
            Subject::PullRequest | Subject::Ref => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_by_name_and_by_number() {
        let mut job = State::default();
        for (subject, immutable, expected) in [
            (Subject::Ref, false, "repo:acme/news:ref:refs/heads/main"),
            (Subject::PullRequest, false, "repo:acme/news:pull_request"),
            (Subject::Environment("a:b".to_owned()), false, "repo:acme/news:environment:a%3Ab"),
            (Subject::Ref, true, "repo:acme@9919/news@1296269:ref:refs/heads/main"),
        ] {
            job.set_subject(subject, immutable);
            assert_eq!(job.subject, expected);
        }
    }
}

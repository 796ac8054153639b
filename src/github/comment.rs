//! Keeps one comment per service on the pull request of a workflow run up to date.

use serde::Deserialize;
use serde_json::json;

use super::{GitHub, GitHubError};

/// The permission that writing comments needs.
const PERMISSION: &str = "pull-requests: write";

/// How many pages of comments are searched for an earlier one.
const PAGES: usize = 10;

#[derive(Debug, Deserialize)]
struct PullRequest {
    number: u64,
}

#[derive(Debug, Deserialize)]
struct Comment {
    id: u64,
    body: Option<String>,
    user: Option<User>,
    author_association: Option<String>,
}

#[derive(Debug, Deserialize)]
struct User {
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl Comment {
    /// Returns true if the comment begins with the mark and its author is a bot or belongs to the repository.
    /// In a public repository anyone may write a comment with the mark.
    fn is_ours(&self, mark: &str) -> bool {
        let is_bot = self.user.as_ref().and_then(|user| user.kind.as_deref()) == Some("Bot");
        let trusted = ["OWNER", "MEMBER", "COLLABORATOR"];
        let association = self.author_association.as_deref().unwrap_or_default();
        self.body.as_deref().is_some_and(|body| body.starts_with(mark))
            && (is_bot || trusted.contains(&association))
    }
}

impl GitHub {
    /// Writes `text` to the pull request of the workflow run, replacing an earlier comment about the same
    /// service. Returns false if the commit does not belong to a pull request.
    ///
    /// # Errors
    /// If a request fails.
    pub async fn comment(&self, text: &str) -> Result<bool, GitHubError> {
        let Some(number) = self.pull_request().await? else { return Ok(false) };
        let mark = format!("<!-- cutover: {} -->", self.job.service.replace("--", "-"));
        let body = json!({ "body": format!("{mark}\n{text}") });
        let comments = format!("/issues/{number}/comments");
        let path = match self.earlier(&comments, &mark).await? {
            Some(id) => format!("/issues/comments/{id}"),
            None => {
                self.post_once::<serde_json::Value>(&comments, &body, PERMISSION).await?;
                return Ok(true);
            }
        };
        self.patch::<serde_json::Value>(&path, &body, PERMISSION).await.map(|_| true)
    }

    async fn pull_request(&self) -> Result<Option<u64>, GitHubError> {
        if let Some(number) = self.job.pull_request {
            return Ok(Some(number));
        }
        let path = format!("/commits/{}/pulls", self.job.commit);
        let found: Vec<PullRequest> = self.get(&path, &[], PERMISSION).await?;
        Ok(found.first().map(|pull| pull.number))
    }

    /// Finds the earlier comment with this mark.
    async fn earlier(&self, path: &str, mark: &str) -> Result<Option<u64>, GitHubError> {
        for page in 1..=PAGES {
            let page = page.to_string();
            let query = [("per_page", "100"), ("page", page.as_str())];
            let comments: Vec<Comment> = self.get(path, &query, PERMISSION).await?;
            if let Some(comment) = comments.iter().find(|comment| comment.is_ours(mark)) {
                return Ok(Some(comment.id));
            }
            if comments.len() < 100 {
                break;
            }
        }
        Ok(None)
    }
}

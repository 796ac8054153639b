//! One comment a service on the pull request of a run, kept up to date.

use serde::Deserialize;
use serde_json::json;

use super::{GitHub, GitHubError};

/// What writing comments takes.
const PERMISSION: &str = "pull-requests: write";

/// How many pages of comments are read to find the earlier one.
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
    /// Whether it begins with the mark, and was written by a bot or somebody of the repository: on a public
    /// one, anybody may write a comment that begins so, and change it later.
    fn is_ours(&self, mark: &str) -> bool {
        let is_bot = self.user.as_ref().and_then(|user| user.kind.as_deref()) == Some("Bot");
        let trusted = ["OWNER", "MEMBER", "COLLABORATOR"];
        let association = self.author_association.as_deref().unwrap_or_default();
        self.body.as_deref().is_some_and(|body| body.starts_with(mark))
            && (is_bot || trusted.contains(&association))
    }
}

impl GitHub {
    /// Writes `text` to the pull request of the run, in the place of an earlier comment about the same
    /// service. False where the commit belongs to no pull request.
    ///
    /// # Errors
    /// Where GitHub does not do it.
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

    /// The earlier comment with this mark.
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

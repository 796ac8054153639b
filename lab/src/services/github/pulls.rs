//! The pull requests associated with a deployment's commit (REST API, "Commits").

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value as Json, json};

use super::caller::Caller;
use super::deployments::resolve;
use super::paging::page;
use super::pull_request::{BASE, PullRequest, PullState};
use super::repository;
use super::response::{ApiResponse, ErrorResponse, not_found, time, user};
use super::state::State;
use super::tokens::Level;
use crate::world::World;

/// Returns the pull request with this number, or a 404.
pub(super) fn find<'s>(github: &'s State, number: &str) -> Result<&'s PullRequest, ErrorResponse> {
    let number = number.parse::<u64>().ok();
    github.pulls.iter().find(|pull| Some(pull.number) == number).ok_or_else(not_found)
}

impl State {
    /// Returns the pull request that the current job runs for, by the ref of such a job: `refs/pull/7/merge`
    /// (GitHub docs, "Events that trigger workflows").
    pub(super) fn pull_of_job(&self) -> Option<&PullRequest> {
        let number = self.git_ref.strip_prefix("refs/pull/")?.strip_suffix("/merge")?;
        find(self, number).ok()
    }
}

/// Answers `GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls`: the merged and open pull requests of a
/// commit, or of a branch named in its place. GitHub omits the open ones of a commit on the default branch
/// (REST API, "List pull requests associated with a commit"); the lab has no history to check that. Requires
/// `pull-requests: read` (GitHub docs, "Permissions required for GitHub Apps"). That an unknown commit has an
/// empty list, and is not refused, is a guess.
pub(super) fn of_commit(
    world: &World,
    request: &Request<Bytes>,
    caller: Caller<'_>,
    name: &str,
) -> ApiResponse {
    if *request.method() != Method::GET {
        return Err(not_found());
    }
    let github = &world.github;
    caller.needs(|token| token.pull_requests, Level::Read, !github.private)?;
    let commit = resolve(github, name).unwrap_or_else(|| name.to_owned());
    let found = github.pulls.iter().filter(|pull| pull.state != PullState::Closed);
    let found = found.filter(|pull| pull.concerns(&commit) || pull.branch == name);
    let all: Vec<Json> = found.map(|pull| described(world, pull)).collect();
    Ok(page(request, &all))
}

/// Formats the schema "Pull Request Simple" of the REST API. The lab doesn't know when a pull request was
/// opened or closed, and uses the start of the world.
fn described(world: &World, pull: &PullRequest) -> Json {
    let github = &world.github;
    let (api, page, number) = (repository::url(github), repository::page_url(github), pull.number);
    let (url, issue) = (format!("{api}/pulls/{number}"), format!("{api}/issues/{number}"));
    let (html, began) = (format!("{page}/pull/{number}"), time(world.began));
    let review_comment = format!("{api}/pulls/comments{{/number}}");
    let statuses = format!("{api}/statuses/{}", pull.head);
    let (merge_commit, closed) = match &pull.state {
        PullState::Open => (Json::Null, false),
        PullState::Closed => (Json::Null, true),
        PullState::Merged(commit) => (commit.as_str().into(), true),
    };
    let side = |branch: &str, sha: &str| {
        json!({
            "label": format!("{}:{branch}", github.owner()),
            "ref": branch,
            "sha": sha,
            "user": user(github.owner()),
            "repo": repository::described(github),
        })
    };
    let link = |href: &str| json!({ "href": href });
    json!({
        "url": url,
        // Unlike the number, it is unique across GitHub.
        "id": 1_000_000_000 + number,
        "node_id": format!("PR_{number}"),
        "html_url": html,
        "diff_url": format!("{html}.diff"),
        "patch_url": format!("{html}.patch"),
        "issue_url": issue,
        "commits_url": format!("{url}/commits"),
        "review_comments_url": format!("{url}/comments"),
        "review_comment_url": review_comment,
        "comments_url": format!("{issue}/comments"),
        "statuses_url": statuses,
        "number": number,
        "state": if closed { "closed" } else { "open" },
        "locked": false,
        "title": pull.title,
        "user": user(&pull.author),
        "body": null,
        "labels": [],
        "milestone": null,
        "active_lock_reason": null,
        "created_at": began,
        "updated_at": began,
        "closed_at": closed.then_some(&began),
        "merged_at": (!merge_commit.is_null()).then_some(&began),
        "merge_commit_sha": merge_commit,
        "assignee": null,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "head": side(&pull.branch, &pull.head),
        "base": side(repository::DEFAULT_BRANCH, BASE),
        "_links": {
            "self": link(&url),
            "html": link(&html),
            "issue": link(&issue),
            "comments": link(&format!("{issue}/comments")),
            "review_comments": link(&format!("{url}/comments")),
            "review_comment": link(&review_comment),
            "commits": link(&format!("{url}/commits")),
            "statuses": link(&statuses),
        },
        "author_association": "MEMBER",
        "auto_merge": null,
        "draft": false,
    })
}

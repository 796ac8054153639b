//! The GitHub repository: from an option, from the workflow's job, or from git's remote `origin`.

use std::path::Path;
use std::process::Command;

use crate::iam::Repository;

/// The options that describe the repository.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct RepositoryArgs {
    /// The GitHub repository whose workflows deploy [default: the workflow's own, or git's remote `origin`].
    #[arg(long, value_name = "OWNER/NAME")]
    pub(super) repository: Option<String>,
    /// The repository's ID: `gh api repos/OWNER/NAME --jq .id`.
    #[arg(long, value_name = "ID")]
    pub(super) repository_id: Option<u64>,
    /// The ID of the repository's owner: `gh api repos/OWNER/NAME --jq .owner.id`.
    #[arg(long, value_name = "ID")]
    pub(super) owner_id: Option<u64>,
}

/// GitHub's hosts in the URLs of remotes; the second one accepts SSH on port 443 (GitHub's documentation).
const HOSTS: [&str; 2] = ["github.com", "ssh.github.com"];

/// Returns the repository with the IDs that are known. git runs in `folder`.
///
/// # Errors
/// A message for the user, if the repository is not known.
pub(super) fn repository(
    arguments: &RepositoryArgs,
    variable: &dyn Fn(&str) -> Option<String>,
    folder: &Path,
) -> Result<Repository, String> {
    let job = variable("GITHUB_REPOSITORY");
    let found = match (&arguments.repository, &job) {
        (Some(named), _) => Repository::parse(named).ok_or_else(|| {
            format!("--repository: `{named}` is not OWNER/NAME, as in `acme/web`")
        })?,
        (None, Some(job)) => Repository::parse(job)
            .ok_or_else(|| format!("GITHUB_REPOSITORY: `{job}` is not OWNER/NAME"))?,
        (None, None) => from_git(folder)?,
    };
    let is_the_jobs = job.is_some_and(|job| job == format!("{}/{}", found.owner, found.name));
    let id_of_job = |name: &str| variable(name).filter(|_| is_the_jobs)?.parse().ok();
    Ok(Repository {
        owner_id: arguments.owner_id.or_else(|| id_of_job("GITHUB_REPOSITORY_OWNER_ID")),
        id: arguments.repository_id.or_else(|| id_of_job("GITHUB_REPOSITORY_ID")),
        ..found
    })
}

/// Checks the name of an environment, which is used in a workflow and in a trust policy.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_environment(name: &str) -> Result<(), String> {
    if name.trim().is_empty() || name.chars().any(char::is_control) || name.contains("${{") {
        return Err(format!(
            "--environment: `{}` is not a valid environment name",
            name.escape_debug()
        ));
    }
    Ok(())
}

/// Checks a branch or a full ref. A trust policy compares it literally, so a pattern would match nothing.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_ref(name: &str) -> Result<(), String> {
    let foreign = |c: char| c.is_control() || c.is_whitespace() || "*?[~^:\\".contains(c);
    if name.is_empty() || name.contains(foreign) {
        return Err(format!(
            "--ref: `{}` is not a single branch or ref; use, for example, `main` or `refs/tags/v1`",
            name.escape_debug()
        ));
    }
    Ok(())
}

fn from_git(folder: &Path) -> Result<Repository, String> {
    const REMEDY: &str = "name the repository with `--repository OWNER/NAME`";
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let asked =
        Command::new("git").arg("-C").arg(folder).args(["remote", "get-url", "origin"]).output();
    let url = match asked {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => return Err(format!("git has no remote `origin` here: {REMEDY}")),
    };
    parse_remote_url(&url).ok_or_else(|| {
        format!(
            "git's remote `origin` is {}, which is not a repository on github.com: {REMEDY}",
            without_credentials(&url)
        )
    })
}

/// Returns the repository in a remote's URL: `https://github.com/acme/web.git`, `ssh://git@github.com/acme/web`,
/// `git@github.com:acme/web.git`.
fn parse_remote_url(url: &str) -> Option<Repository> {
    let (host, path) = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?,
        None => url.split_once(':')?,
    };
    let host = host.rsplit('@').next().unwrap_or(host);
    let host = host.split(':').next().unwrap_or(host);
    if !HOSTS.iter().any(|known| known.eq_ignore_ascii_case(host)) {
        return None;
    }
    let path = path.trim_matches('/');
    Repository::parse(path.strip_suffix(".git").unwrap_or(path))
}

/// Returns a URL without the credentials that it may contain.
fn without_credentials(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_remote_url_is_parsed() {
        for url in [
            "https://github.com/acme/web.git",
            "https://github.com/acme/web",
            "https://x-access-token:t0ken@github.com/acme/web.git",
            "git@github.com:acme/web.git",
            "ssh://git@github.com/acme/web.git",
            "ssh://git@ssh.github.com:443/acme/web.git",
            "git://GitHub.com/acme/web/",
        ] {
            assert_eq!(parse_remote_url(url), Repository::parse("acme/web"), "{url}");
        }
        for url in
            ["https://gitlab.com/acme/web", "/srv/git/web.git", "git@github.com.evil:acme/web"]
        {
            assert_eq!(parse_remote_url(url), None, "{url}");
        }
        let secret = "https://bob:t0ken@gitlab.com/acme/web";
        assert_eq!(without_credentials(secret), "https://gitlab.com/acme/web");
    }

    #[test]
    fn an_option_overrides_the_ids_of_the_job() {
        let job = |name: &str| match name {
            "GITHUB_REPOSITORY" => Some("acme/web".to_owned()),
            "GITHUB_REPOSITORY_ID" => Some("2".to_owned()),
            "GITHUB_REPOSITORY_OWNER_ID" => Some("1".to_owned()),
            _ => None,
        };
        let found =
            |arguments: &RepositoryArgs| repository(arguments, &job, Path::new("")).unwrap();
        let own = found(&RepositoryArgs::default());
        assert_eq!((own.owner_id, own.id), (Some(1), Some(2)));
        let other =
            RepositoryArgs { repository: Some("acme/api".to_owned()), ..RepositoryArgs::default() };
        assert_eq!((found(&other).name.as_str(), found(&other).id), ("api", None), "another's ids");
        let known = RepositoryArgs { repository_id: Some(7), ..other };
        assert_eq!(found(&known).id, Some(7));
    }

    #[test]
    fn a_missing_remote_is_an_error_that_names_the_option() {
        let folder = tempfile::tempdir().unwrap();
        let error = repository(&RepositoryArgs::default(), &|_| None, folder.path()).unwrap_err();
        assert!(error.contains("--repository OWNER/NAME"), "{error}");
    }
}

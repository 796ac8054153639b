//! What the environment knows about who we are to registries.

use std::fmt;
use std::path::PathBuf;

use crate::registry::{Credentials, login};

/// A user for GHCR where the environment names none: it takes any, since the token tells (GitHub's
/// docs, "Working with the Container registry").
const ANY_USER: &str = "x-access-token";

/// Who we are to registries, by the environment: read once, where the command line is. The default is
/// nobody.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Logins {
    github: Option<Credentials>,
    files: Vec<PathBuf>,
}

impl Logins {
    /// What `variable` tells: `GITHUB_TOKEN` and `GITHUB_ACTOR` for GHCR, and where `docker login` and
    /// `podman login` have left theirs.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Logins {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let github = set("GITHUB_TOKEN").map(|password| Credentials::Basic {
            user: set("GITHUB_ACTOR").unwrap_or_else(|| ANY_USER.to_owned()),
            password,
        });
        Logins { github, files: login::files(set) }
    }

    /// GitHub's token.
    pub(super) fn github(&self) -> Option<&Credentials> {
        self.github.as_ref()
    }

    /// The files in which a login may stand.
    pub(super) fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Logins { github, files } = self;
        f.debug_struct("Logins").field("github", &github.is_some()).field("files", files).finish()
    }
}

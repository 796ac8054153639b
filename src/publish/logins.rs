//! Logins to registries, by the environment.

use std::fmt;
use std::path::PathBuf;

use cutover_oci::registry::{Credentials, login};

/// The user for GHCR if the environment names none: GHCR accepts any, since the token identifies the user
/// (GitHub's docs, "Working with the Container registry").
const ANY_USER: &str = "x-access-token";

/// Logins to registries, by the environment, which is read once by the command line. The default is none.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Logins {
    github: Option<Credentials>,
    files: Vec<PathBuf>,
}

impl Logins {
    /// Reads `GITHUB_TOKEN` and `GITHUB_ACTOR` for GHCR, and where `docker login` and `podman login` store
    /// logins.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Logins {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let github = set("GITHUB_TOKEN").map(|password| Credentials::Basic {
            user: set("GITHUB_ACTOR").unwrap_or_else(|| ANY_USER.to_owned()),
            password,
        });
        Logins { github, files: login::files(set) }
    }

    /// Returns GitHub's token.
    pub(super) fn github(&self) -> Option<&Credentials> {
        self.github.as_ref()
    }

    /// Returns the files that may hold logins.
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

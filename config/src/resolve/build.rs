//! `image.build`: paths, secrets and agents.

use std::path::PathBuf;

use super::checker::Checker;
use crate::at::Located;
use crate::build::{Build, BuildSection, SecretSection, SecretSource};

/// Checks the section and fills in its defaults.
pub(super) fn resolve(section: &BuildSection, check: &mut Checker<'_>) -> Build {
    let text = |at: &Option<Located<String>>| at.as_ref().map(|at| at.value.clone());
    for (at, what) in [
        (&section.context, "a directory path"),
        (&section.dockerfile, "a file path"),
        (&section.target, "a stage name"),
    ] {
        if let Some(at) = at {
            check.filled(at, what);
        }
    }
    for image in &section.cache_from {
        check.filled(image, "an image name");
    }
    let secrets = section.secrets.iter().flatten();
    Build {
        context: text(&section.context).unwrap_or_else(|| ".".to_owned()).into(),
        dockerfile: text(&section.dockerfile).unwrap_or_else(|| "Dockerfile".to_owned()).into(),
        target: text(&section.target),
        args: section.args.clone().unwrap_or_default(),
        secrets: secrets.map(|(id, from)| (id.clone(), secret(id, from, check))).collect(),
        ssh: section.ssh.iter().flatten().map(|at| agent(at, check)).collect(),
        cache_from: section.cache_from.iter().map(|at| at.value.clone()).collect(),
        inline_cache: section.inline_cache.unwrap_or_default(),
        pull: section.pull.unwrap_or_default(),
        ..Build::default()
    }
}

fn secret(id: &str, from: &Located<SecretSection>, check: &mut Checker<'_>) -> SecretSource {
    let (text, source) = match &from.value {
        SecretSection::Env(name) => (name, SecretSource::Env(name.clone())),
        SecretSection::File(path) => (path, SecretSource::File(path.into())),
    };
    if text.is_empty() {
        check.at(
            from.place,
            format!("the secret `{id}` has no source"),
            "write `{ env: NAME }` or `{ file: path }`, never the secret itself",
        );
    }
    source
}

/// Parses `id` or `id=socket`.
fn agent(at: &Located<String>, check: &mut Checker<'_>) -> (String, Option<PathBuf>) {
    let (id, socket) = match at.value.split_once('=') {
        Some((id, socket)) => (id, Some(socket)),
        None => (at.value.as_str(), None),
    };
    if id.is_empty() || socket == Some("") {
        check.at(
            at.place,
            format!("`{}` does not name an SSH agent", at.value),
            "write `default` for the agent at SSH_AUTH_SOCK, or `id=/path/to/socket`",
        );
    }
    (id.to_owned(), socket.map(PathBuf::from))
}

//! Explains why a build failed: the step, its last lines, and the Dockerfile's.

use bollard::errors::Error;
use regex::Regex;

use super::context::Context;
use super::dockerfile::{excerpt, line_named, lines_of};
use super::session::MissingProvider;
use super::steps::Steps;
use super::{BuildError, BuildFailure, EngineError};

/// Returns why the engine ended the build.
pub(super) fn explain(
    error: Error,
    steps: &Steps,
    context: &Context,
    missed: &[MissingProvider],
) -> BuildError {
    let said = match error {
        Error::DockerStreamError { error } => error,
        Error::DockerResponseServerError { message, .. } => message,
        source => {
            let attempted = "follow the build to its end".to_owned();
            return EngineError::Answer { attempted, source }.into();
        }
    };
    let said = plain(&said);
    let failed = steps.failed();
    let mut failure = BuildFailure { cause: said.clone(), ..BuildFailure::default() };
    let mut lines = line_named(&said);
    if let Some(step) = failed {
        lines = lines.or_else(|| lines_of(&context.text, &step.name));
        if !step.cause.is_empty() {
            failure.cause = plain(&step.cause);
        }
        (failure.step, failure.log) = (Some(step.name), step.log);
    }
    if let Some(lines) = lines {
        failure.excerpt = excerpt(&context.text, &context.dockerfile, lines);
    }
    for what in missed {
        failure.hints.push(match what {
            MissingProvider::Secret(id) => {
                format!("The build requested the secret `{id}`, which `image.build.secrets` does not contain")
            }
            MissingProvider::Agent(id) => {
                format!("The build requested the SSH agent `{id}`, which `image.build.ssh` does not contain")
            }
        });
    }
    if let Some(path) = not_found(&failure.cause).or_else(|| not_found(&said))
        && let Some(file) = context.excluded_by(&path)
    {
        failure.hints.push(format!("`{path}` exists, but {} excludes it", file.display()));
    }
    BuildError::Failed(Box::new(failure))
}

/// Removes the prefixes of components that relayed the message, and words it as newer engines do.
fn plain(said: &str) -> String {
    let hands = r"^(?:failed to solve(?: with frontend [\w.]+)?: |rpc error: code = \w+ desc = |failed to create LLB definition: )+";
    let walk =
        r"(?:failed to walk \S+: )?lstat \S*/buildkit-mount\d+([^:]+): no such file or directory";
    let mut said = said.trim().to_owned();
    for (pattern, plainer) in [(hands, ""), (walk, "\"$1\" not found")] {
        if let Ok(pattern) = Regex::new(pattern) {
            said = pattern.replace(&said, plainer).into_owned();
        }
    }
    said
}

/// Returns the path that a `COPY` did not find.
fn not_found(said: &str) -> Option<String> {
    // The second is Podman's wording.
    [r#""([^"]+)"?:? not found"#, r#"stat: "([^"]+)": no such file"#].iter().find_map(|pattern| {
        let found = Regex::new(pattern).ok()?.captures(said)?;
        Some(found[1].to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_lose_the_prefixes_of_relaying_components() {
        assert_eq!(
            plain(
                "failed to solve with frontend dockerfile.v0: failed to create LLB definition: \
                 dockerfile parse error line 2: unknown instruction: RUNN"
            ),
            "dockerfile parse error line 2: unknown instruction: RUNN"
        );
        let said = plain("failed to solve: rpc error: code = Unknown desc = exit code: 1");
        assert_eq!(said, "exit code: 1");
        let said = plain(
            "failed to walk /var/lib/docker/tmp/buildkit-mount16/dist: lstat \
             /var/lib/docker/tmp/buildkit-mount16/dist: no such file or directory",
        );
        assert_eq!(said, "\"/dist\" not found");
        assert_eq!(not_found(&said).as_deref(), Some("/dist"));
        let said = "failed to compute cache key: \"/dist/a.js\" not found: not found";
        assert_eq!(not_found(said).as_deref(), Some("/dist/a.js"));
    }
}

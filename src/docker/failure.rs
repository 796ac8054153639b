//! From what an engine says of a failed build to what helps: the step, its lines, the Dockerfile's.

use bollard::errors::Error;
use regex::Regex;

use super::context::Context;
use super::dockerfile::{excerpt, line_named, lines_of};
use super::session::Missed;
use super::steps::Steps;
use super::{BuildError, EngineError, Failure};

/// Why the engine ended the build.
pub(super) fn explain(
    error: Error,
    steps: &Steps,
    context: &Context,
    missed: &[Missed],
) -> BuildError {
    let said = match error {
        Error::DockerStreamError { error } => error,
        Error::DockerResponseServerError { message, .. } => message,
        source => {
            let attempted = "hear the build's end from the engine".to_owned();
            return EngineError::Answer { attempted, source }.into();
        }
    };
    let said = plain(&said);
    let failed = steps.failed();
    let mut failure = Failure { cause: said.clone(), ..Failure::default() };
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
            Missed::Secret(id) => {
                format!("It asked for the secret `{id}`, which is not among `image.build.secrets`")
            }
            Missed::Agent(id) => {
                format!("It asked for the SSH agent `{id}`, which is not among `image.build.ssh`")
            }
        });
    }
    if let Some(path) = not_found(&failure.cause).or_else(|| not_found(&said))
        && let Some(file) = context.leaves_out(&path)
    {
        failure.hints.push(format!("`{path}` is there, and left out by {}", file.display()));
    }
    BuildError::Failed(Box::new(failure))
}

/// Without the names of those through whose hands the message went, and as newer engines say it.
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

/// The path that a `COPY` did not find.
fn not_found(said: &str) -> Option<String> {
    // The second is Podman's way to say it.
    [r#""([^"]+)"?:? not found"#, r#"stat: "([^"]+)": no such file"#].iter().find_map(|pattern| {
        let found = Regex::new(pattern).ok()?.captures(said)?;
        Some(found[1].to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_without_the_hands_they_went_through() {
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

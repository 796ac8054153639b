//! An image's provenance in the format of in-toto and SLSA. It repeats the run's environment and is not
//! signed: anyone who can push can write it.

use serde_json::{Value, json};

use cutover_rollout::model::ImageReference;

/// What a GitHub Actions run states about the images that it builds.
#[derive(Debug, Clone, PartialEq)]
pub struct Provenance {
    predicate: Value,
}

impl Provenance {
    /// The media type (in-toto attestation framework, "Statement").
    pub const MEDIA_TYPE: &str = "application/vnd.in-toto+json";

    /// Reads the environment of a GitHub Actions run.
    ///
    /// # Errors
    /// Returns the name of a variable that is missing: elsewhere, an image's origin is unknown.
    pub fn of_run(variable: impl Fn(&str) -> Option<String>) -> Result<Provenance, &'static str> {
        let get = |name: &'static str| variable(name).filter(|value| !value.is_empty()).ok_or(name);
        let server = get("GITHUB_SERVER_URL")?;
        let repository = get("GITHUB_REPOSITORY")?;
        let (reference, commit) = (get("GITHUB_REF")?, get("GITHUB_SHA")?);
        let (run, attempt) = (get("GITHUB_RUN_ID")?, get("GITHUB_RUN_ATTEMPT")?);
        let workflow = get("GITHUB_WORKFLOW_REF")?;
        // `acme/web/.github/workflows/deploy.yml@refs/heads/main`
        let path = workflow.split_once('@').map_or(workflow.as_str(), |(path, _)| path);
        let path = path.strip_prefix(&repository).unwrap_or(path).trim_start_matches('/');
        let source = format!("{server}/{repository}");
        let predicate = json!({
            "buildDefinition": {
                "buildType": "https://actions.github.io/buildtypes/workflow/v1",
                "externalParameters": {
                    "workflow": { "ref": reference, "repository": source, "path": path },
                },
                "internalParameters": {
                    "github": {
                        "event_name": variable("GITHUB_EVENT_NAME"),
                        "runner_environment": variable("RUNNER_ENVIRONMENT"),
                    },
                },
                "resolvedDependencies": [
                    { "uri": format!("git+{source}@{reference}"), "digest": { "gitCommit": commit } },
                ],
            },
            "runDetails": {
                "builder": { "id": format!("{server}/{workflow}") },
                "metadata": {
                    "invocationId": format!("{source}/actions/runs/{run}/attempts/{attempt}"),
                },
            },
        });
        Ok(Provenance { predicate })
    }

    /// Returns the statement about this image.
    pub fn of(&self, image: &ImageReference) -> Value {
        let digest = image.digest.as_str().trim_start_matches("sha256:");
        json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{ "name": image.repository, "digest": { "sha256": digest } }],
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": self.predicate,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_says_where_its_image_came_from() {
        let known = [
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "acme/web"),
            ("GITHUB_REF", "refs/heads/main"),
            ("GITHUB_SHA", "1a2b3c"),
            ("GITHUB_RUN_ID", "77"),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_WORKFLOW_REF", "acme/web/.github/workflows/deploy.yml@refs/heads/main"),
        ];
        let variable = |name: &str| {
            known.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let hex = "25776084539f2a5a9ee0a1a8c9ab2a8a5ec2fd8b0e2a2e8e0f2ec1e8ec0dd6b1";
        let image = format!("ghcr.io/acme/web@sha256:{hex}").parse().unwrap();
        let statement = Provenance::of_run(variable).unwrap().of(&image);
        assert_eq!(statement["subject"][0]["digest"]["sha256"], hex);
        let definition = &statement["predicate"]["buildDefinition"];
        let workflow = &definition["externalParameters"]["workflow"];
        assert_eq!(workflow["path"], ".github/workflows/deploy.yml");
        assert_eq!(definition["resolvedDependencies"][0]["digest"]["gitCommit"], "1a2b3c");
        assert_eq!(Provenance::of_run(|_| None).unwrap_err(), "GITHUB_SERVER_URL");
    }
}

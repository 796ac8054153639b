//! Turns a registry's refusal into a hint.

use cutover_rollout::model::{EcrRegistry, Repository};

/// Returns what to do about `status` and `code` for this repository.
pub(super) fn what_to_do(
    status: u16,
    code: Option<&str>,
    message: &str,
    repository: &Repository,
) -> String {
    let ecr = repository.ecr();
    // ECR returns TAG_INVALID for any bad tag; only the message shows that it is immutable.
    let immutable = message.contains("immutable");
    match (code, status) {
        (Some("NAME_UNKNOWN"), _) => missing_repository(repository, ecr.as_ref()),
        (Some("TAG_INVALID" | "TAG_ALREADY_EXISTS" | "DENIED"), _) if immutable => {
            "The tag is immutable and already points to another image: use a unique tag for every commit (`image.tags: [\"{commit}\"]`)".to_owned()
        }
        (_, 401 | 403) if message.contains("expired") => {
            "The login has expired: run it again to get a new one. Uploaded content is kept".to_owned()
        }
        (_, 401 | 403) if repository.registry() == GHCR => github(message, repository),
        (Some("UNAUTHORIZED"), _) | (_, 401) => match ecr {
            Some(_) => "Log in again, since ECR's tokens expire after 12 hours, or check that the role may call ecr:GetAuthorizationToken".to_owned(),
            None => format!("Check the user and the token for `{}`", repository.registry()),
        },
        (Some("DENIED"), _) | (_, 403) => match ecr {
            Some(ecr) if let Some(action) = refused_action(message) => format!(
                "Allow `{action}` on {} in the policy of the role that runs this; `cutover iam` prints the deploy role's minimal policy",
                ecr.arn(repository.path())
            ),
            Some(ecr) => format!(
                "Allow the role ecr:BatchCheckLayerAvailability, ecr:InitiateLayerUpload, ecr:UploadLayerPart, ecr:CompleteLayerUpload, ecr:PutImage and ecr:BatchGetImage on {}",
                ecr.arn(repository.path())
            ),
            None => format!(
                "Log in to {} as a user who may write to `{repository}`: `docker login {}`; cutover uses that login",
                repository.registry(), repository.registry()
            ),
        },
        (Some("TOOMANYREQUESTS"), _) | (_, 429) => {
            "The registry limits requests: wait a minute and run it again. Uploaded content is kept".to_owned()
        }
        (_, 500..) => {
            "The registry failed: run it again. Uploaded content is kept".to_owned()
        }
        (_, 404) => missing_repository(repository, ecr.as_ref()),
        _ => format!("Check what `{repository}` accepts"),
    }
}

/// Returns how to log in, for a registry that refuses an anonymous request.
pub(super) fn login_hint(repository: &Repository) -> String {
    let host = repository.registry();
    match repository.ecr() {
        Some(ecr) => format!(
            "Log in: aws ecr get-login-password --region {} | docker login --username AWS --password-stdin {host}",
            ecr.region
        ),
        None if host == GHCR => github("", repository),
        None => format!("Log in with `docker login {host}`; cutover uses that login"),
    }
}

/// Returns the action in IAM's message, `… is not authorized to perform: ecr:PutImage on resource: …`.
fn refused_action(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    rest.split_whitespace().next()
}

/// GitHub's container registry.
const GHCR: &str = "ghcr.io";

/// Returns the hint for a refusal by GHCR, based on the messages that its users quote.
fn github(message: &str, repository: &Repository) -> String {
    if message.contains("write_package") || message.contains("read_package") {
        return format!(
            "The package does not give this repository's workflows access: open the package of `{}` on GitHub, \"Package settings\", \"Manage Actions access\", and add the repository with the role Write",
            repository.path()
        );
    }
    if message.contains("installation not allowed") {
        return "The workflow's token may not write packages: add `permissions: packages: write` to the job".to_owned();
    }
    "Use a token that may write packages: in a workflow, `permissions: packages: write` and `GITHUB_TOKEN: ${{ github.token }}` in the step's `env`; elsewhere, `docker login ghcr.io` with a token that has `write:packages`".to_owned()
}

fn missing_repository(repository: &Repository, ecr: Option<&EcrRegistry<'_>>) -> String {
    match ecr {
        Some(ecr) => format!(
            "Create the repository: aws ecr create-repository --registry-id {} --region {} --repository-name {} --image-tag-mutability IMMUTABLE",
            ecr.account,
            ecr.region,
            repository.path()
        ),
        None => format!("Create the repository `{repository}`, or correct `image.push`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_ecr_repository_comes_with_its_command() {
        let ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/web".parse().unwrap();
        let hint = what_to_do(404, Some("NAME_UNKNOWN"), "", &ecr);
        assert!(hint.contains(
            "aws ecr create-repository --registry-id 123456789012 --region eu-west-1 --repository-name team/web"
        ));
        let denied = what_to_do(403, Some("DENIED"), "", &ecr);
        assert!(denied.contains("arn:aws:ecr:eu-west-1:123456789012:repository/team/web"));
        let words = "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: ecr:PutImage on resource: x";
        let denied = what_to_do(403, Some("DENIED"), words, &ecr);
        assert!(
            denied.contains("`ecr:PutImage` on arn:aws:ecr") && denied.contains("`cutover iam`")
        );
        let expired = "Your authorization token has expired. Reauthenticate and try again.";
        assert!(
            what_to_do(403, Some("DENIED"), expired, &ecr)
                .contains("run it again to get a new one")
        );
        let ghcr = "ghcr.io/acme/web".parse().unwrap();
        assert!(what_to_do(403, None, "", &ghcr).contains("write:packages"));
        let immutable =
            "tag invalid: The image tag 'v1' already exists … because the tag is immutable.";
        assert!(what_to_do(400, Some("TAG_INVALID"), immutable, &ecr).contains("image.tags"));
    }
}

//! From a registry's refusal to what a person can do about it.

use crate::model::Repository;

use super::ecr::Ecr;

/// What to do about `status` and `code` for this repository.
pub(super) fn what_to_do(
    status: u16,
    code: Option<&str>,
    message: &str,
    repository: &Repository,
) -> String {
    let ecr = Ecr::of(repository);
    // ECR says TAG_INVALID of any bad tag; only its words tell an immutable one.
    let immutable = message.contains("immutable");
    match (code, status) {
        (Some("NAME_UNKNOWN"), _) => missing_repository(repository, ecr.as_ref()),
        (Some("TAG_INVALID" | "TAG_ALREADY_EXISTS" | "DENIED"), _) if immutable => {
            "The tag names another image already and is immutable: use a tag of its own for every commit (`image.tags: [\"{commit}\"]`)".to_owned()
        }
        (_, 401 | 403) if message.contains("expired") => {
            "The login has run out: run it again, which logs in anew; what was uploaded stays".to_owned()
        }
        (Some("UNAUTHORIZED"), _) | (_, 401) => match ecr {
            Some(_) => "ECR's token lives for 12 hours and is the role's: log in again, or check that the role may call ecr:GetAuthorizationToken".to_owned(),
            None => format!("Check the user and the token for `{}`", repository.registry()),
        },
        (Some("DENIED"), _) | (_, 403) => match ecr {
            Some(ecr) => format!(
                "The role needs ecr:BatchCheckLayerAvailability, ecr:InitiateLayerUpload, ecr:UploadLayerPart, ecr:CompleteLayerUpload, ecr:PutImage and ecr:BatchGetImage on {}",
                ecr.arn(repository)
            ),
            None => format!("The token needs the right to write to `{repository}` (on GHCR: `write:packages`)"),
        },
        (Some("TOOMANYREQUESTS"), _) | (_, 429) => {
            "The registry limits requests; wait a minute and run it again: what was uploaded stays".to_owned()
        }
        (_, 500..) => {
            "The registry failed; run it again: what was uploaded stays".to_owned()
        }
        (_, 404) => missing_repository(repository, ecr.as_ref()),
        _ => format!("Check what `{repository}` accepts"),
    }
}

fn missing_repository(repository: &Repository, ecr: Option<&Ecr<'_>>) -> String {
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
        let expired = "Your authorization token has expired. Reauthenticate and try again.";
        assert!(what_to_do(403, Some("DENIED"), expired, &ecr).contains("logs in anew"));
        let ghcr = "ghcr.io/acme/web".parse().unwrap();
        assert!(what_to_do(403, None, "", &ghcr).contains("write:packages"));
        let immutable =
            "tag invalid: The image tag 'v1' already exists … because the tag is immutable.";
        assert!(what_to_do(400, Some("TAG_INVALID"), immutable, &ecr).contains("image.tags"));
    }
}

//! The actions that IAM checks for a request to ECR's registry. Its paths are not API operations, but need the same
//! permissions (ECR user guide, "IAM permissions for pushing an image to an Amazon ECR private repository", and
//! "pulling"): a push checks for a blob, uploads its parts, and then puts the manifest. The guide doesn't say what
//! querying or canceling an upload and listing referrers need; those are guesses.

use http::Method;

use super::path::Resource;

/// Returns the actions of a request on the repository that it names; none for the API's root. A PUT that completes
/// an upload may carry its last part, or all of it.
pub(super) fn required_actions(
    method: &Method,
    resource: Resource<'_>,
    has_body: bool,
) -> Vec<&'static str> {
    let ends = *method == Method::PUT && matches!(resource, Resource::Upload { .. });
    let part = (ends && has_body).then_some("ecr:UploadLayerPart");
    part.into_iter().chain(action(method, resource)).collect()
}

fn action(method: &Method, resource: Resource<'_>) -> Option<&'static str> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    Some(match resource {
        Resource::Root => return None,
        Resource::Blob { .. } if *method == Method::HEAD => "ecr:BatchCheckLayerAvailability",
        Resource::Blob { .. } if *method == Method::GET => "ecr:GetDownloadUrlForLayer",
        Resource::Blob { .. } => "ecr:BatchDeleteImage",
        Resource::Upload { id: "", .. } => "ecr:InitiateLayerUpload",
        Resource::Upload { .. } if *method == Method::PUT => "ecr:CompleteLayerUpload",
        Resource::Upload { .. } => "ecr:UploadLayerPart",
        Resource::Manifest { .. } if reads => "ecr:BatchGetImage",
        Resource::Manifest { .. } if *method == Method::PUT => "ecr:PutImage",
        Resource::Manifest { .. } => "ecr:BatchDeleteImage",
        Resource::Tags { .. } => "ecr:ListImages",
        Resource::Referrers { .. } => "ecr:ListImageReferrers",
    })
}

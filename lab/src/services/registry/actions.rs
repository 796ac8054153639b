//! The actions that IAM checks for a request to ECR's registry. Its paths have no operations, but the same permissions as the
//! API (ECR user guide, "IAM permissions for pushing an image to an Amazon ECR private repository", and "pulling"): a push
//! asks for a blob, sends its parts and then the manifest. Who asks what an upload has taken, gives it up, or lists referrers
//! is not told there; those are guesses.

use http::Method;

use super::path::Resource;

/// The actions of a request, on the repository that it names; none for the API itself. A PUT that ends an upload may bring
/// its last part, or all of it.
pub(super) fn actions(
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

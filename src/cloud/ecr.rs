//! ECR: a login for its registry, and what is in it.

use std::fmt;

use aws_sdk_ecr::types::{ImageIdentifier, ImageTagMutability};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Class, Cloud, CloudError};
use crate::model::Digest;

const LOGIN: &str = "ecr:GetAuthorizationToken";

/// A login that a registry takes for twelve hours (user guide).
#[derive(Clone, PartialEq, Eq)]
pub struct RegistryLogin {
    /// Always `AWS` (user guide).
    pub user: String,
    /// The password: a secret.
    pub password: String,
    /// The registry's base URL.
    pub endpoint: String,
}

impl fmt::Debug for RegistryLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryLogin").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryFacts {
    /// Registry and path, as it is pulled.
    pub uri: String,
    /// Whether a tag, once pushed, stays; with exclusions for some tags counts as such.
    pub immutable: bool,
}

impl Cloud {
    /// A login for the account's registry.
    ///
    /// # Errors
    /// Where AWS does not answer or gives none.
    pub async fn login(&self) -> Result<RegistryLogin, CloudError> {
        let answer = self.read(LOGIN, || self.ecr.get_authorization_token().send()).await?;
        answer
            .authorization_data()
            .first()
            .and_then(|data| read_login(data.authorization_token()?, data.proxy_endpoint()?))
            .ok_or_else(|| {
                CloudError::local(LOGIN, Class::Service, "the answer holds no readable token")
            })
    }

    /// The repository of this path in the account's registry, if it exists.
    ///
    /// # Errors
    /// Where AWS does not answer.
    pub async fn repository(&self, path: &str) -> Result<Option<RepositoryFacts>, CloudError> {
        let request = self.ecr.describe_repositories().repository_names(path);
        let found = self.read("ecr:DescribeRepositories", || request.clone().send()).await;
        let repository = match found {
            Ok(answer) => answer.repositories.unwrap_or_default().into_iter().next(),
            Err(error) if error.class == Class::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(repository.map(|repository| RepositoryFacts {
            uri: repository.repository_uri.unwrap_or_default(),
            immutable: matches!(
                repository.image_tag_mutability,
                Some(ImageTagMutability::Immutable | ImageTagMutability::ImmutableWithExclusion)
            ),
        }))
    }

    /// Whether the repository holds an image of this digest.
    ///
    /// # Errors
    /// Where the repository does not exist or AWS does not answer.
    pub async fn image_exists(&self, path: &str, digest: &Digest) -> Result<bool, CloudError> {
        let image = ImageIdentifier::builder().image_digest(digest.as_str()).build();
        let request = self.ecr.batch_get_image().repository_name(path).image_ids(image);
        let answer = self.read("ecr:BatchGetImage", || request.clone().send()).await?;
        Ok(!answer.images().is_empty())
    }
}

/// The token is `user:password` in base64 (user guide).
fn read_login(token: &str, endpoint: &str) -> Option<RegistryLogin> {
    let decoded = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some(RegistryLogin {
        user: user.to_owned(),
        password: password.to_owned(),
        endpoint: endpoint.trim_end_matches('/').to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_read_and_its_password_never_shown() {
        let login = read_login("QVdTOnMzY3JldA==", "https://1.dkr.ecr.x.amazonaws.com/").unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("AWS", "s3cret"));
        assert_eq!(login.endpoint, "https://1.dkr.ecr.x.amazonaws.com");
        assert!(!format!("{login:?}").contains("s3cret"));
        assert_eq!(read_login("no token", ""), None);
    }
}

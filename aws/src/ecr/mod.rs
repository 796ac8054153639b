//! ECR: registry logins, repositories and images.

mod scan;
mod settings;

use std::fmt;

use aws_sdk_ecr::config::{Builder, Region};
use aws_sdk_ecr::types::{
    ImageIdentifier, ImageScanningConfiguration, ImageTagMutability, Repository as Described,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Aws, AwsError, Change, ErrorClass};
use cutover_rollout::model::{Digest, Repository, RepositorySettings};

const LOGIN: &str = "ecr:GetAuthorizationToken";

/// A registry login, valid for twelve hours (user guide).
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
    /// Registry and path, as used to pull.
    pub uri: String,
    /// Whether tags are immutable.
    pub immutable: bool,
    /// Patterns of tags to which the opposite applies; `*` matches anything (API model,
    /// ImageTagMutabilityExclusionFilter).
    pub mutability_exclusions: Vec<String>,
}

impl RepositoryFacts {
    /// Returns true if `tag` is immutable once pushed.
    pub fn is_tag_immutable(&self, tag: &str) -> bool {
        self.immutable != self.mutability_exclusions.iter().any(|pattern| matches(pattern, tag))
    }
}

fn matches(pattern: &str, tag: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == tag };
    let Some(mut left) = tag.strip_prefix(start) else { return false };
    let parts: Vec<&str> = rest.split('*').collect();
    let Some((last, between)) = parts.split_last() else { return false };
    for part in between {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last)
}

impl Aws {
    /// Returns a login for the account's registry in its Region.
    ///
    /// # Errors
    /// If the request fails or returns none.
    pub async fn login(&self) -> Result<RegistryLogin, AwsError> {
        self.login_in(&self.identity.region).await
    }

    /// Returns a login for the registries of a Region: the account's, and others that grant the caller access.
    /// The endpoint is the account's.
    ///
    /// # Errors
    /// If the request fails or returns none.
    pub async fn login_in(&self, region: &str) -> Result<RegistryLogin, AwsError> {
        let ask = || {
            let request = self.ecr.get_authorization_token().customize();
            let elsewhere = region != self.identity.region;
            let config = elsewhere.then(|| Builder::new().region(Region::new(region.to_owned())));
            match config {
                Some(config) => request.config_override(config).send(),
                None => request.send(),
            }
        };
        let answer = self.read(LOGIN, ask).await?;
        answer
            .authorization_data()
            .first()
            .and_then(|data| read_login(data.authorization_token()?, data.proxy_endpoint()?))
            .ok_or_else(|| {
                AwsError::local(LOGIN, ErrorClass::Service, "the response contains no valid token")
            })
    }

    /// Returns true if `repository` belongs to this account and Region, so that the ECR API can be called for it.
    pub fn owns(&self, repository: &Repository) -> bool {
        repository.ecr().is_some_and(|ecr| {
            ecr.account == self.identity.account && ecr.region == self.identity.region
        })
    }

    /// Returns the repository of this path in the account's registry, if it exists.
    ///
    /// # Errors
    /// If the request fails.
    pub async fn repository(&self, path: &str) -> Result<Option<RepositoryFacts>, AwsError> {
        let request = self.ecr.describe_repositories().repository_names(path);
        let found = self.read("ecr:DescribeRepositories", || request.clone().send()).await;
        let repository = match found {
            Ok(answer) => answer.repositories.unwrap_or_default().into_iter().next(),
            Err(error) if error.class == ErrorClass::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(repository.map(read_repository))
    }

    /// Creates the repository of this path in the account's registry.
    pub fn create_repository(
        &self,
        path: &str,
        new: &RepositorySettings,
    ) -> impl Future<Output = Change<()>> + Send {
        let mutability = match new.immutable {
            true => ImageTagMutability::Immutable,
            false => ImageTagMutability::Mutable,
        };
        let scanning = ImageScanningConfiguration::builder().scan_on_push(new.scan_on_push).build();
        let request = self
            .ecr
            .create_repository()
            .repository_name(path)
            .image_tag_mutability(mutability)
            .image_scanning_configuration(scanning);
        let sent = self.change("ecr:CreateRepository", request.send());
        async move { sent.await.map(|_| ()) }
    }

    /// Returns true if the repository contains an image of this digest.
    ///
    /// # Errors
    /// If the repository does not exist or the request fails.
    pub async fn image_exists(&self, path: &str, digest: &Digest) -> Result<bool, AwsError> {
        let image = ImageIdentifier::builder().image_digest(digest.as_str()).build();
        let request = self.ecr.batch_get_image().repository_name(path).image_ids(image);
        let answer = self.read("ecr:BatchGetImage", || request.clone().send()).await?;
        Ok(!answer.images().is_empty())
    }
}

fn read_repository(repository: Described) -> RepositoryFacts {
    let filters = repository.image_tag_mutability_exclusion_filters.unwrap_or_default();
    RepositoryFacts {
        uri: repository.repository_uri.unwrap_or_default(),
        immutable: matches!(
            repository.image_tag_mutability,
            Some(ImageTagMutability::Immutable | ImageTagMutability::ImmutableWithExclusion)
        ),
        mutability_exclusions: filters.into_iter().map(|filter| filter.filter).collect(),
    }
}

/// Decodes a token: `user:password` in base64 (user guide).
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
    fn exclusions_invert_the_mutability_of_a_tag() {
        let facts = |immutable: bool, exceptions: &[&str]| RepositoryFacts {
            uri: String::new(),
            immutable,
            mutability_exclusions: exceptions.iter().map(|&pattern| pattern.to_owned()).collect(),
        };
        assert!(
            facts(true, &[]).is_tag_immutable("v1") && !facts(false, &[]).is_tag_immutable("v1")
        );
        let latest = facts(true, &["latest", "dev-*", "*-rc*x"]);
        for moves in ["latest", "dev-", "dev-7", "1-rc-x", "a-rcx"] {
            assert!(!latest.is_tag_immutable(moves), "{moves}");
        }
        for fixed in ["latest2", "dev", "1-rc-", "x-rc"] {
            assert!(latest.is_tag_immutable(fixed), "{fixed}");
        }
        assert!(facts(false, &["v*"]).is_tag_immutable("v1"));
    }

    #[test]
    fn a_login_is_read_and_its_password_never_shown() {
        let login = read_login("QVdTOnMzY3JldA==", "https://1.dkr.ecr.x.amazonaws.com/").unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("AWS", "s3cret"));
        assert_eq!(login.endpoint, "https://1.dkr.ecr.x.amazonaws.com");
        assert!(!format!("{login:?}").contains("s3cret"));
        assert_eq!(read_login("no token", ""), None);
    }
}

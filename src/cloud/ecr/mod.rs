//! ECR: a login for its registry, and what is in it.

mod scan;
mod settings;

use std::fmt;

use aws_sdk_ecr::config::{Builder, Region};
use aws_sdk_ecr::types::{
    ImageIdentifier, ImageScanningConfiguration, ImageTagMutability, Repository as Described,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Change, Class, Cloud, CloudError};
use crate::model::{Digest, NewRepository, Repository};

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
    /// Whether a tag, once pushed, stays.
    pub immutable: bool,
    /// The tags for which the opposite holds; `*` stands for anything (API model,
    /// ImageTagMutabilityExclusionFilter).
    pub exceptions: Vec<String>,
}

impl RepositoryFacts {
    /// Whether `tag`, once pushed, stays.
    pub fn fixes(&self, tag: &str) -> bool {
        self.immutable != self.exceptions.iter().any(|pattern| matches(pattern, tag))
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

impl Cloud {
    /// A login for the account's registry in its Region.
    ///
    /// # Errors
    /// Where AWS does not answer or gives none.
    pub async fn login(&self) -> Result<RegistryLogin, CloudError> {
        self.login_in(&self.identity.region).await
    }

    /// A login for the registries of a Region: the account's, and others that let the caller in. The
    /// endpoint is the account's.
    ///
    /// # Errors
    /// Where AWS does not answer or gives none.
    pub async fn login_in(&self, region: &str) -> Result<RegistryLogin, CloudError> {
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
                CloudError::local(LOGIN, Class::Service, "the answer holds no readable token")
            })
    }

    /// Whether ECR can be asked about `repository`: it is of this account and Region.
    pub fn owns(&self, repository: &Repository) -> bool {
        repository.ecr().is_some_and(|ecr| {
            ecr.account == self.identity.account && ecr.region == self.identity.region
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
        Ok(repository.map(read_repository))
    }

    /// Creates the repository of this path in the account's registry.
    pub fn create_repository(
        &self,
        path: &str,
        new: &NewRepository,
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

fn read_repository(repository: Described) -> RepositoryFacts {
    let filters = repository.image_tag_mutability_exclusion_filters.unwrap_or_default();
    RepositoryFacts {
        uri: repository.repository_uri.unwrap_or_default(),
        immutable: matches!(
            repository.image_tag_mutability,
            Some(ImageTagMutability::Immutable | ImageTagMutability::ImmutableWithExclusion)
        ),
        exceptions: filters.into_iter().map(|filter| filter.filter).collect(),
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
    fn exceptions_turn_round_what_holds_for_other_tags() {
        let facts = |immutable: bool, exceptions: &[&str]| RepositoryFacts {
            uri: String::new(),
            immutable,
            exceptions: exceptions.iter().map(|&pattern| pattern.to_owned()).collect(),
        };
        assert!(facts(true, &[]).fixes("v1") && !facts(false, &[]).fixes("v1"));
        let latest = facts(true, &["latest", "dev-*", "*-rc*x"]);
        for moves in ["latest", "dev-", "dev-7", "1-rc-x", "a-rcx"] {
            assert!(!latest.fixes(moves), "{moves}");
        }
        for fixed in ["latest2", "dev", "1-rc-", "x-rc"] {
            assert!(latest.fixes(fixed), "{fixed}");
        }
        assert!(facts(false, &["v*"]).fixes("v1"));
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

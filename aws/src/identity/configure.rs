//! The configuration that all SDK clients share: HTTP client, time, Region and credentials.

use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;

use aws_smithy_runtime_api::client::identity::SharedIdentityCache;

use super::oidc::TokenSource;
use super::role::{RoleCredential, RoleProvider};
use super::{CredentialSource, GET_CALLER_IDENTITY, Settings};
use crate::sdk::{Connector, SdkTime, Skew, Timeouts};
use crate::{AwsError, ErrorClass};
use cutover_net::Net;

/// How long a request may take. A change is sent within five seconds of the observation that led to it, and its result
/// is unknown unless AWS responds within five more.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the first request may take, because credentials may have to be fetched from several sources.
const FIRST_TIMEOUT: Duration = Duration::from_secs(30);

/// How long before their expiration credentials are renewed, so that they don't expire during a change. The SDK
/// shortens this at random by up to half.
const RENEW_BEFORE_END: Duration = Duration::from_secs(10 * 60);

/// Makes the configuration.
pub(crate) async fn configure(
    net: &Net,
    skew: &Skew,
    settings: &Settings,
) -> Result<SdkConfig, AwsError> {
    let base = match &settings.credentials {
        CredentialSource::Static { key, secret, token } => {
            let given = Credentials::new(key, secret, token.clone(), None, "settings");
            alone(net, skew, settings, given)
        }
        CredentialSource::Default => loader(net, skew, settings).load().await,
        CredentialSource::GitHubOidc { .. } => {
            loader(net, skew, settings).no_credentials().load().await
        }
    };
    if base.region().is_none() {
        return Err(AwsError::local(
            GET_CALLER_IDENTITY,
            ErrorClass::Invalid,
            "no Region is configured",
        )
        .advise("set `region` in the configuration, or AWS_REGION"));
    }
    let Some(role) = &settings.role else {
        return match settings.credentials {
            CredentialSource::GitHubOidc { .. } => Err(AwsError::local(
                GET_CALLER_IDENTITY,
                ErrorClass::Invalid,
                "GitHub's OIDC token needs a role to assume",
            )
            .advise("set `role` in the configuration")),
            CredentialSource::Default | CredentialSource::Static { .. } => Ok(base),
        };
    };
    let proof = match &settings.credentials {
        CredentialSource::GitHubOidc { request_url, request_token, audience } => {
            RoleCredential::GitHub(TokenSource {
                net: net.clone(),
                request_url: request_url.clone(),
                request_token: request_token.clone(),
                audience: audience.clone(),
            })
        }
        CredentialSource::Default | CredentialSource::Static { .. } => RoleCredential::Caller,
    };
    let provider = RoleProvider {
        role: role.clone(),
        session: session_name(&settings.service),
        sts: aws_sdk_sts::Client::new(&base),
        proof,
        clock: net.clock,
        skew: skew.clone(),
    };
    Ok(base.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build())
}

/// Makes a loader for the SDK's own settings, from the environment and profiles; `settings` override them.
fn loader(net: &Net, skew: &Skew, settings: &Settings) -> aws_config::ConfigLoader {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(Connector::new(net.transport.clone(), net.clock, skew.clone()))
        .time_source(SdkTime(net.clock))
        .sleep_impl(Timeouts)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts(ATTEMPT_TIMEOUT))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .identity_cache(identity_cache());
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(name) = app_name() {
        loader = loader.app_name(name);
    }
    loader
}

/// Makes a configuration without reading the environment, so that a lab depends only on `settings`.
fn alone(net: &Net, skew: &Skew, settings: &Settings, credentials: Credentials) -> SdkConfig {
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(Connector::new(net.transport.clone(), net.clock, skew.clone()))
        .time_source(SdkTime(net.clock))
        .sleep_impl(Timeouts)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts(ATTEMPT_TIMEOUT))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .identity_cache(identity_cache())
        .region(settings.region.clone().map(Region::new))
        .credentials_provider(SharedCredentialsProvider::new(credentials));
    builder.set_endpoint_url(settings.endpoint.clone());
    builder.set_app_name(app_name());
    builder.build()
}

/// Returns the configuration with the timeout of the first request.
pub(crate) fn patient(config: &SdkConfig) -> SdkConfig {
    config.to_builder().timeout_config(timeouts(FIRST_TIMEOUT)).build()
}

fn timeouts(limit: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(limit).operation_timeout(limit).build()
}

fn identity_cache() -> SharedIdentityCache {
    IdentityCache::lazy().buffer_time(RENEW_BEFORE_END).load_timeout(FIRST_TIMEOUT).build()
}

fn app_name() -> Option<AppName> {
    AppName::new(concat!("cutover-", env!("CARGO_PKG_VERSION"))).ok()
}

/// Makes a RoleSessionName: 2 to 64 characters of `[\w+=,.@-]` (API model).
fn session_name(service: &str) -> String {
    let allowed =
        |c: char| if c.is_ascii_alphanumeric() || "_+=,.@-".contains(c) { c } else { '-' };
    format!("cutover-{service}").chars().map(allowed).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_names_are_such() {
        assert_eq!(session_name("web"), "cutover-web");
        assert_eq!(session_name("ünï côde"), "cutover--n--c-de");
        assert_eq!(session_name(&"x".repeat(99)).len(), 64);
    }
}

//! Assumes a role, with GitHub's OIDC token or with existing credentials.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result as Provided, future};

use super::oidc::{Claims, TokenSource};
use crate::convert::timestamp;
use crate::sdk::Skew;
use crate::{AwsError, ErrorClass};
use cutover_net::Clock;

const BY_TOKEN: &str = "sts:AssumeRoleWithWebIdentity";
const BY_CALLER: &str = "sts:AssumeRole";

/// How often a transient error of STS is retried.
const ATTEMPTS: usize = 3;

/// STS's message if the account has no identity provider for GitHub.
const NO_PROVIDER: &str = "No OpenIDConnect provider found";

/// Creates the identity provider. AWS does not check GitHub's thumbprint (IAM user guide).
const CREATE_PROVIDER: &str = "aws iam create-open-id-connect-provider --url https://token.actions.githubusercontent.com --client-id-list sts.amazonaws.com";

/// The reason why there are no credentials: carries a [`AwsError`] through the SDK.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct IdentityError(pub(crate) AwsError);

/// How the role is assumed.
#[derive(Debug)]
pub(super) enum RoleCredential {
    /// With the STS client's own credentials.
    Caller,
    /// With a new OIDC token of the running job.
    GitHub(TokenSource),
}

/// Provides a role's credentials. The SDK renews them well before they expire, so a rollout can outlast any token and
/// session.
#[derive(Debug)]
pub(super) struct RoleProvider {
    pub(super) role: String,
    pub(super) session: String,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) proof: RoleCredential,
    pub(super) clock: Clock,
    pub(super) skew: Skew,
}

impl ProvideCredentials for RoleProvider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}

impl RoleProvider {
    async fn provide(&self) -> Provided {
        let assumed = match &self.proof {
            RoleCredential::Caller => self.assume_with_credentials().await,
            RoleCredential::GitHub(source) => self.assume_with_token(source).await,
        };
        let assumed =
            assumed.map_err(|error| CredentialsError::provider_error(IdentityError(error)))?;
        Ok(Credentials::new(
            assumed.access_key_id,
            assumed.secret_access_key,
            Some(assumed.session_token),
            Some(self.expiry(&assumed.expiration)),
            "cutover",
        ))
    }

    /// Converts the expiration to the local clock, which the SDK uses: AWS's clock may differ.
    fn expiry(&self, theirs: &aws_smithy_types::DateTime) -> SystemTime {
        let now = self.clock.now();
        let left = timestamp(theirs).map(|end| end.duration_since(self.skew.apply(now)));
        let end = left.and_then(|left| now.saturating_add(left).ok()).unwrap_or(now);
        end.into()
    }

    async fn assume_with_credentials(&self) -> Result<aws_sdk_sts::types::Credentials, AwsError> {
        let request = self.sts.assume_role().role_arn(&self.role).role_session_name(&self.session);
        let answer =
            request.send().await.map_err(|error| AwsError::of(BY_CALLER, &error)).map_err(
                |error| {
                    let role = &self.role;
                    let denied = matches!(error.class, ErrorClass::Denied | ErrorClass::NotFound);
                    if denied {
                        error.advise(format!("check that {role} exists, that its trust policy allows these credentials, and that their own policy allows `{BY_CALLER}` on it"))
                    } else {
                        error
                    }
                },
            )?;
        answer.credentials.ok_or_else(|| no_credentials(BY_CALLER))
    }

    async fn assume_with_token(
        &self,
        source: &TokenSource,
    ) -> Result<aws_sdk_sts::types::Credentials, AwsError> {
        let mut delays = cutover_net::delays(ATTEMPTS, 0);
        loop {
            let token = source.fresh().await?;
            let request = self
                .sts
                .assume_role_with_web_identity()
                .role_arn(&self.role)
                .role_session_name(&self.session)
                .web_identity_token(&token);
            let error = match request.send().await {
                Ok(answer) => return answer.credentials.ok_or_else(|| no_credentials(BY_TOKEN)),
                Err(error) => AwsError::of(BY_TOKEN, &error),
            };
            match delays.next() {
                Some(delay) if is_retryable(&error) => self.clock.sleep(delay).await,
                _ => return Err(self.explained(error, &token)),
            }
        }
    }

    fn explained(&self, error: AwsError, token: &str) -> AwsError {
        if error.is("InvalidIdentityToken") && error.message.contains(NO_PROVIDER) {
            let account = self.role.split(':').nth(4).unwrap_or_default();
            return error.advise(format!(
                "create the identity provider once in account {account}: {CREATE_PROVIDER}"
            ));
        }
        let about_the_token = matches!(
            error.class,
            ErrorClass::Denied | ErrorClass::Credentials | ErrorClass::Invalid
        );
        match Claims::of(token).filter(|_| about_the_token) {
            Some(claims) => {
                let advice = claims.explain(&self.role);
                error.advise(advice)
            }
            None => error,
        }
    }
}

/// Returns true if a retry with a new token may succeed: the token expired, or STS did not reach GitHub (API model).
fn is_retryable(error: &AwsError) -> bool {
    error.is_worth_repeating()
        || error.is("ExpiredTokenException")
        || error.is("IDPCommunicationError")
        || (error.is("InvalidIdentityToken") && error.message.contains("verification key"))
}

fn no_credentials(operation: &'static str) -> AwsError {
    AwsError::local(operation, ErrorClass::Service, "the response contains no credentials")
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use http::{Request, Response};
    use http_body_util::BodyExt as _;
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::{Aws, CredentialSource, Settings};
    use cutover_net::{Body, Net, Transport, full};

    const CLAIMS: &str = r#"{"iss":"https://token.actions.githubusercontent.com","aud":"sts.amazonaws.com","sub":"repo:acme/web:ref:refs/heads/main"}"#;

    /// The refusals that STS will return, the last one first, after which it succeeds; and the number of tokens issued.
    #[derive(Default)]
    struct World {
        refusals: Vec<(u16, &'static str, &'static str)>,
        tokens: usize,
    }

    fn result(operation: &str, inner: &str) -> String {
        format!(
            "<{operation}Response><{operation}Result>{inner}</{operation}Result></{operation}Response>"
        )
    }

    fn answer(world: &mut World, clock: Clock, host: &str, body: &str) -> (u16, String) {
        if host == "github.test" {
            world.tokens += 1;
            let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(CLAIMS));
            return (200, format!(r#"{{"value":"{token}"}}"#));
        }
        if !body.contains("Action=AssumeRoleWithWebIdentity") {
            let who = "<Arn>arn:aws:sts::1:assumed-role/web/cutover-web</Arn><Account>1</Account>";
            return (200, result("GetCallerIdentity", who));
        }
        if let Some((status, code, message)) = world.refusals.pop() {
            let error = format!("<Code>{code}</Code><Message>{message}</Message>");
            return (status, format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>"));
        }
        let end = clock.now() + SignedDuration::from_hours(1);
        let given = format!(
            "<AccessKeyId>A</AccessKeyId><SecretAccessKey>B</SecretAccessKey><SessionToken>C</SessionToken><Expiration>{end}</Expiration>"
        );
        (200, result("AssumeRoleWithWebIdentity", &format!("<Credentials>{given}</Credentials>")))
    }

    async fn connect(
        refusals: &[(u16, &'static str, &'static str)],
    ) -> (Result<Aws, AwsError>, Arc<Mutex<World>>, Clock) {
        let clock = Clock::virtual_from("2026-01-02T03:04:05Z".parse::<Timestamp>().unwrap());
        let world = Arc::new(Mutex::new(World { refusals: refusals.to_vec(), ..World::default() }));
        let shared = world.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let shared = shared.clone();
            async move {
                let host = request.uri().host().unwrap_or_default().to_owned();
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let body = String::from_utf8_lossy(&body);
                let (status, body) = answer(&mut shared.lock().unwrap(), clock, &host, &body);
                Ok::<_, Infallible>(Response::builder().status(status).body(full(body)).unwrap())
            }
        });
        let settings = Settings {
            region: Some("eu-central-1".into()),
            role: Some("arn:aws:iam::1:role/web".into()),
            service: "web".into(),
            credentials: CredentialSource::GitHubOidc {
                request_url: "https://github.test/token?x=1".into(),
                request_token: "s3cret".into(),
                audience: CredentialSource::AUDIENCE.into(),
            },
            ..Settings::default()
        };
        let net = Net { transport: Transport::from_service(service), clock };
        (Aws::connect(&net, &settings).await, world, clock)
    }

    #[tokio::test(start_paused = true)]
    async fn a_role_that_does_not_trust_the_token_is_explained_at_once() {
        let denied =
            (403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
        let (cloud, world, _) = connect(&[denied]).await;
        let error = cloud.unwrap_err();
        assert_eq!((error.operation, error.class), (BY_TOKEN, ErrorClass::Denied));
        assert!(error.hint().contains("repo:acme/web:ref:refs/heads/main\n"), "{}", error.hint());
        assert!(error.hint().contains(
            r#""Federated": "arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com""#
        ));
        assert_eq!(world.lock().unwrap().tokens, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_expired_token_is_replaced() {
        let (cloud, world, _) = connect(&[(400, "ExpiredTokenException", "Token expired")]).await;
        assert_eq!(cloud.unwrap().identity().account, "1");
        assert_eq!(world.lock().unwrap().tokens, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_is_renewed_by_a_fresh_token_before_its_end() {
        let (cloud, world, clock) = connect(&[]).await;
        let cloud = cloud.unwrap();
        let tokens = || world.lock().unwrap().tokens;

        clock.sleep(Duration::from_secs(40 * 60)).await;
        let _ = cloud.parameter("/x").await;
        assert_eq!(tokens(), 1, "far from its end");

        clock.sleep(Duration::from_secs(16 * 60)).await;
        let _ = cloud.parameter("/x").await;
        assert_eq!(tokens(), 2, "four minutes before it");
    }
}

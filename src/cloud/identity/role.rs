//! Assuming a role, by GitHub's token or by the credentials that are there.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result as Provided, future};

use super::oidc::{Claims, TokenSource};
use crate::cloud::convert::timestamp;
use crate::cloud::{Class, CloudError};
use crate::net::{self, Clock, sdk::Skew};

const BY_TOKEN: &str = "sts:AssumeRoleWithWebIdentity";
const BY_CALLER: &str = "sts:AssumeRole";

/// How often STS is asked for what may pass by itself.
const ATTEMPTS: usize = 3;

/// STS's words for an account that does not know GitHub.
const NO_PROVIDER: &str = "No OpenIDConnect provider found";

/// What makes it known. GitHub's thumbprint is not looked at (IAM user guide).
const CREATE_PROVIDER: &str = "aws iam create-open-id-connect-provider --url https://token.actions.githubusercontent.com --client-id-list sts.amazonaws.com";

/// Why there are no credentials: a [`CloudError`] on its way through the SDK.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(in crate::cloud) struct IdentityError(pub(in crate::cloud) CloudError);

/// What entitles us to the role.
#[derive(Debug)]
pub(super) enum Proof {
    /// The credentials of the STS client itself.
    Caller,
    /// A fresh token of the running job.
    GitHub(TokenSource),
}

/// Gives a role's credentials; the SDK asks again well before they end. So a bake of six hours
/// outlives every token and every session.
#[derive(Debug)]
pub(super) struct RoleProvider {
    pub(super) role: String,
    pub(super) session: String,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) proof: Proof,
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
            Proof::Caller => self.by_caller().await,
            Proof::GitHub(source) => self.by_token(source).await,
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

    /// The end by our own clock, which the SDK compares it with: AWS's may differ.
    fn expiry(&self, theirs: &aws_smithy_types::DateTime) -> SystemTime {
        let now = self.clock.now();
        let left = timestamp(theirs).map(|end| end.duration_since(self.skew.apply(now)));
        let end = left.and_then(|left| now.saturating_add(left).ok()).unwrap_or(now);
        end.into()
    }

    async fn by_caller(&self) -> Result<aws_sdk_sts::types::Credentials, CloudError> {
        let request = self.sts.assume_role().role_arn(&self.role).role_session_name(&self.session);
        let answer =
            request.send().await.map_err(|error| CloudError::of(BY_CALLER, &error)).map_err(
                |error| {
                    let role = &self.role;
                    let denied = matches!(error.class, Class::Denied | Class::NotFound);
                    if denied {
                        error.advise(format!("check that {role} exists, that its trust policy names these credentials, and that their own policy allows `{BY_CALLER}` on it"))
                    } else {
                        error
                    }
                },
            )?;
        answer.credentials.ok_or_else(|| no_credentials(BY_CALLER))
    }

    async fn by_token(
        &self,
        source: &TokenSource,
    ) -> Result<aws_sdk_sts::types::Credentials, CloudError> {
        let mut delays = net::delays(ATTEMPTS, 0);
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
                Err(error) => CloudError::of(BY_TOKEN, &error),
            };
            match delays.next() {
                Some(delay) if may_pass(&error) => self.clock.sleep(delay).await,
                _ => return Err(self.explained(error, &token)),
            }
        }
    }

    fn explained(&self, error: CloudError, token: &str) -> CloudError {
        if error.is("InvalidIdentityToken") && error.message.contains(NO_PROVIDER) {
            let account = self.role.split(':').nth(4).unwrap_or_default();
            return error
                .advise(format!("create it, once in account {account}: {CREATE_PROVIDER}"));
        }
        let about_the_token =
            matches!(error.class, Class::Denied | Class::Credentials | Class::Invalid);
        match Claims::of(token).filter(|_| about_the_token) {
            Some(claims) => {
                let advice = claims.explain(&self.role);
                error.advise(advice)
            }
            None => error,
        }
    }
}

/// What another, fresh token may mend: an old one, or STS not having reached GitHub (API model).
fn may_pass(error: &CloudError) -> bool {
    error.is_passing()
        || error.is("ExpiredTokenException")
        || error.is("IDPCommunicationError")
        || (error.is("InvalidIdentityToken") && error.message.contains("verification key"))
}

fn no_credentials(operation: &'static str) -> CloudError {
    CloudError::local(operation, Class::Service, "the answer holds no credentials")
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
    use crate::cloud::{Cloud, CredentialSource, Settings};
    use crate::net::{Body, Net, Transport, full};

    const CLAIMS: &str = r#"{"iss":"https://token.actions.githubusercontent.com","aud":"sts.amazonaws.com","sub":"repo:acme/web:ref:refs/heads/main"}"#;

    /// STS's refusals to come, the last first; every other exchange succeeds. And the tokens given.
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
    ) -> (Result<Cloud, CloudError>, Arc<Mutex<World>>, Clock) {
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
        (Cloud::connect(&net, &settings).await, world, clock)
    }

    #[tokio::test(start_paused = true)]
    async fn a_role_that_does_not_trust_the_token_is_explained_at_once() {
        let denied =
            (403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
        let (cloud, world, _) = connect(&[denied]).await;
        let error = cloud.unwrap_err();
        assert_eq!((error.operation, error.class), (BY_TOKEN, Class::Denied));
        assert!(error.hint().contains("repo:acme/web:ref:refs/heads/main\n"), "{}", error.hint());
        assert!(error.hint().contains(
            r#""Federated": "arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com""#
        ));
        assert_eq!(world.lock().unwrap().tokens, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_expired_token_is_answered_by_a_fresh_one() {
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
        let _ = cloud.get("/x").await;
        assert_eq!(tokens(), 1, "far from its end");

        clock.sleep(Duration::from_secs(16 * 60)).await;
        let _ = cloud.get("/x").await;
        assert_eq!(tokens(), 2, "four minutes before it");
    }
}

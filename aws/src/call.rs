//! Sends requests: reads are retried, changes are sent once.
//!
//! The SDK's own retries are disabled, so that a change cannot be sent twice by accident and nothing depends on
//! the SDK's process-wide token buckets and unseeded jitter.

use std::future::Future;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::{Aws, AwsError, ErrorClass};

/// How often a read is attempted before its error is returned.
const READ_ATTEMPTS: usize = 4;

/// The result of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "read the resource again to resolve an unknown change"]
pub enum Change<T> {
    /// AWS confirmed the change.
    Done(T),
    /// The change certainly had no effect: AWS rejected it, or the request could not be signed.
    Refused(AwsError),
    /// The change may take effect, now or later: there was no response, or the service failed.
    Unknown(AwsError),
}

impl<T> Change<T> {
    /// Converts the value.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Change::Done(value) => Change::Done(convert(value)),
            Change::Refused(error) => Change::Refused(error),
            Change::Unknown(error) => Change::Unknown(error),
        }
    }

    /// Returns the error, unless the change is confirmed.
    pub fn error(&self) -> Option<&AwsError> {
        match self {
            Change::Done(_) => None,
            Change::Refused(error) | Change::Unknown(error) => Some(error),
        }
    }

    fn failed(error: AwsError) -> Change<T> {
        let open = match error.class {
            ErrorClass::Service | ErrorClass::Network => true,
            // ResourceContention has status 500 (API model). Cancel and Rollback name no refresh: if none is active, an
            // earlier attempt of this run may have ended it.
            ErrorClass::Conflict | ErrorClass::NotFound => {
                matches!(
                    error.code.as_deref(),
                    Some(
                        "ResourceContention"
                            | "ResourceContentionFault"
                            | "ActiveInstanceRefreshNotFound"
                    )
                )
            }
            _ => {
                matches!(error.code.as_deref(), Some("RequestTimeout" | "RequestTimeoutException"))
            }
        };
        if open { Change::Unknown(error) } else { Change::Refused(error) }
    }
}

impl Aws {
    /// Sends a read, and retries transient errors.
    pub(super) async fn read<T, E, F>(
        &self,
        operation: &'static str,
        attempt: impl Fn() -> F,
    ) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let mut delays = cutover_net::delays(READ_ATTEMPTS, self.next_seed());
        loop {
            // Boxed, because the SDK's futures are large.
            let error = match Box::pin(attempt()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => AwsError::of(operation, &error),
            };
            match delays.next() {
                Some(delay) if error.is_worth_repeating() => {
                    tracing::debug!(%error, ?delay, "retrying");
                    self.clock.sleep(delay).await;
                }
                _ => return Err(error),
            }
        }
    }

    /// Sends a change once.
    pub(super) fn change<T, E>(
        &self,
        operation: &'static str,
        sent: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    ) -> impl Future<Output = Change<T>> + Send
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let sent = Box::pin(sent);
        async move {
            match sent.await {
                Ok(answer) => Change::Done(answer),
                Err(error) => Change::failed(AwsError::of(operation, &error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use http::{Request, Response};
    use jiff::Timestamp;
    use std::sync::{Arc, Mutex};
    use tokio::time::Instant;

    use super::*;
    use crate::{CredentialSource, Settings};
    use cutover_net::{Body, Clock, Net, Transport, full};

    const WE: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/u</Arn><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

    /// The next responses of the service; `None` means no response.
    type Answers = Arc<Mutex<Vec<Option<(u16, &'static str)>>>>;

    /// Makes a client whose Parameter Store returns these responses, the last one first.
    async fn cloud(answers: &[Option<(u16, &'static str)>]) -> (Aws, Answers) {
        let answers: Answers = Arc::new(Mutex::new(answers.to_vec()));
        let given = answers.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let sts = request.uri().host().is_some_and(|host| host.starts_with("sts"));
            let answer = if sts { Some((200, WE)) } else { given.lock().unwrap().pop().unwrap() };
            async move {
                let Some((status, body)) = answer else { return std::future::pending().await };
                Ok::<_, Infallible>(Response::builder().status(status).body(full(body)).unwrap())
            }
        });
        let clock = Clock::virtual_from(Timestamp::UNIX_EPOCH);
        let net = Net { transport: Transport::from_service(service), clock };
        let settings = Settings {
            region: Some("eu-central-1".into()),
            credentials: CredentialSource::Static {
                key: "k".into(),
                secret: "s".into(),
                token: None,
            },
            ..Settings::default()
        };
        (Aws::connect(&net, &settings).await.unwrap(), answers)
    }

    const FOUND: Option<(u16, &str)> = Some((200, r#"{"Parameter":{"Value":"v"}}"#));
    const FAILED: Option<(u16, &str)> = Some((500, r#"{"__type":"InternalServerError"}"#));
    const THROTTLED: Option<(u16, &str)> = Some((400, r#"{"__type":"ThrottlingException"}"#));
    const DENIED: Option<(u16, &str)> = Some((400, r#"{"__type":"AccessDeniedException"}"#));

    #[tokio::test(start_paused = true)]
    async fn a_read_is_repeated_where_that_can_help() {
        let (cloud, left) = cloud(&[FOUND, FAILED, THROTTLED, None]).await;
        // Spawned, because everything here has to be Send.
        let read = tokio::spawn(async move { cloud.parameter("/x").await }).await.unwrap();
        assert_eq!(read.unwrap().as_deref(), Some("v"));
        assert!(left.lock().unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_denied_read_is_not_repeated() {
        let (cloud, left) = cloud(&[FOUND, DENIED]).await;
        assert_eq!(cloud.parameter("/x").await.unwrap_err().class, ErrorClass::Denied);
        assert_eq!(left.lock().unwrap().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_is_sent_once_whatever_happens() {
        for (answer, refused) in [(FAILED, false), (None, false), (THROTTLED, true), (DENIED, true)]
        {
            let (cloud, left) = cloud(&[FOUND, answer]).await;
            let began = Instant::now();
            let end = cloud.create_parameter("/x", "v").await;
            assert_eq!(matches!(end, Change::Refused(_)), refused, "{end:?}");
            assert_eq!(matches!(end, Change::Unknown(_)), !refused, "{end:?}");
            assert_eq!(left.lock().unwrap().len(), 1, "sent once");
            assert!(began.elapsed() <= Duration::from_secs(6));
        }
    }

    fn failed(class: ErrorClass, code: &str) -> Change<()> {
        let mut error = AwsError::local("x:Y", class, "");
        error.code = Some(code.to_owned());
        Change::failed(error)
    }

    #[test]
    fn refused_only_where_it_surely_had_no_effect() {
        assert!(matches!(failed(ErrorClass::Denied, "AccessDenied"), Change::Refused(_)));
        assert!(matches!(failed(ErrorClass::Throttled, "Throttling"), Change::Refused(_)));
        assert!(matches!(
            failed(ErrorClass::Conflict, "ParameterAlreadyExists"),
            Change::Refused(_)
        ));
        assert!(matches!(failed(ErrorClass::Conflict, "ResourceContention"), Change::Unknown(_)));
        assert!(matches!(
            failed(ErrorClass::NotFound, "ActiveInstanceRefreshNotFound"),
            Change::Unknown(_)
        ));
        assert!(matches!(failed(ErrorClass::Service, "InternalFailure"), Change::Unknown(_)));
        assert!(matches!(failed(ErrorClass::Network, ""), Change::Unknown(_)));
    }
}

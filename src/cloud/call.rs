//! How requests are made: reads are repeated, changes are sent once.
//!
//! The SDK's own retries are off for everything. So a change cannot be sent twice by accident, and
//! nothing depends on the SDK's process-wide token buckets and its unseeded jitter.

use std::future::Future;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::{Class, Cloud, CloudError};
use crate::net;

/// How often a read is tried before its error is believed.
const READ_ATTEMPTS: usize = 4;

/// How a change ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an unknown change has to be answered by looking again"]
pub enum Change<T> {
    /// AWS says that it is done.
    Done(T),
    /// It surely had no effect: AWS rejected it, or it could not even be signed.
    Refused(CloudError),
    /// It may have had its effect, now or in a moment: no answer, or an error of the service.
    Unknown(CloudError),
}

impl<T> Change<T> {
    /// The same with another value.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Change::Done(value) => Change::Done(convert(value)),
            Change::Refused(error) => Change::Refused(error),
            Change::Unknown(error) => Change::Unknown(error),
        }
    }

    /// The error, if it is not surely done.
    pub fn error(&self) -> Option<&CloudError> {
        match self {
            Change::Done(_) => None,
            Change::Refused(error) | Change::Unknown(error) => Some(error),
        }
    }

    fn failed(error: CloudError) -> Change<T> {
        let open = match error.class {
            Class::Service | Class::Network => true,
            // ResourceContention is a 500 (API model). Cancel and Rollback name no refresh: that
            // none is active now may be our own doing a moment ago.
            Class::Conflict | Class::NotFound => {
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

impl Cloud {
    /// Sends a read, again if that can help.
    pub(super) async fn read<T, E, F>(
        &self,
        operation: &'static str,
        attempt: impl Fn() -> F,
    ) -> Result<T, CloudError>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let mut delays = net::delays(READ_ATTEMPTS, self.next_seed());
        loop {
            // Boxed, because the SDK's futures are large.
            let error = match Box::pin(attempt()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => CloudError::of(operation, &error),
            };
            match delays.next() {
                Some(delay) if error.is_passing() => {
                    tracing::debug!(%error, ?delay, "trying again");
                    self.clock.sleep(delay).await;
                }
                _ => return Err(error),
            }
        }
    }

    /// Sends a change, once.
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
                Err(error) => Change::failed(CloudError::of(operation, &error)),
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
    use crate::cloud::{CredentialSource, Settings};
    use crate::net::{Body, Clock, Net, Transport, full};

    const WE: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/u</Arn><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

    /// What the service answers next; `None` is silence.
    type Answers = Arc<Mutex<Vec<Option<(u16, &'static str)>>>>;

    /// A cloud whose Parameter Store gives these answers, the last first.
    async fn cloud(answers: &[Option<(u16, &'static str)>]) -> (Cloud, Answers) {
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
        (Cloud::connect(&net, &settings).await.unwrap(), answers)
    }

    const FOUND: Option<(u16, &str)> = Some((200, r#"{"Parameter":{"Value":"v"}}"#));
    const FAILED: Option<(u16, &str)> = Some((500, r#"{"__type":"InternalServerError"}"#));
    const THROTTLED: Option<(u16, &str)> = Some((400, r#"{"__type":"ThrottlingException"}"#));
    const DENIED: Option<(u16, &str)> = Some((400, r#"{"__type":"AccessDeniedException"}"#));

    #[tokio::test(start_paused = true)]
    async fn a_read_is_repeated_where_that_can_help() {
        let (cloud, left) = cloud(&[FOUND, FAILED, THROTTLED, None]).await;
        // Spawned, because everything here has to be Send.
        let read = tokio::spawn(async move { cloud.get("/x").await }).await.unwrap();
        assert_eq!(read.unwrap().as_deref(), Some("v"));
        assert!(left.lock().unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_denied_read_is_not_repeated() {
        let (cloud, left) = cloud(&[FOUND, DENIED]).await;
        assert_eq!(cloud.get("/x").await.unwrap_err().class, Class::Denied);
        assert_eq!(left.lock().unwrap().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_is_sent_once_whatever_happens() {
        for (answer, refused) in [(FAILED, false), (None, false), (THROTTLED, true), (DENIED, true)]
        {
            let (cloud, left) = cloud(&[FOUND, answer]).await;
            let began = Instant::now();
            let end = cloud.put_new("/x", "v").await;
            assert_eq!(matches!(end, Change::Refused(_)), refused, "{end:?}");
            assert_eq!(matches!(end, Change::Unknown(_)), !refused, "{end:?}");
            assert_eq!(left.lock().unwrap().len(), 1, "sent once");
            assert!(began.elapsed() <= Duration::from_secs(6));
        }
    }

    fn failed(class: Class, code: &str) -> Change<()> {
        let mut error = CloudError::local("x:Y", class, "");
        error.code = Some(code.to_owned());
        Change::failed(error)
    }

    #[test]
    fn refused_only_where_it_surely_had_no_effect() {
        assert!(matches!(failed(Class::Denied, "AccessDenied"), Change::Refused(_)));
        assert!(matches!(failed(Class::Throttled, "Throttling"), Change::Refused(_)));
        assert!(matches!(failed(Class::Conflict, "ParameterAlreadyExists"), Change::Refused(_)));
        assert!(matches!(failed(Class::Conflict, "ResourceContention"), Change::Unknown(_)));
        assert!(matches!(
            failed(Class::NotFound, "ActiveInstanceRefreshNotFound"),
            Change::Unknown(_)
        ));
        assert!(matches!(failed(Class::Service, "InternalFailure"), Change::Unknown(_)));
        assert!(matches!(failed(Class::Network, ""), Change::Unknown(_)));
    }
}

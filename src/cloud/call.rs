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
    use super::*;

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

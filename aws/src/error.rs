//! Errors of AWS requests.

use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;

use super::denied::{DeniedAction, denied_hint};
use super::identity::IdentityError;
use cutover_rollout::model::Failure;

/// The class of an error: callers decide by nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The identity is not allowed to do this.
    Denied,
    /// A resource in the request does not exist.
    NotFound,
    /// The resource already exists, or another change is in progress.
    Conflict,
    /// There were too many requests; this one had no effect.
    Throttled,
    /// The request is invalid, or a quota is exceeded.
    Invalid,
    /// The service failed.
    Service,
    /// There was no response, or only part of one.
    Network,
    /// There are no credentials, or AWS does not accept them.
    Credentials,
    /// The credentials belong to another account than the configured one.
    WrongAccount,
}

/// Whether a retry can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Repeating the request soon may succeed.
    Transient,
    /// It may succeed after a pause, which AWS asked for.
    Throttled,
    /// It may succeed once something else has ended: a conflicting change, or the time until credentials are renewed.
    Blocked,
    /// What the request names does not exist, or is not visible yet. A read may find it later; a change of it is refused.
    Absent,
    /// It fails in the same way until a person changes something.
    Final,
}

/// A failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsError {
    /// The operation as an IAM action: `autoscaling:StartInstanceRefresh`.
    pub operation: &'static str,
    /// AWS's error code, if there is one.
    pub code: Option<String>,
    /// The error message, for people.
    pub message: String,
    /// The class of the error.
    pub class: ErrorClass,
    /// AWS's request id, for AWS Support.
    pub request_id: Option<String>,
    /// A hint that is more specific than that of the class.
    pub advice: Option<String>,
}

impl AwsError {
    /// Makes an error that AWS did not return.
    pub(super) fn local(
        operation: &'static str,
        class: ErrorClass,
        message: impl Into<String>,
    ) -> AwsError {
        AwsError {
            operation,
            code: None,
            message: message.into(),
            class,
            request_id: None,
            advice: None,
        }
    }

    /// Sets the hint.
    #[must_use]
    pub(super) fn advise(mut self, advice: impl Into<String>) -> AwsError {
        self.advice = Some(advice.into());
        self
    }

    /// Converts the SDK's error.
    pub(super) fn of<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> AwsError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let local = |class, message: String| AwsError::local(operation, class, message);
        match error {
            SdkError::ServiceError(answer) => {
                let meta = answer.err().meta();
                let status = answer.raw().status().as_u16();
                let code = meta.code().map(str::to_owned);
                // The SDK also reports a response that it cannot parse as a service error.
                let message = meta
                    .message()
                    .map(str::to_owned)
                    .unwrap_or_else(|| format!("HTTP {status}: {}", innermost(answer.err())));
                AwsError {
                    operation,
                    class: classify(code.as_deref().unwrap_or_default(), &message, status),
                    code,
                    message,
                    request_id: meta.request_id().or(error.request_id()).map(str::to_owned),
                    advice: None,
                }
            }
            SdkError::ResponseError(answer) => local(
                ErrorClass::Service,
                format!(
                    "the response (HTTP {}) is not from this service: {}",
                    answer.raw().status().as_u16(),
                    innermost(error)
                ),
            ),
            SdkError::TimeoutError(_) => {
                local(ErrorClass::Network, "no response in time".to_owned())
            }
            _ => match credentials_problem(operation, error) {
                Some(problem) => problem,
                None if matches!(error, SdkError::ConstructionFailure(_)) => {
                    local(ErrorClass::Invalid, innermost(error))
                }
                None => local(ErrorClass::Network, innermost(error)),
            },
        }
    }

    /// Returns true if AWS's error code is `code`.
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Returns the action that AWS denied according to its message, otherwise the operation.
    pub fn denied_action(&self) -> String {
        match DeniedAction::read(&self.message) {
            Some(DeniedAction::Action { action, .. }) => action.to_owned(),
            Some(DeniedAction::Launch | DeniedAction::Encoded) | None => self.operation.to_owned(),
        }
    }

    /// Returns a hint on how to fix the error.
    pub fn hint(&self) -> String {
        if let Some(advice) = &self.advice {
            return advice.clone();
        }
        let operation = self.operation;
        // RequestLimitExceeded is throttling; all other `LimitExceeded` codes are quotas.
        let quota = self.code.as_deref().is_some_and(|code| code.contains("LimitExceeded"));
        match self.class {
            ErrorClass::Invalid if quota => {
                "delete resources that are no longer needed, or request a quota increase in Service Quotas"
                    .to_owned()
            }
            ErrorClass::Denied => denied_hint(operation, &self.message),
            ErrorClass::NotFound => {
                "check the name, the Region and the account in the configuration".to_owned()
            }
            ErrorClass::Conflict => {
                "wait for the other change to complete or stop it, then run again"
                    .to_owned()
            }
            ErrorClass::Throttled => {
                "run again in a minute: there are too many requests in this account and Region".to_owned()
            }
            ErrorClass::Invalid => format!(
                "see the message and the API reference of `{operation}`"
            ),
            ErrorClass::Service => {
                "run again; check the AWS Health Dashboard if the error persists".to_owned()
            }
            ErrorClass::Network => {
                "check the network connection, proxy settings and AWS_ENDPOINT_URL, then run again"
                    .to_owned()
            }
            ErrorClass::Credentials | ErrorClass::WrongAccount => {
                "check which credentials are in use with `aws sts get-caller-identity`".to_owned()
            }
        }
    }

    /// Decides whether repeating the request can help. Nothing else decides that.
    pub fn disposition(&self) -> Disposition {
        match self.class {
            ErrorClass::Service | ErrorClass::Network => Disposition::Transient,
            ErrorClass::Throttled => Disposition::Throttled,
            ErrorClass::Conflict | ErrorClass::Credentials => Disposition::Blocked,
            ErrorClass::NotFound => Disposition::Absent,
            ErrorClass::Denied | ErrorClass::Invalid | ErrorClass::WrongAccount => {
                Disposition::Final
            }
        }
    }

    /// Returns whether a read is worth repeating within seconds.
    pub(super) fn is_worth_repeating(&self) -> bool {
        matches!(self.disposition(), Disposition::Transient | Disposition::Throttled)
    }
}

impl From<&AwsError> for Failure {
    fn from(error: &AwsError) -> Failure {
        Failure::failed(error.to_string()).hint(error.hint())
    }
}

impl From<AwsError> for Failure {
    fn from(error: AwsError) -> Failure {
        Failure::from(&error)
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match self.class {
            ErrorClass::Denied => "is not allowed",
            ErrorClass::NotFound => "did not find the resource",
            ErrorClass::Conflict => "conflicts with the current state",
            ErrorClass::Throttled => "was throttled",
            ErrorClass::Invalid => "was rejected",
            ErrorClass::Service => "failed in the service",
            ErrorClass::Network => "got no response",
            ErrorClass::Credentials => "has no valid credentials",
            ErrorClass::WrongAccount => "returned another account",
        };
        write!(f, "{} {meaning}: ", self.operation)?;
        if let Some(code) = &self.code {
            write!(f, "{code}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for AwsError {}

/// Classifies an error. The codes are those of the API models; other codes are classified by HTTP status.
fn classify(code: &str, message: &str, status: u16) -> ErrorClass {
    match code {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "SlowDown"
        | "TooManyUpdates" => ErrorClass::Throttled,
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "NotAuthorizedException" => ErrorClass::Denied,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidIdentityToken"
        | "AuthFailure"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => ErrorClass::Credentials,
        "ParameterAlreadyExists"
        | "RepositoryAlreadyExistsException"
        | "InstanceRefreshInProgress"
        | "ScalingActivityInProgress"
        | "ScalingActivityInProgressFault"
        | "ResourceContention"
        | "ResourceContentionFault"
        | "IdempotentParameterMismatch"
        | "AlreadyExists"
        | "AlreadyExistsFault" => ErrorClass::Conflict,
        _ if code.ends_with("NotFound")
            || code.ends_with("NotFoundException")
            || code.ends_with("NotFoundFault") =>
        {
            ErrorClass::NotFound
        }
        // Auto Scaling has no specific code for a group that does not exist.
        "ValidationError" if message.contains("not found") => ErrorClass::NotFound,
        _ => match status {
            403 => ErrorClass::Denied,
            404 => ErrorClass::NotFound,
            429 => ErrorClass::Throttled,
            400..=499 => ErrorClass::Invalid,
            _ => ErrorClass::Service,
        },
    }
}

/// Returns the error of the credentials, if the request was not sent because of them.
fn credentials_problem(
    operation: &'static str,
    error: &(dyn std::error::Error + 'static),
) -> Option<AwsError> {
    let chain = || std::iter::successors(Some(error), |cause| cause.source());
    if let Some(IdentityError(ours)) = chain().find_map(|cause| cause.downcast_ref()) {
        return Some(ours.clone());
    }
    let found_none = chain().any(|cause| cause.is::<CredentialsError>());
    found_none.then(|| {
        // The SDK appends a list of all sources that it tried.
        let message = innermost(error);
        let first = message.lines().next().unwrap_or_default();
        let first = first.trim_end_matches(" Attempted:");
        AwsError::local(operation, ErrorClass::Credentials, first).advise(NO_CREDENTIALS)
    })
}

const NO_CREDENTIALS: &str = "provide credentials with a profile (AWS_PROFILE, `aws sso login`), with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or, in GitHub Actions, with `role` in the configuration and `permissions: id-token: write` in the job";

fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide_before_the_status() {
        assert_eq!(classify("RequestLimitExceeded", "", 503), ErrorClass::Throttled);
        assert_eq!(classify("ResourceContention", "", 500), ErrorClass::Conflict);
        assert_eq!(classify("ParameterAlreadyExists", "", 400), ErrorClass::Conflict);
        assert_eq!(classify("ExpiredTokenException", "", 400), ErrorClass::Credentials);
        assert_eq!(classify("UnauthorizedOperation", "", 403), ErrorClass::Denied);
        assert_eq!(classify("InvalidLaunchTemplateId.NotFound", "", 400), ErrorClass::NotFound);
        assert_eq!(classify("TargetGroupNotFound", "", 400), ErrorClass::NotFound);
        assert_eq!(
            classify("ValidationError", "AutoScalingGroup name not found - null", 400),
            ErrorClass::NotFound
        );
        assert_eq!(classify("ValidationError", "1 validation error", 400), ErrorClass::Invalid);
        assert_eq!(classify("", "", 502), ErrorClass::Service);
    }

    #[test]
    fn display_says_what_was_attempted_and_what_came_back() {
        let error = AwsError {
            operation: "ssm:PutParameter",
            code: Some("AccessDeniedException".into()),
            message: "User x is not authorized".into(),
            class: ErrorClass::Denied,
            request_id: Some("r-1".into()),
            advice: None,
        };
        assert_eq!(
            error.to_string(),
            "ssm:PutParameter is not allowed: AccessDeniedException: User x is not authorized (request r-1)"
        );
        assert!(error.hint().contains("ssm:PutParameter"));
    }

    #[test]
    fn a_refusal_names_what_was_refused() {
        let refused = |message: &str| {
            let error =
                AwsError::local("autoscaling:StartInstanceRefresh", ErrorClass::Denied, message);
            (error.denied_action(), error.hint())
        };
        let who = "User: arn:aws:sts::1:assumed-role/web/job is not authorized to perform:";
        let (action, hint) = refused(&format!(
            "{who} ssm:PutParameter on resource: arn:aws:ssm:eu-west-1:1:parameter/x because no identity-based policy allows \
             the ssm:PutParameter action"
        ));
        assert_eq!(action, "ssm:PutParameter");
        assert!(
            hint.contains("allow `ssm:PutParameter` on arn:aws:ssm:eu-west-1:1:parameter/x in")
        );
        assert!(hint.contains("`cutover iam`"));
        let (action, hint) = refused(&format!(
            "You are not authorized to perform this operation. {who} ec2:DescribeLaunchTemplates because no identity-based \
             policy allows the ec2:DescribeLaunchTemplates action"
        ));
        assert_eq!(action, "ec2:DescribeLaunchTemplates");
        assert!(hint.starts_with("allow `ec2:DescribeLaunchTemplates` in the policy"), "{hint}");
        let (action, hint) =
            refused("You are not authorized to use launch template: lt-0b27953098b749950");
        assert_eq!(action, "autoscaling:StartInstanceRefresh");
        let candidates = ["`ec2:RunInstances`", "`ec2:CreateTags`", "`iam:PassRole`"];
        assert!(candidates.iter().all(|action| hint.contains(action)), "{hint}");
        let (_, hint) = refused(
            "You are not authorized to perform this operation. Encoded authorization failure message: SAh2nD",
        );
        assert!(hint.contains("decode-authorization-message"), "{hint}");
        let (_, hint) = refused(&format!(
            "{who} iam:PassRole on resource: r with an explicit deny in a service control policy"
        ));
        assert!(hint.contains("explicit deny of `iam:PassRole`") && !hint.contains("cutover iam"));
    }
}

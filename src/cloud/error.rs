//! What AWS answered instead of what was asked for.

use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;

use super::identity::IdentityError;

/// What kind of failure it is: all that callers decide by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The identity is known, but may not do this.
    Denied,
    /// What the request names does not exist.
    NotFound,
    /// Something is in the way: it exists already, or another change is going on.
    Conflict,
    /// Too many requests; this one had no effect.
    Throttled,
    /// The request itself is wrong, or a quota is full.
    Invalid,
    /// The service failed.
    Service,
    /// No answer, or not all of it.
    Network,
    /// There are no credentials, or AWS does not accept them.
    Credentials,
    /// They are of another account than the configured one.
    Elsewhere,
}

/// A request that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudError {
    /// Service and operation, as IAM writes them: `autoscaling:StartInstanceRefresh`.
    pub operation: &'static str,
    /// AWS's error code, where it gave one.
    pub code: Option<String>,
    /// What came back, for people.
    pub message: String,
    /// What kind of failure it is.
    pub class: Class,
    /// AWS's id of the request, for its support.
    pub request_id: Option<String>,
    /// What to do next, where more is known than the class tells.
    pub advice: Option<String>,
}

impl CloudError {
    /// An error that this side found out by itself.
    pub(super) fn local(
        operation: &'static str,
        class: Class,
        message: impl Into<String>,
    ) -> CloudError {
        CloudError {
            operation,
            code: None,
            message: message.into(),
            class,
            request_id: None,
            advice: None,
        }
    }

    /// The same with advice.
    #[must_use]
    pub(super) fn advise(mut self, advice: impl Into<String>) -> CloudError {
        self.advice = Some(advice.into());
        self
    }

    /// Reads the SDK's error.
    pub(super) fn of<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> CloudError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let local = |class, message: String| CloudError::local(operation, class, message);
        match error {
            SdkError::ServiceError(answer) => {
                let meta = answer.err().meta();
                let status = answer.raw().status().as_u16();
                let code = meta.code().map(str::to_owned);
                // The SDK calls an answer that it cannot read a service error, too.
                let message = meta
                    .message()
                    .map(str::to_owned)
                    .unwrap_or_else(|| format!("HTTP {status}: {}", innermost(answer.err())));
                CloudError {
                    operation,
                    class: classify(code.as_deref().unwrap_or_default(), &message, status),
                    code,
                    message,
                    request_id: meta.request_id().or(error.request_id()).map(str::to_owned),
                    advice: None,
                }
            }
            SdkError::ResponseError(answer) => local(
                Class::Service,
                format!(
                    "an answer (HTTP {}) that is none of this service's: {}",
                    answer.raw().status().as_u16(),
                    innermost(error)
                ),
            ),
            SdkError::TimeoutError(_) => local(Class::Network, "no answer in time".to_owned()),
            _ => match credentials_problem(operation, error) {
                Some(problem) => problem,
                None if matches!(error, SdkError::ConstructionFailure(_)) => {
                    local(Class::Invalid, innermost(error))
                }
                None => local(Class::Network, innermost(error)),
            },
        }
    }

    /// Whether AWS's code is `code`.
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// The action that AWS refused, as its message names it; else the operation.
    pub fn refused_action(&self) -> String {
        match Refusal::read(&self.message) {
            Some(Refusal::Action { action, .. }) => action.to_owned(),
            Some(Refusal::Launch | Refusal::Encoded) | None => self.operation.to_owned(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> String {
        if let Some(advice) = &self.advice {
            return advice.clone();
        }
        let operation = self.operation;
        // RequestLimitExceeded is throttling; all other limits are quotas.
        let quota = self.code.as_deref().is_some_and(|code| code.contains("LimitExceeded"));
        match self.class {
            Class::Invalid if quota => {
                "a quota is full: delete what is no longer needed, or ask for more by Service Quotas"
                    .to_owned()
            }
            Class::Denied => denied(operation, &self.message),
            Class::NotFound => {
                "check the name, the Region and the account in the configuration".to_owned()
            }
            Class::Conflict => {
                "see what is going on there; wait for it to end or stop it, then run again"
                    .to_owned()
            }
            Class::Throttled => {
                "too many requests in this account and Region; run again in a minute".to_owned()
            }
            Class::Invalid => format!(
                "AWS does not accept the request as it is; its message says why (see the reference of `{operation}`)"
            ),
            Class::Service => {
                "the service failed; run again, and see AWS's health page if it goes on".to_owned()
            }
            Class::Network => {
                "check the connection, the proxy settings and AWS_ENDPOINT_URL; run again"
                    .to_owned()
            }
            Class::Credentials | Class::Elsewhere => {
                "check which credentials are in use: `aws sts get-caller-identity`".to_owned()
            }
        }
    }

    /// Whether asking again can help by itself.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self.class, Class::Throttled | Class::Service | Class::Network)
    }
}

impl fmt::Display for CloudError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match self.class {
            Class::Denied => "is not allowed",
            Class::NotFound => "found nothing",
            Class::Conflict => "is in conflict with what is there",
            Class::Throttled => "was throttled",
            Class::Invalid => "was not accepted",
            Class::Service => "failed at the service",
            Class::Network => "got no answer",
            Class::Credentials => "has no valid credentials",
            Class::Elsewhere => "answers for another account",
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

impl std::error::Error for CloudError {}

/// What AWS's words say of a refused action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal<'m> {
    /// `… is not authorized to perform: ACTION on resource: RESOURCE …` (IAM user guide, "Troubleshoot access denied error
    /// messages"); EC2 puts a sentence in front.
    Action {
        action: &'m str,
        resource: Option<&'m str>,
        /// A statement denies it: one that allows it would not help.
        explicit: bool,
    },
    /// Auto Scaling names the launch template alone where launching from it is refused (public reports).
    Launch,
    /// EC2 keeps the action in an encoded message.
    Encoded,
}

impl Refusal<'_> {
    fn read(message: &str) -> Option<Refusal<'_>> {
        let word =
            |text: &'_ str| -> usize { text.find(char::is_whitespace).unwrap_or(text.len()) };
        if let Some((_, rest)) = message.split_once("not authorized to perform: ") {
            let (action, rest) = rest.split_at(word(rest));
            let resource = rest.split_once("on resource: ").map(|(_, rest)| &rest[..word(rest)]);
            let explicit = message.contains("explicit deny");
            return Some(Refusal::Action { action, resource, explicit });
        }
        if message.contains("not authorized to use launch template") {
            return Some(Refusal::Launch);
        }
        message.contains("Encoded authorization failure message").then_some(Refusal::Encoded)
    }
}

/// What to do about a refusal of `operation`.
fn denied(operation: &str, message: &str) -> String {
    const PRINTS: &str = "`cutover iam` prints the deploy role's least policy";
    match Refusal::read(message) {
        Some(Refusal::Action { action, explicit: true, .. }) => format!(
            "a policy denies `{action}` explicitly: remove that statement from the role's policies, its boundary, or the \
             organization's service control policies"
        ),
        Some(Refusal::Action { action, resource, .. }) => {
            let on = resource.filter(|resource| *resource != "*");
            let on = on.map(|resource| format!(" on {resource}")).unwrap_or_default();
            format!("allow `{action}`{on} in the policy of the role that runs this; {PRINTS}")
        }
        Some(Refusal::Launch) => format!(
            "Auto Scaling checks whether the role that runs this may launch from the template: allow `ec2:RunInstances`, \
             `ec2:CreateTags` if the template tags what it launches, `iam:PassRole` if it has an instance profile, and \
             `ssm:GetParameters` if its AMI is a parameter's; {PRINTS}"
        ),
        Some(Refusal::Encoded) => format!(
            "allow `{operation}` in the policy of the role that runs this; {PRINTS}. `aws sts decode-authorization-message \
             --encoded-message` shows what AWS refused"
        ),
        None => format!("allow `{operation}` in the policy of the role that runs this; {PRINTS}"),
    }
}

/// Sorts an answer. Codes are those of the API models; what they do not name goes by the status.
fn classify(code: &str, message: &str, status: u16) -> Class {
    match code {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "SlowDown"
        | "TooManyUpdates" => Class::Throttled,
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "NotAuthorizedException" => Class::Denied,
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
        | "MissingAuthenticationTokenException" => Class::Credentials,
        "ParameterAlreadyExists"
        | "RepositoryAlreadyExistsException"
        | "InstanceRefreshInProgress"
        | "ScalingActivityInProgress"
        | "ScalingActivityInProgressFault"
        | "ResourceContention"
        | "ResourceContentionFault"
        | "IdempotentParameterMismatch"
        | "AlreadyExists"
        | "AlreadyExistsFault" => Class::Conflict,
        _ if code.ends_with("NotFound")
            || code.ends_with("NotFoundException")
            || code.ends_with("NotFoundFault") =>
        {
            Class::NotFound
        }
        // Auto Scaling has no code of its own for a group that does not exist.
        "ValidationError" if message.contains("not found") => Class::NotFound,
        _ => match status {
            403 => Class::Denied,
            404 => Class::NotFound,
            429 => Class::Throttled,
            400..=499 => Class::Invalid,
            _ => Class::Service,
        },
    }
}

/// What hinders the credentials, if that is why the request was not even sent.
fn credentials_problem(
    operation: &'static str,
    error: &(dyn std::error::Error + 'static),
) -> Option<CloudError> {
    let chain = || std::iter::successors(Some(error), |cause| cause.source());
    if let Some(IdentityError(ours)) = chain().find_map(|cause| cause.downcast_ref()) {
        return Some(ours.clone());
    }
    let found_none = chain().any(|cause| cause.is::<CredentialsError>());
    found_none.then(|| {
        // The SDK goes on with a list of all places that it looked into.
        let message = innermost(error);
        let first = message.lines().next().unwrap_or_default();
        let first = first.trim_end_matches(" Attempted:");
        CloudError::local(operation, Class::Credentials, first).advise(NO_CREDENTIALS)
    })
}

const NO_CREDENTIALS: &str = "give credentials: by a profile (AWS_PROFILE, `aws sso login`), by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or, in GitHub Actions, by `role` in the configuration and `permissions: id-token: write` in the job";

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
        assert_eq!(classify("RequestLimitExceeded", "", 503), Class::Throttled);
        assert_eq!(classify("ResourceContention", "", 500), Class::Conflict);
        assert_eq!(classify("ParameterAlreadyExists", "", 400), Class::Conflict);
        assert_eq!(classify("ExpiredTokenException", "", 400), Class::Credentials);
        assert_eq!(classify("UnauthorizedOperation", "", 403), Class::Denied);
        assert_eq!(classify("InvalidLaunchTemplateId.NotFound", "", 400), Class::NotFound);
        assert_eq!(classify("TargetGroupNotFound", "", 400), Class::NotFound);
        assert_eq!(
            classify("ValidationError", "AutoScalingGroup name not found - null", 400),
            Class::NotFound
        );
        assert_eq!(classify("ValidationError", "1 validation error", 400), Class::Invalid);
        assert_eq!(classify("", "", 502), Class::Service);
    }

    #[test]
    fn display_says_what_was_attempted_and_what_came_back() {
        let error = CloudError {
            operation: "ssm:PutParameter",
            code: Some("AccessDeniedException".into()),
            message: "User x is not authorized".into(),
            class: Class::Denied,
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
                CloudError::local("autoscaling:StartInstanceRefresh", Class::Denied, message);
            (error.refused_action(), error.hint())
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
        assert!(hint.contains("denies `iam:PassRole` explicitly") && !hint.contains("cutover iam"));
    }
}

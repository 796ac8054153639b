//! An error as an AWS service answers it.

use super::{Service, Value, json};

/// Whose fault an error is; it decides the default HTTP status and how SDKs retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The caller's: 4xx.
    Sender,
    /// The service's: 5xx.
    Receiver,
}

/// A code, a message and an HTTP status, written by the protocol that the call came in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// The wire code, for example `ValidationError`; where it differs from the shape's name
    /// (`AlreadyExists` for `AlreadyExistsFault`) it is the wire's.
    pub code: String,
    /// The message for a person.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
    /// Whose fault it is.
    pub fault: Fault,
    /// What the error's shape has besides code and message. Only JSON carries it.
    pub members: Option<Box<serde_json::Value>>,
}

/// What every operation gives.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// A client's mistake: HTTP 400.
    pub fn sender(code: impl Into<String>, message: impl Into<String>) -> ApiError {
        ApiError::new(400, Fault::Sender, code.into(), message.into())
    }

    /// The service's own failure: HTTP 500.
    pub fn receiver(code: impl Into<String>, message: impl Into<String>) -> ApiError {
        ApiError::new(500, Fault::Receiver, code.into(), message.into())
    }

    fn new(status: u16, fault: Fault, code: String, message: String) -> ApiError {
        ApiError { code, message, status, fault, members: None }
    }

    /// The same with another HTTP status.
    #[must_use]
    pub fn status(mut self, status: u16) -> ApiError {
        self.status = status;
        self
    }

    /// The same with the further members of its shape.
    #[must_use]
    pub fn with_members(mut self, members: &Value) -> ApiError {
        self.members = Some(Box::new(json::to_json(members)));
        self
    }
}

impl ApiError {
    /// The answer to an operation that the lab does not have.
    pub fn unknown_operation(call: &super::Call) -> ApiError {
        match call.service {
            Service::Ssm | Service::Ecr => ApiError::sender(
                "UnknownOperationException",
                format!("The operation {} is not known.", call.operation),
            ),
            _ => ApiError::sender(
                "InvalidAction",
                format!("The action {} is not valid for this web service.", call.operation),
            ),
        }
    }
}

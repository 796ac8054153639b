//! Errors as AWS's services return them.

/// Whose fault an error is. It decides the default HTTP status, and how SDKs retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The caller's: 4xx.
    Sender,
    /// The service's: 5xx.
    Receiver,
}

/// A code, a message and an HTTP status. The call's protocol decides how they are written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// The code on the wire, for example `ValidationError`. Where it differs from the shape's name, it
    /// is the wire's: `AlreadyExists` for `AlreadyExistsFault`.
    pub code: String,
    /// The message.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
    /// Whose fault it is.
    pub fault: Fault,
    /// Members of the error's shape besides code and message. Only the JSON protocols write them.
    pub members: Option<Box<serde_json::Value>>,
}

/// The result of an operation.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// Creates a client error: HTTP 400.
    pub fn sender(code: impl Into<String>, message: impl Into<String>) -> ApiError {
        ApiError::new(400, Fault::Sender, code.into(), message.into())
    }

    /// Creates a service error: HTTP 500.
    pub fn receiver(code: impl Into<String>, message: impl Into<String>) -> ApiError {
        ApiError::new(500, Fault::Receiver, code.into(), message.into())
    }

    fn new(status: u16, fault: Fault, code: String, message: String) -> ApiError {
        ApiError { code, message, status, fault, members: None }
    }

    /// Sets the HTTP status.
    #[must_use]
    pub fn status(mut self, status: u16) -> ApiError {
        self.status = status;
        self
    }

    /// Sets the shape's further members.
    #[must_use]
    pub fn with_members(mut self, members: serde_json::Value) -> ApiError {
        self.members = Some(Box::new(members));
        self
    }
}

//! Operators: a person at a console, or another tool, that makes external changes.

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;

use crate::wire::Operation;

/// The sender that operators' calls are attributed to.
pub const OPERATOR: &str = "operator";

/// A call that an operator made.
#[derive(Debug, Clone)]
pub struct OperatorCall {
    /// When it was made.
    pub at: Timestamp,
    /// The service and the operation.
    pub operation: Operation,
    /// The request as it was sent.
    pub request: Request<Bytes>,
    /// The HTTP status of the response: an operator's call may be refused, too.
    pub status: u16,
    /// The body of the response.
    pub body: Bytes,
}

//! How calls look on the wire: which service a request is for, how its input is read and how its
//! answer is written. Services see only [`Call`]s and [`Value`]s, never a protocol.

mod asked;
mod auth;
mod call;
mod cbor;
mod error;
mod json;
mod protocol;
mod query;
mod refuse;
mod route;
mod serve;
mod value;
mod xml;

pub use asked::Asked;
pub use call::{Call, Principal, Service};
pub use error::{ApiError, ApiResult, Fault};
pub use refuse::refuse;
pub use serve::serve;
pub use value::{Value, map};

/// How deep an input may nest, in forms and in CBOR (JSON's own reader has a bound): deeper than any of
/// these services' is; it guards the stack.
const DEEPEST: usize = 64;
